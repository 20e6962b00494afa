"""Which Debian packages the tests still need."""

import pytest

from toolchain.debian import PROGRAMS, missing_packages


def test_a_bare_machine_misses_everything() -> None:
    """All packages are named, in the order of the table."""
    assert missing_packages(lambda _: False) == list(PROGRAMS)


@pytest.mark.parametrize("proof", ["chromium", "google-chrome"])
def test_a_program_of_another_name_is_as_good(proof: str) -> None:
    """A Chrome that the user has spares the package chromium."""
    missing = missing_packages(lambda name: name == proof)
    assert missing == ["postfix", "postfix-lmdb", "openssl", "swaks"]


def test_a_complete_machine_misses_nothing() -> None:
    """Nothing is installed where everything is there."""
    assert missing_packages(lambda _: True) == []
