"""What is proved in the large, each thing by a function that gives its figures and counts what is wrong."""
