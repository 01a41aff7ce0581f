"""A trained model for use without latentlab: encoder and decoder as files of other libraries, with a model card."""
