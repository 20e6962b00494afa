"""The resource type of an authority whose key is here and whose certificate somebody else signs."""
