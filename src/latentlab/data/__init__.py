"""Datamodules whose batches are cut from one tensor held on the training device."""
