"""Means, intervals and paired differences; labels, units and directions of the metrics."""
