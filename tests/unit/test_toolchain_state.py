"""The passphrase of the file backend is made once, for its owner's eyes, and never replaced."""

import stat
from pathlib import Path

import pytest

from toolchain.errors import ToolchainError
from toolchain.state import ensure_passphrase


def test_a_first_use_makes_a_passphrase_that_only_its_owner_can_read(tmp_path: Path) -> None:
    """Directory 0700, file 0600, and nothing else is left there."""
    ensure_passphrase(tmp_path / "new" / "state")
    state = tmp_path / "new" / "state"
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert [path.name for path in state.iterdir()] == ["passphrase"]
    assert stat.S_IMODE((state / "passphrase").stat().st_mode) == 0o600


def test_a_later_use_leaves_the_passphrase_alone(tmp_path: Path) -> None:
    """State that was written with it must stay readable."""
    ensure_passphrase(tmp_path)
    first = (tmp_path / "passphrase").read_text()
    ensure_passphrase(tmp_path)
    assert (tmp_path / "passphrase").read_text() == first


def test_two_states_have_different_passphrases_of_full_strength(tmp_path: Path) -> None:
    """A passphrase is 32 random bytes, 43 characters of base64."""
    for name in ("a", "b"):
        ensure_passphrase(tmp_path / name)
    passphrases = {(tmp_path / name / "passphrase").read_text().strip() for name in ("a", "b")}
    assert len(passphrases) == 2
    assert {len(passphrase) for passphrase in passphrases} == {43}


def test_stacks_without_their_passphrase_are_not_given_a_new_one(tmp_path: Path) -> None:
    """A new passphrase could not open the secrets of these stacks; the user must find the old one."""
    stacks = tmp_path / ".pulumi/stacks/mail-pki"
    stacks.mkdir(parents=True)
    (stacks / "dev.json").write_text("{}")
    with pytest.raises(ToolchainError, match="Put the file back"):
        ensure_passphrase(tmp_path)
    assert not (tmp_path / "passphrase").exists()
