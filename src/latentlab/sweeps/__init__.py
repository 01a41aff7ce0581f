"""Several runs from one command: which jobs there are, which are done, and how the others are started."""
