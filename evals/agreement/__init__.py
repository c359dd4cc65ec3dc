"""What the engine is held against: an oracle that reads the printed policies, relations that must hold whatever the
right answer is, cases by hand in every house style, and bugs that are planted to see whether all this notices them."""
