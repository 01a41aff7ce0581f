"""How fast latentlab is, compared with the alternatives. `make bench`, or `python -m benchmarks NAME ...`."""
