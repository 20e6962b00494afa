"""Pulumi components of the PKI; they only wire, what they mean is decided in the pure core."""
