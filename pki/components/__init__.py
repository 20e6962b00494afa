"""Pulumi components of the PKI, the classes that programs use."""
