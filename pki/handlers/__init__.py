"""One handler per resource type of the PKI: decode, call the pure core, act, encode."""
