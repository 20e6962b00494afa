"""The resource type of files for persons, in a directory of the machine that runs the engine."""
