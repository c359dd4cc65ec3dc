"""What goes to the payer: the filled form, its PDF, covers by channel, the letter of medical necessity."""
