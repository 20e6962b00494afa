"""The stack file: what may be written in it, what it means, and what is made of it."""
