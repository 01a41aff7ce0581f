"""Pure functions of tensors: distributions, losses, penalties, corruption, schedules, randomness."""
