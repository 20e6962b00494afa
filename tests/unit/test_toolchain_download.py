"""An official release is taken only whole, and only if it is the one its list of checksums names."""

import hashlib
import io
import tarfile
from collections.abc import Mapping
from email.message import Message
from http.client import HTTPMessage
from pathlib import Path
from urllib.request import Request

import pytest

from toolchain.download import (
    DownloadError,
    Release,
    _NeverToPlainHttp,
    base_url_of,
    expected_sha256,
    fetch_release,
    release_for,
)
from toolchain.errors import ToolchainError

PROGRAMS = {
    "pulumi/pulumi": b"cli",
    "pulumi/pulumi-language-python": b"host",
    "pulumi/pulumi-language-python-exec": b"x",
}


def publish(directory: Path, members: Mapping[str, bytes], checksum: str | None = None) -> Release:
    """Write an archive and its list of checksums as a release host offers them."""
    release = release_for("linux", "x86_64", directory.as_uri())
    assert release is not None
    archive = directory / release.archive_name
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    digest = checksum or hashlib.sha256(archive.read_bytes()).hexdigest()
    listed = f"{'0' * 64}  other.tar.gz\n{digest}  {archive.name}\n"
    (directory / "pulumi-3.250.0-checksums.txt").write_text(listed)
    return release


@pytest.fixture(name="host")
def fixture_host(tmp_path: Path) -> Path:
    """Return the directory that plays the release host."""
    (tmp_path / "host").mkdir()
    return tmp_path / "host"


ALLOWED = {"POSTSEAL_ENGINE_ALLOW_HTTP": "true"}
HTTP = {"POSTSEAL_ENGINE_URL": "http://mirror.example/sdk"}


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({}, "https://get.pulumi.com/releases/sdk"),
        ({"POSTSEAL_ENGINE_URL": ""}, "https://get.pulumi.com/releases/sdk"),
        ({"POSTSEAL_ENGINE_URL": "HTTPS://mirror.example/sdk"}, "HTTPS://mirror.example/sdk"),
        ({"POSTSEAL_ENGINE_URL": "file:///srv/mirror"}, "file:///srv/mirror"),
        (HTTP | ALLOWED, "http://mirror.example/sdk"),
    ],
)
def test_releases_come_over_https_or_from_a_directory(environment: dict[str, str], url: str) -> None:
    """Plain http is taken only where somebody has said so."""
    assert base_url_of(environment) == url


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (HTTP, "POSTSEAL_ENGINE_ALLOW_HTTP=true allows plain http"),
        (HTTP | {"POSTSEAL_ENGINE_ALLOW_HTTP": "false"}, "POSTSEAL_ENGINE_ALLOW_HTTP=true allows plain http"),
        ({"POSTSEAL_ENGINE_URL": "HTTP://mirror.example"}, "begins with 'http', expected https:// or file://"),
        (ALLOWED | {"POSTSEAL_ENGINE_URL": "ftp://mirror.example"}, "begins with 'ftp', expected https:// or file://"),
        (ALLOWED | {"POSTSEAL_ENGINE_URL": "data:,x"}, "begins with 'data', expected https:// or file://"),
        (ALLOWED | {"POSTSEAL_ENGINE_URL": "/srv/mirror"}, "begins with 'no scheme', expected https:// or file://"),
    ],
)
def test_a_mirror_without_encryption_is_refused(environment: dict[str, str], said: str) -> None:
    """Checksums that come the same way as the archive prove nothing there; only plain http can be allowed."""
    with pytest.raises(ToolchainError) as caught:
        base_url_of(environment)
    assert said in str(caught.value)


@pytest.mark.parametrize("onward", ["http://mirror.example/a", "ftp://mirror.example/a"])
def test_a_host_with_encryption_leads_to_none_without(onward: str) -> None:
    """A redirection would undo what the address promises; one to https, or from plain http, is followed."""
    follow, headers = _NeverToPlainHttp().redirect_request, HTTPMessage(Message().policy)
    first = Request("https://mirror.example/a")
    with pytest.raises(DownloadError, match="which is not https"):
        follow(first, io.BytesIO(), 302, "Found", headers, onward)
    followed = follow(first, io.BytesIO(), 302, "Found", headers, "https://other.example/a")
    assert followed is not None
    assert followed.full_url == "https://other.example/a"
    assert follow(Request("http://a.example/"), io.BytesIO(), 302, "Found", headers, "http://b.example/") is not None


