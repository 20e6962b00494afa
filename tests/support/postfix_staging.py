"""Files of a private instance: a rendered directory is copied, moved to loopback and made old enough to be read."""

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from tests.support.loopback import free_ports
from tests.support.postfix_overlay import move_services, smtp_transport, smtpd_service, standard_services

__all__ = ["age_files", "copy_rendered", "write_master_cf"]

# Postfix 3.7 waits until a file it reads is two seconds old, unless its date says that it is.
AGE_SECONDS = 5.0
INDEX_SUFFIXES = {".db", ".lmdb", ".cdb"}


def copy_rendered(rendered: Path, config_directory: Path, *, installed_at: str) -> None:
    """Copy a configuration, owned by us and writable by nobody else, and point its absolute paths at the copy."""
    shutil.copytree(rendered, config_directory, symlinks=True)
    # The directory stands for /etc/postfix, which everybody may enter; what is in it keeps the modes it came with.
    config_directory.chmod(0o755)
    for path in _entries(config_directory):
        path.chmod(path.stat().st_mode & ~0o022)
        if path.is_file():
            _rewrite(path, installed_at.encode(), bytes(config_directory))


def _entries(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if not path.is_symlink()]


def _rewrite(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    if old in content:
        path.write_bytes(content.replace(old, new))


def write_master_cf(
    config_directory: Path,
    servers: Mapping[str, Mapping[str, str]] | None,
    transports: Mapping[str, Mapping[str, str]],
    *,
    is_chrooted: bool,
) -> Mapping[str, int]:
    """Write the master.cf with the servers and clients added, on free ports, and return the port of each server."""
    path = config_directory / "master.cf"
    text = path.read_text() if path.exists() else standard_services(is_chrooted=is_chrooted)
    if servers is None:
        servers = {} if path.exists() else {"smtpd": {}}
    text += "".join(smtpd_service(name, settings, is_chrooted=is_chrooted) for name, settings in servers.items())
    text += "".join(smtp_transport(name, settings, is_chrooted=is_chrooted) for name, settings in transports.items())
    moved = move_services(text, free_ports())
    path.write_text(moved.text)
    return moved.ports


def age_files(directory: Path) -> None:
    """Set the dates of fresh files back, those of indexes apart."""
    past = time.time() - AGE_SECONDS
    for path in _entries(directory):
        # The date of an index is how Postfix sees that it changed.
        if path.is_file() and path.suffix not in INDEX_SUFFIXES and path.stat().st_mtime > past:
            os.utime(path, (past, past))
