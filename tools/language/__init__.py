"""Reading what people wrote: sentences, and how a mention in one is meant."""
