"""The command `postseal audit`: reads a Postfix host as it is, and says what is wrong with it."""
