"""A file that a declaration names: read only where it lies inside the project, is a plain file and not too large."""

import os
import stat
from pathlib import Path
from typing import Final

from postseal_core.bounds import LARGEST_FILE_BYTES
from postseal_core.errors import PostsealError

__all__ = ["ProjectFileError", "read_project_file"]

# Nothing waits for the other end of a pipe or becomes a terminal's owner, and no link is followed once it is resolved.
_OPEN: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_COPY: Final = "copy it into the project, or keep a key or passphrase with `pulumi config set --secret`"


class ProjectFileError(PostsealError):
    """A named file is not read; the message goes on after the file's name and shows nothing of what is in it."""


def read_project_file(project: Path, name: str, *, base: Path | None = None) -> bytes:
    """Return what is in a file of the project.

    `project`: the directory that it must lie in, links resolved. `base`: what a relative name is relative to, by
    default the project. A link that stays inside is followed.

    Raises:
        FileNotFoundError: there is none.
        ProjectFileError: it lies elsewhere or in a hidden directory, is no regular file, is too large, or cannot be
            read.
    """
    try:
        root = Path(os.path.realpath(project))
        steps = _steps_below(root, Path(os.path.realpath((base or project) / name, strict=True)))
        return _content_of(root, steps)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise ProjectFileError(
            f"cannot be read: {getattr(error, 'strerror', None) or 'no file has this name'}"
        ) from error


def _steps_below(root: Path, place: Path) -> tuple[str, ...]:
    if not place.is_relative_to(root) or place == root:
        raise ProjectFileError(f"lies outside of the project, itself or what it is a link to; {_COPY}")
    steps = place.relative_to(root).parts
    if any(step.startswith(".") for step in steps):
        raise ProjectFileError(
            "is or lies in something hidden, where programs keep what is theirs, as .pulumi and .git; put it elsewhere "
            "in the project"
        )
    return steps


def _content_of(root: Path, steps: tuple[str, ...]) -> bytes:
    """Open step by step, so that nobody can put a link in between; judge what was opened."""
    opened = [os.open(root, _OPEN | os.O_DIRECTORY)]
    try:
        for step in steps[:-1]:
            opened.append(os.open(step, _OPEN | os.O_DIRECTORY, dir_fd=opened[-1]))
        opened.append(os.open(steps[-1], _OPEN, dir_fd=opened[-1]))
        if not stat.S_ISREG(os.fstat(opened[-1]).st_mode):
            raise ProjectFileError("is no regular file, but a directory, a device or a pipe; name a file")
        with os.fdopen(opened.pop(), "rb") as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
    finally:
        for descriptor in opened:
            os.close(descriptor)
    if len(content) > LARGEST_FILE_BYTES:
        raise ProjectFileError(f"is larger than {LARGEST_FILE_BYTES // 2**20} MiB, which no such file needs")
    return content
