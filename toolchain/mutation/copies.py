"""Copies of the checkout to run mutants in: the work tree itself is never changed."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from toolchain.errors import ToolchainError

__all__ = ["changed_paths", "copy_checkout", "in_place", "tracked_paths"]


def tracked_paths(root: Path) -> list[str]:
    """Return the files that Git knows or would add, as they are in the work tree."""
    names = _git(root, "ls-files", "--cached", "--others", "--exclude-standard")
    return sorted({name for name in names if (root / name).is_file()})


def changed_paths(root: Path, revision: str) -> list[str]:
    """Return the files that differ from where the work tree left `revision`; new files are among them."""
    [base] = _git(root, "merge-base", revision, "HEAD")
    return sorted({*_git(root, "diff", "--name-only", base), *_git(root, "ls-files", "--others", "--exclude-standard")})


def _git(root: Path, *arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ToolchainError(f"`git {' '.join(arguments)}` failed: {done.stderr.strip()}")
    return done.stdout.splitlines()


def copy_checkout(root: Path, names: Sequence[str], target: Path) -> None:
    """Copy these files, with their times, so that what Python compiled of them stays valid."""
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, target / name, follow_symlinks=False)


@contextmanager
def in_place(path: Path, text: str) -> Iterator[None]:
    """Put a text into a file of a copy for as long as the context lasts; its time comes back with its bytes."""
    kept = path.with_name(f"{path.name}.kept")
    path.rename(kept)
    try:
        path.write_text(text, encoding="utf-8")
        yield
    finally:
        kept.replace(path)
