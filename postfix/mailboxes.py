"""Check where mail is written below a directory: never over a file that somebody else reads for commands or keys.

Whoever writes mail writes lines of it: in `.ssh/authorized_keys` or `.forward` one of them would let people in.
"""

import re
from typing import Final

__all__ = ["fault_of_home_mailbox", "fault_of_mailbox"]

_MBOX: Final = re.compile(r"(.*/)?(inbox|mail|mailbox|mbox)", re.IGNORECASE | re.DOTALL)


def fault_of_mailbox(path: str) -> str | None:
    """Say why mail may not be written to a path below a directory of mailboxes, as the rest of a sentence.

    One that ends in `/` is a maildir, in which Postfix chooses the names of files; any other is one file.
    """
    steps = path.removesuffix("/").split("/")
    if path.startswith("/") or not {"", ".", ".."}.isdisjoint(steps) or "$" in path:
        return "is no path below the directory of mailboxes; write it without / in front, without $ and without .."
    if not path.endswith("/") and any(step.startswith(".") for step in steps):
        return "is a hidden file, which may not be a mailbox: who writes mail would write into it; choose another name"
    return None


def fault_of_home_mailbox(path: str) -> str | None:
    """Say why mail may not be written to a path below everybody's home directory; an empty one means none."""
    if path and (fault := fault_of_mailbox(path)):
        return fault
    if path and not path.endswith("/") and not _MBOX.fullmatch(path):
        return "is a file that may be no mailbox: write Mailbox, mbox or inbox, or a maildir as Maildir/"
    return None
