"""Files brought to a directory by another user of the machine, in a process of its own."""

import pwd
import subprocess
import sys
from pathlib import Path

__all__ = ["as_user", "uid_of"]

# Everything is loaded first: the interpreter may lie where the other user may not read.
_BRING = """
import os, sys
from postseal_core.errors import PostsealError
from postseal_core.files.bringing import Bringer, bring_directory
from postseal_core.files.tree import FileEntry
uid, gid, umask, directory = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3], 8), sys.argv[4]
os.setgroups([gid]); os.setgid(gid); os.setuid(uid)
os.umask(umask)
try:
    bring_directory(directory, [FileEntry("ca/ca.pem", b"root", 0o644)], {}, Bringer("mail-pki/dev", print))
except PostsealError as error:
    print(error)
"""


def uid_of(user: str) -> int:
    """Return the number of a user that every Debian has."""
    return pwd.getpwnam(user).pw_uid


def as_user(user: str, directory: Path, *, umask: int = 0o022) -> str:
    """Bring one public file below a directory as a user; return what was said, nothing if all went well."""
    entry = pwd.getpwnam(user)
    arguments = [str(entry.pw_uid), str(entry.pw_gid), f"{umask:o}", str(directory)]
    done = subprocess.run([sys.executable, "-c", _BRING, *arguments], capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.stdout
