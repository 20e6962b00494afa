"""The types of what a program may say of a certificate."""

from typing import is_typeddict

import pytest

from pki import arguments

FIELDS = {name: kind for name, kind in vars(arguments).items() if is_typeddict(kind)}


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_a_type_checker_asks_for_no_field(name: str) -> None:
    """Each may be left out; what a profile needs is said by name when the program runs."""
    assert FIELDS[name].__optional_keys__
    assert FIELDS[name].__required_keys__ == frozenset()