@pytest.mark.parametrize(
    ("system", "machine", "archive"),
    [
        ("linux", "x86_64", "pulumi-v3.250.0-linux-x64.tar.gz"),
        ("linux", "aarch64", "pulumi-v3.250.0-linux-arm64.tar.gz"),
        ("darwin", "arm64", "pulumi-v3.250.0-darwin-arm64.tar.gz"),
    ],
)
def test_the_release_is_named_after_the_machine(system: str, machine: str, archive: str) -> None:
    """Archive and checksums lie side by side at the release host."""
    assert release_for(system, machine, "https://releases.example/sdk/") == Release(
        f"https://releases.example/sdk/{archive}", "https://releases.example/sdk/pulumi-3.250.0-checksums.txt"
    )


@pytest.mark.parametrize(("system", "machine"), [("freebsd14", "amd64"), ("linux", "riscv64")])
def test_a_machine_without_a_release_has_none(system: str, machine: str) -> None:
    """Such a machine goes on to the build from source."""
    assert release_for(system, machine) is None


@pytest.mark.parametrize(
    ("line", "digest"),
    [
        (f"{'a' * 64}  wanted", "a" * 64),
        (f"{'a' * 64} *wanted", "a" * 64),
        (f"{'a' * 64}  unwanted", None),
        (f"{'a' * 63}  wanted", None),
        ("", None),
    ],
)
def test_a_checksum_is_taken_only_from_a_well_formed_line_of_that_file(line: str, digest: str | None) -> None:
    """Text and binary lines of sha256sum(1) count; another file's or a short digest does not."""
    assert expected_sha256(f"{'b' * 64}  other\n{line}\n", "wanted") == digest


def test_a_release_gives_its_programs_executable_and_the_cli_last(host: Path, tmp_path: Path) -> None:
    """The CLI marks a finished engine, so it must be put in place after the rest."""
    programs = fetch_release(publish(host, PROGRAMS), tmp_path)
    assert [path.name for path in programs] == ["pulumi-language-python", "pulumi-language-python-exec", "pulumi"]
    assert programs[-1].read_bytes() == b"cli"
    assert {path.stat().st_mode & 0o777 for path in programs} == {0o755}


def test_an_archive_with_another_checksum_is_refused(host: Path, tmp_path: Path) -> None:
    """Nothing of it is unpacked."""
    release = publish(host, PROGRAMS, checksum="0" * 64)
    with pytest.raises(DownloadError, match="the release's list says 0000"):
        fetch_release(release, tmp_path)
    assert not (tmp_path / "release").exists()


def test_an_archive_without_a_checksum_is_refused(host: Path, tmp_path: Path) -> None:
    """What cannot be checked is not run."""
    release = publish(host, PROGRAMS)
    (host / "pulumi-3.250.0-checksums.txt").write_text("")
    with pytest.raises(DownloadError, match="no checksum"):
        fetch_release(release, tmp_path)


@pytest.mark.parametrize("lost", ["pulumi-3.250.0-checksums.txt", "pulumi-v3.250.0-linux-x64.tar.gz"])
def test_a_release_that_cannot_be_fetched_is_out_of_reach(host: Path, tmp_path: Path, lost: str) -> None:
    """The reason names the address, so that a firewall can be opened for it."""
    release = publish(host, PROGRAMS)
    (host / lost).unlink()
    with pytest.raises(DownloadError, match="out of reach"):
        fetch_release(release, tmp_path)


@pytest.mark.parametrize("kept", [["pulumi/pulumi"], ["pulumi/pulumi-language-python"], []])
def test_a_release_without_cli_or_language_host_is_refused(host: Path, tmp_path: Path, kept: list[str]) -> None:
    """Half an engine would be taken for a whole one at the next run."""
    release = publish(host, {name: PROGRAMS[name] for name in kept})
    with pytest.raises(DownloadError, match="does not hold"):
        fetch_release(release, tmp_path)


def test_an_archive_writes_nothing_outside_its_directory(host: Path, tmp_path: Path) -> None:
    """Members count by their last name only, and only those in the directory `pulumi`."""
    members = {**PROGRAMS, "../../escaped": b"!", "/pulumi/../escaped": b"!", "elsewhere/tool": b"!"}
    fetch_release(publish(host, members), tmp_path)
    assert {path.name for path in tmp_path.rglob("*") if path.is_file() and path.read_bytes() == b"!"} == set()


def test_a_broken_archive_is_refused(host: Path, tmp_path: Path) -> None:
    """A file that is no archive, with the right checksum, ends in the same kind of error."""
    release = publish(host, PROGRAMS)
    archive = host / release.archive_name
    archive.write_bytes(b"no archive")
    digest = hashlib.sha256(b"no archive").hexdigest()
    (host / "pulumi-3.250.0-checksums.txt").write_text(f"{digest}  {archive.name}\n")
    with pytest.raises(DownloadError, match="cannot be unpacked"):
        fetch_release(release, tmp_path)
