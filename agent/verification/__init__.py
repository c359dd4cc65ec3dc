"""Does a text say only what is so? Its claims are read by the shared readers of tools/terminology and tools/language,
and held against what is known of the case; nothing of how a text was made is known here.
"""
