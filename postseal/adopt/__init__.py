"""The command `postseal adopt`: writes the entries of a stack file that reproduce a Postfix host as it is."""
