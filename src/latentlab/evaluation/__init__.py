"""Metrics and pictures of a trained model, for every variant."""
