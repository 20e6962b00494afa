"""The stack file: its keys, their meaning, and the components made from it."""
