"""The processes of one run: launcher, ranks, signals, tuning."""
