"""Handlers of the Postfix resource types: decode, call the core, act, encode."""
