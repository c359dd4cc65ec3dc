"""Authorization cases: what is entered of them and what is due, a payer's letter, the appeal, renewals, the worklist."""
