"""The resource type of one PKCS#12 archive."""
