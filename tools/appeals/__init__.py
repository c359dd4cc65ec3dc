"""What to do about a payer's adverse letter, in what order and by when; and the papers for it."""
