"""The command `postseal doctor`: find faults of this machine and project that block `pulumi up` or are unsafe."""
