"""The resource type of a hand-out: files for people, in a directory on the machine that runs the engine."""
