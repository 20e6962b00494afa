"""Destinations of a host's files: what others changed of ours in the Postfix of this machine is told by its name."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from postfix.deploy.host_files import Deployed
from postfix.host_resource.destinations import destination_of
from postfix.target import Directory, Local
from postseal_core.files.tree import FileEntry, manifest

OURS: Mapping[str, str] = {"biff": "no", "smtpd_tls_loglevel": "1", "mynetworks": "127.0.0.0/8 [::1]/128"}
TABLE = FileEntry("relay_clientcerts", b"AA:BB alice\n", 0o644)


def drift(directory: Path, main_cf: bytes | None, deployed: Deployed) -> list[str]:
    """Return what is told of a configuration directory with this main.cf, None for none, and our table."""
    (directory / TABLE.path).write_bytes(TABLE.content)
    (directory / TABLE.path).chmod(TABLE.mode)
    if main_cf is not None:
        (directory / "main.cf").write_bytes(main_cf)
    return destination_of(Local(str(directory)).record).drift(deployed, OURS)


@pytest.mark.parametrize(
    ("main_cf", "told"),
    [
        (b"biff = no\nsmtpd_tls_loglevel=1\nmynetworks = 127.0.0.0/8,\n [::1]/128\n", ["mynetworks"]),
        (b"biff = no\nsmtpd_tls_loglevel=1\nmynetworks =\n  127.0.0.0/8\n  [::1]/128\n", []),
        (b"biff = yes\nsmtpd_tls_loglevel = 1\nmynetworks = 127.0.0.0/8 [::1]/128\nmyorigin = x\n", ["biff"]),
        (b"# \xff\nsmtpd_tls_loglevel = \xff\nmynetworks = 0.0.0.0/0\n", ["biff", "mynetworks", "smtpd_tls_loglevel"]),
        (b"", ["biff", "mynetworks", "smtpd_tls_loglevel"]),
        (None, ["biff", "mynetworks", "smtpd_tls_loglevel"]),
    ],
    ids=["a comma", "blanks", "another value", "no UTF-8", "empty", "gone"],
)
def test_parameters_of_ours_that_are_others_in_a_shared_main_cf_are_told(
    tmp_path: Path, main_cf: bytes | None, told: list[str]
) -> None:
    """By their values without blanks, in order of their names; whatever else stands there is others' business."""
    deployed = Deployed(files=manifest([TABLE]), parameters=tuple(OURS))
    assert drift(tmp_path, main_cf, deployed) == [f"{name} in main.cf" for name in told]


def test_only_parameters_that_were_deployed_and_are_still_declared_are_looked_at(tmp_path: Path) -> None:
    """Others are not ours yet, or not any more; without any main.cf is not read."""
    deployed = Deployed(files=manifest([TABLE]), parameters=("biff", "myorigin"))
    assert drift(tmp_path, b"", deployed) == ["biff in main.cf"]
    assert drift(tmp_path, b"", Deployed(files=manifest([TABLE]))) == []


def test_files_of_ours_are_told_before_parameters(tmp_path: Path) -> None:
    """By their paths, those in the copies for the chroot as well."""
    changed = FileEntry(TABLE.path, b"", TABLE.mode)
    deployed = Deployed(files=manifest([changed]), chroot=manifest([changed]), parameters=("biff",))
    assert drift(tmp_path, b"biff = yes\n", deployed) == ["relay_clientcerts", "biff in main.cf"]
    plain = destination_of(Directory(str(tmp_path)).record)
    assert plain.drift(deployed, OURS) == ["relay_clientcerts", "relay_clientcerts"]
