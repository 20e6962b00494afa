"""The passphrase of the file backend is made once, for its owner's eyes, and never replaced."""

import stat
from pathlib import Path

import pytest

from toolchain.environment import engine_environment
from toolchain.errors import ToolchainError
from toolchain.layout import locate
from toolchain.state import ensure_named, ensure_passphrase


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


@pytest.mark.parametrize(
    ("changes", "made"),
    [
        ({}, ["passphrase"]),
        ({"PULUMI_CONFIG_PASSPHRASE": "correct horse"}, []),
        ({"PULUMI_CONFIG_PASSPHRASE_FILE": "/elsewhere"}, []),
        ({"PULUMI_CONFIG_PASSPHRASE": "x", "PULUMI_BACKEND_URL": "https://pulumi.example.org"}, None),
    ],
    ids=["a fresh clone", "a passphrase in the environment", "a passphrase elsewhere", "another backend"],
)
def test_what_the_environment_names_is_there(tmp_path: Path, changes: dict[str, str], made: list[str] | None) -> None:
    """`pulumi stack init` works right after `eval`; what the user keeps elsewhere is not made here."""
    base = {"HOME": str(tmp_path), "POSTSEAL_STATE_DIR": str(tmp_path / "state")} | changes
    ensure_named(locate(tmp_path, base), engine_environment(tmp_path, base))
    state = tmp_path / "state"
    assert (sorted(path.name for path in state.iterdir()) if state.exists() else None) == made
