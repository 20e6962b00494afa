"""The version of this package; a constant, since reading it from the installed metadata costs each start 20 ms."""

from typing import Final

__all__ = ["VERSION"]

VERSION: Final = "0.1.0"
