"""Appeals measured: is the strategy right, and do the letters say only what is so?"""
