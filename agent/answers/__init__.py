"""What is said to each kind of question: sentences with slots, made by code from records and findings."""
