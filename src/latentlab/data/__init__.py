"""Datamodules whose batches are indexed from one tensor of bytes on the training device."""
