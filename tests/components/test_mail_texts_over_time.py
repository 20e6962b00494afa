"""The texts beside archives in a stack that lives: new when a certificate is, and untouched on all other days."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from tests.support.played_engine import PlayedStack
from tests.support.stack_files import stack

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
MX1 = {"myhostname": "mx1.example.org", "relay_clients": ["alice"], "relay_rosters": ["staff"]}
SECTIONS = stack(
    clients={"alice": {"email": "alice@example.org", "pkcs12": "modern"}, "bob": {"email": "bob@example.org"}},
    rosters={"staff": {"clients": {"anna": {"email": "anna@example.org", "pkcs12": "legacy"}}}},
    hosts={"mx1": MX1},
)


def texts(directory: Path) -> Mapping[str, tuple[bytes, int, int]]:
    """Return content, mode and time of last change of each text."""
    return {
        str(path.relative_to(directory)): (path.read_bytes(), path.stat().st_mode & 0o777, path.stat().st_mtime_ns)
        for path in directory.rglob("*.txt")
    }


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory of the stack."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_text_is_as_old_as_the_archive_beside_it(here: Path) -> None:
    """For single clients and those of rosters; a text goes with its holder, and those without an archive have none."""
    played = PlayedStack()
    played.up(SECTIONS, NOW)
    first = texts(here)
    assert set(first) == {"out/test/clients/alice/alice.txt", "out/test/rosters/staff/anna/anna.txt"}
    assert {mode for _, mode, _ in first.values()} == {0o644}
    for days in (1, 30, 200):
        played.up(SECTIONS, NOW + timedelta(days=days))
        assert texts(here) == first
    played.up(SECTIONS, NOW + timedelta(days=250))
    renewed = texts(here)
    assert all(renewed[name][0] != first[name][0] for name in first)
    without: dict[str, Any] = SECTIONS | {"clients": {"bob": SECTIONS["clients"]["bob"]}, "hosts": {}}
    played.up(without, NOW + timedelta(days=250))
    assert set(texts(here)) == {"out/test/rosters/staff/anna/anna.txt"}


def test_a_text_says_what_stands_in_the_certificate_beside_it(here: Path) -> None:
    """Its end and its fingerprint, as another library reads them."""
    PlayedStack().up(SECTIONS, NOW)
    folder = here / "out/test/clients/alice"
    text = (folder / "alice.txt").read_text("utf-8")
    certificate = x509.load_pem_x509_certificate((folder / "alice.cert.pem").read_bytes())
    assert f"valid until    {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} (UTC)" in text
    assert certificate.fingerprint(SHA256()).hex(":").upper() in "".join(text.split())


def test_a_text_holds_no_secret(here: Path) -> None:
    """Neither the key nor the passphrase of its archive, nor any line of what lies beside it but the name."""
    PlayedStack().up(SECTIONS, NOW)
    folder = here / "out/test/clients/alice"
    text = (folder / "alice.txt").read_text("utf-8")
    assert "mail through\n  mx1.example.org:25\n" in text
    for path in folder.glob("*.pem"):
        lines = [line for line in path.read_text().splitlines() if not line.startswith("-----")]
        assert lines
        assert not [line for line in lines if line in text]


def test_a_stack_that_exists_gets_texts_or_leaves_them_out(here: Path) -> None:
    """Whoever has turned them off keeps the files of before; turning them off later removes ours."""
    played = PlayedStack()
    off = SECTIONS | {"out": {"mail_texts": False}}
    played.up(off, NOW)
    assert texts(here) == {}
    played.up(SECTIONS, NOW)
    assert len(texts(here)) == 2
    (here / "out/test/clients/alice/notes.txt").write_text("not ours")
    played.up(off, NOW)
    assert set(texts(here)) == {"out/test/clients/alice/notes.txt"}
