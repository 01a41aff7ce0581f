"""Autoencoders, trained, swept and compared on one yardstick."""
