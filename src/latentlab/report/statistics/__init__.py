"""Means, intervals and paired differences; what is known of each figure."""
