"""The error of the toolchain: something the user must install, free or decide."""

__all__ = ["ToolchainError"]


class ToolchainError(Exception):
    """A step of the set-up cannot be done; the message says what was tried and what to do."""
