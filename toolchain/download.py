"""Fetches the official Pulumi release and checks it against the release's list of checksums."""

import hashlib
import re
import shutil
import sys
import tarfile
import time
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import urlsplit

from toolchain.console import Progress
from toolchain.errors import ToolchainError
from toolchain.recipe import ENGINE_VERSION

__all__ = ["DownloadError", "Release", "base_url_of", "expected_sha256", "fetch_release", "release_for"]

DEFAULT_BASE_URL = "https://get.pulumi.com/releases/sdk"
"""Where releases lie; `POSTSEAL_ENGINE_URL` names another place, such as a mirror."""

ALLOW_HTTP = "POSTSEAL_ENGINE_ALLOW_HTTP"
"""Variable that lets a mirror be read without encryption when it is `true`."""

CONNECT_TIMEOUT_SECONDS = 5
TOTAL_TIMEOUT_SECONDS = 900
CHUNK_BYTES = 1 << 20

_SYSTEMS = {"linux": "linux", "darwin": "darwin"}
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


class DownloadError(ToolchainError):
    """The official release cannot be had here; the message says why in half a sentence."""


@dataclass(frozen=True, slots=True)
class Release:
    """Addresses of an official release: the archive and the list of SHA-256 checksums."""

    archive_url: str
    checksums_url: str

    @property
    def archive_name(self) -> str:
        """Name of the archive, as the list of checksums has it."""
        return self.archive_url.rpartition("/")[2]


def base_url_of(environment: Mapping[str, str]) -> str:
    """Return where releases lie, as the user's environment has it: over https or in a local directory.

    The checksums come from the same place as the archive, so that whoever may change one on its way changes both.

    Raises:
        ToolchainError: plain http that `POSTSEAL_ENGINE_ALLOW_HTTP=true` does not allow, or another kind of address.
    """
    base_url = environment.get("POSTSEAL_ENGINE_URL") or DEFAULT_BASE_URL
    scheme = urlsplit(base_url).scheme
    if scheme in {"https", "file"} or (scheme == "http" and environment.get(ALLOW_HTTP) == "true"):
        return base_url
    allowed = f"; {ALLOW_HTTP}=true allows plain http, for a mirror on a network that you trust"
    raise ToolchainError(
        f"POSTSEAL_ENGINE_URL: got an address that begins with {scheme or 'no scheme'!r}, expected https:// or "
        f"file://: anybody on the way could exchange the engine together with its checksums"
        f"{allowed if scheme == 'http' else ''}"
    )


def release_for(system: str, machine: str, base_url: str = DEFAULT_BASE_URL) -> Release | None:
    """Return the release for `sys.platform` and `platform.machine()`; None where none is published."""
    if system not in _SYSTEMS or machine.lower() not in _MACHINES:
        return None
    base_url = base_url.rstrip("/")
    target = f"{_SYSTEMS[system]}-{_MACHINES[machine.lower()]}"
    return Release(
        f"{base_url}/pulumi-v{ENGINE_VERSION}-{target}.tar.gz", f"{base_url}/pulumi-{ENGINE_VERSION}-checksums.txt"
    )


def expected_sha256(checksums: str, name: str) -> str | None:
    """Return the digest that a list in the format of sha256sum(1) gives for the file `name`; None if it has none."""
    for line in checksums.splitlines():
        digest, _, file_name = line.partition(" ")
        if file_name.lstrip(" *") == name and re.fullmatch("[0-9a-f]{64}", digest):
            return digest
    return None


def fetch_release(release: Release, directory: Path) -> list[Path]:
    """Put the programs of a release into `directory` and return their paths, `pulumi` last.

    Checked: the archive's SHA-256 against the release's own list, both fetched over the same connection rules; that
    finds a broken or exchanged archive, not a release host in foreign hands. Connecting is given up after 5 seconds.

    Raises:
        DownloadError: Out of reach, not in the list, or another digest than the list's.
    """
    try:
        checksums = _read(release.checksums_url).decode("ascii", "replace")
        expected = expected_sha256(checksums, release.archive_name)
        if expected is None:
            raise DownloadError(f"{release.checksums_url} has no checksum for {release.archive_name}")
        archive = directory / release.archive_name
        found = _save(release.archive_url, archive)
    except (OSError, HTTPException) as error:
        raise DownloadError(f"{release.archive_url} is out of reach ({error})") from error
    if found != expected:
        raise DownloadError(f"{release.archive_url} has SHA-256 {found}, the release's list says {expected}")
    return _unpack(archive, directory / "release")


class _NeverToPlainHttp(urllib.request.HTTPRedirectHandler):
    """Follows redirections, but never from https to an address that is not encrypted."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        if req.type == "https" and urlsplit(newurl).scheme != "https":
            raise DownloadError(f"{req.full_url} leads on to {newurl}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(url: str) -> "urllib.response.addinfourl":
    opener = urllib.request.build_opener(_NeverToPlainHttp)
    return opener.open(url, timeout=CONNECT_TIMEOUT_SECONDS)  # type: ignore[no-any-return]  # `base_url_of` has judged it


def _read(url: str) -> bytes:
    with _open(url) as response:
        return response.read(CHUNK_BYTES)


def _save(url: str, path: Path) -> str:
    """Write the body at `url` to `path` and return its SHA-256 in hexadecimal digits."""
    digest = hashlib.sha256()
    deadline = time.monotonic() + TOTAL_TIMEOUT_SECONDS
    progress = Progress(path.name, sys.stdout)
    with _open(url) as response, path.open("wb") as file:
        total = int(response.headers.get("Content-Length") or 0)
        while chunk := response.read(CHUNK_BYTES):
            file.write(chunk)
            digest.update(chunk)
            progress.show(f"{file.tell() >> 20} of {total >> 20} MiB")
            if time.monotonic() > deadline:
                raise TimeoutError(f"not complete after {TOTAL_TIMEOUT_SECONDS} seconds")
    progress.end()
    return digest.hexdigest()


def _unpack(archive: Path, directory: Path) -> list[Path]:
    """Write the archive's programs (`pulumi/NAME`, plain files only) into `directory`."""
    directory.mkdir()
    try:
        with tarfile.open(archive) as tar:
            for member in _programs(tar):
                _unpack_program(tar, member, directory)
    except (OSError, tarfile.TarError, EOFError) as error:
        raise DownloadError(f"{archive.name} cannot be unpacked ({error})") from error
    programs = sorted(directory.iterdir(), key=lambda path: (path.name == "pulumi", path.name))
    if not {"pulumi", "pulumi-language-python"} <= {path.name for path in programs}:
        raise DownloadError(f"{archive.name} does not hold pulumi and pulumi-language-python")
    return programs


def _programs(tar: tarfile.TarFile) -> Iterable[tarfile.TarInfo]:
    return (member for member in tar if member.isfile() and PurePosixPath(member.name).parent.name == "pulumi")


def _unpack_program(tar: tarfile.TarFile, member: tarfile.TarInfo, directory: Path) -> None:
    source = tar.extractfile(member)
    if source is None:
        raise DownloadError(f"{member.name} cannot be read")
    path = directory / PurePosixPath(member.name).name
    with source, path.open("wb") as target:
        shutil.copyfileobj(source, target)
    path.chmod(0o755)
