"""Does the verifier find what was made wrong, and leave alone what is right? Texts that are right by their making, and
corruptions of them whose place and kind are known because they were put there."""
