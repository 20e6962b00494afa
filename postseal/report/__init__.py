"""The expiry report: everything in a stack that expires, from the state of the engine alone."""
