"""Provides promtool, a judge of alert rules and metrics in tests, without the server that its Debian package starts."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from toolchain.build import put_in_place
from toolchain.console import say
from toolchain.layout import locate

__all__ = ["Fetch", "ensure_promtool", "promtool"]

_MEMBER = "./usr/bin/promtool"

Fetch = Callable[[Path], bool]
"""Unpacks the program into a directory as `usr/bin/promtool`; returns whether it could."""


def promtool(root: Path, environment: Mapping[str, str]) -> Path | None:
    """Return the program: that of the machine, or else the unpacked one of the cache; None where neither is."""
    installed = shutil.which("promtool", path=environment.get("PATH", os.defpath))
    if installed:
        return Path(installed)
    unpacked = _unpacked(root, environment)
    return unpacked if unpacked.is_file() else None


def ensure_promtool(root: Path, environment: Mapping[str, str], fetch: Fetch | None = None) -> None:
    """Unpack promtool into the cache where there is none; never fails, says what stays missing.

    Installing the package would start a Prometheus that listens on every address, and needs root: it is only unpacked.
    """
    if promtool(root, environment):
        return
    say("unpacking promtool of the Debian package prometheus")
    target = _unpacked(root, environment)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="unpack-", dir=target.parent) as name:
        workshop = Path(name)
        if (fetch or _fetch)(workshop):
            put_in_place([workshop / _MEMBER], target.parent)
            return
    say("promtool could not be had; tests that need it are skipped, and fail with CI=true")


def _unpacked(root: Path, environment: Mapping[str, str]) -> Path:
    return locate(root, environment).cache / "promtool" / "promtool"


def _fetch(directory: Path) -> bool:
    """Download the package with apt-get, which checks it against the signed index, and unpack the one program."""
    if not all(map(shutil.which, ("apt-get", "dpkg-deb", "tar"))):
        return False
    download = ["apt-get", "download", "-qq", "prometheus"]
    if not _is_done(download, directory):
        _is_done(["apt-get", "update", "-qq"], directory)  # where nothing else was missing, nobody has read the index
        if not _is_done(download, directory):
            return False
    packages = sorted(directory.glob("prometheus_*.deb"))
    archive = directory / "content.tar"
    if not packages:
        return False
    with archive.open("wb") as output:
        command = ["dpkg-deb", "--fsys-tarfile", str(packages[0])]
        if subprocess.run(command, stdout=output, check=False).returncode != 0:
            return False
    return _is_done(["tar", "-xf", str(archive), _MEMBER], directory)


def _is_done(command: list[str], directory: Path) -> bool:
    return subprocess.run(command, cwd=directory, stderr=subprocess.DEVNULL, check=False).returncode == 0
