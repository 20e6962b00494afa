"""Pulumi components of Postfix hosts; they only wire, what they mean is decided in the pure core."""
