"""Sessions: the edges through which deployments reach hosts."""
