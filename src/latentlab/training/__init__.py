"""From a config to a trained model: build, fit, restore; tracking and callbacks."""
