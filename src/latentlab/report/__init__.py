"""Runs compared on one page: read from their folders, grouped by config without seed, compared by intervals over seeds.

Nothing here imports torch: a report starts fast, and whatever a run folder holds is read as plain text or pixels.
"""
