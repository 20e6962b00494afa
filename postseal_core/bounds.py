"""Upper bounds on input: sizes, depths and numbers; docs/stack-file.md lists them."""

from typing import Final

__all__ = [
    "DEEPEST",
    "LARGEST_CHAIN_BYTES",
    "LARGEST_COUNT",
    "LARGEST_FILE_BYTES",
    "LARGEST_KEY_BYTES",
    "LARGEST_STORED_NUMBER",
    "LONGEST_HOURS",
    "MOST_CERTIFICATES",
    "MOST_COLUMNS",
    "MOST_ROWS",
]

LARGEST_FILE_BYTES: Final = 16 * 1024 * 1024
"""Of a file that a stack file names; a roster of 100,000 clients has less."""
LARGEST_CHAIN_BYTES: Final = 2 * 1024 * 1024
"""Of certificates in PEM; all roots that browsers trust have a tenth of that."""
LARGEST_KEY_BYTES: Final = 64 * 1024
"""Of a private key in PEM; one of RSA-4096 has 3 KiB."""
MOST_CERTIFICATES: Final = 32
"""In one chain: whether each signed another is tried out."""
MOST_ROWS: Final = 100_000
"""Clients of one roster."""
MOST_COLUMNS: Final = 100
"""Columns of a roster in CSV; there are two dozen."""
DEEPEST: Final = 32
"""Mappings and lists within each other."""
LONGEST_HOURS: Final = 876_000
"""A hundred years: any duration, so that no date leaves the calendar."""
LARGEST_COUNT: Final = 1_000_000
"""A slot, a path length, a generation that somebody declares."""
LARGEST_STORED_NUMBER: Final = 2**52
"""Half of what the engine can hand on exactly, so that there is always a next one."""
