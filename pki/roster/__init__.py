"""Many clients of one authority: what is declared about each, what is decided for each, what a reviewer reads."""
