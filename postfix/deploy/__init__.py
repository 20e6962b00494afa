"""Bring a host to its declared files: planned as values (`plan`), carried out over a session (`transaction`)."""
