"""What a payer's letter says: read, quoted, and compared with whose case it is."""
