"""Review a change of a stack file without a secret: the program and the handlers, with the engine left out."""
