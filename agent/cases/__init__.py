"""Authorization cases: what is entered of them, what is due, the payer's letters, appeals, renewals, the worklist."""
