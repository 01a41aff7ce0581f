"""Run folders read into plain records and groups."""
