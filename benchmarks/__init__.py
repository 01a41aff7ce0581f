"""How fast latentlab is, beside what one would use in its place. `make bench`, or `python -m benchmarks NAME ...`."""
