"""A clinic's year through Paladin, against the simulated payer (evals/payer): `pa simulate`."""
