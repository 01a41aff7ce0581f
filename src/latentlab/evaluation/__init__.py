"""A trained model measured and drawn, whatever the variant."""
