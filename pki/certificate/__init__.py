"""The resource type of one certificate, its key and its schedule."""
