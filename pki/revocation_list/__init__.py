"""The resource type of one authority's certificate revocation list."""
