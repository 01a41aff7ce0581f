"""Several runs from one command: a grid or a search, its jobs, their folders and how they are started."""
