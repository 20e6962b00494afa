"""The kinds of values that are spoken of are those that some parameter has."""

from postfix.parameters import known_parameters
from postfix.values import LIST_KINDS, NAMING_KINDS


def test_each_kind_is_one_of_the_table() -> None:
    """A misspelt one would be passed over without a word."""
    kinds = {each.kind for each in known_parameters().values()}
    assert LIST_KINDS - kinds == set()
    assert NAMING_KINDS - kinds == set()
