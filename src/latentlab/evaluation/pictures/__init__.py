"""Pictures of an evaluation, each a function of the subject."""
