"""One page of what can be computed beforehand: no server, no network, a limited number of bytes."""
