"""A stack file is read as the engine reads it, and nothing of it is quoted."""

from itertools import pairwise
from typing import Any

import pytest

from postseal.review.stack_yaml import Secure, read_stack_text
from postseal_core.errors import ConfigError


def value(word: str) -> Any:
    """Return what a word in a stack file means."""
    return read_stack_text(f"config:\n  p:k:\n    w: {word}\n", "--to").values["p:k"]["w"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("yes", "yes"), ("off", "off"), ("12:30:45", "12:30:45"), ("=", "="),
        ("true", True), ("FALSE", False), ("tRUE", "tRUE"),
        ("010", 8), ("0o10", 8), ("08", 8), ("0x1f", 31), ("0b11", 3), ("1_000", 1000), ("-7", -7), ("0", 0),
        ("1e3", 1000), ("1.50", 1.5), ("1.0", 1), (".5", 0.5),
        ("2027-01-01", "2027-01-01 00:00:00 +0000 UTC"), ("'2027-01-01'", "2027-01-01"),
        ("2027-13-41", "2027-13-41"), ("90d", "90d"), ("~", None),
    ],
)  # fmt: skip
def test_words_mean_what_the_engine_takes_them_for(word: str, meant: object) -> None:
    """Most of these PyYAML takes otherwise; `pulumi config --json` says the same in an integration test."""
    assert value(word) == meant
    assert type(value(word)) is type(meant)


def test_an_encrypted_value_is_known_by_its_ciphertext_alone() -> None:
    """The same ciphertext is the same value; another one may be."""
    one, other = value("{ secure: v1:AAAA }"), value("{ secure: v1:BBBB }")
    assert isinstance(one, Secure)
    assert one == value("{ secure: v1:AAAA }")
    assert one != other
    assert "AAAA" not in repr(one)


def test_the_word_config_in_a_key_is_left_out() -> None:
    """The engine takes `mail-pki:config:out` for `mail-pki:out`."""
    assert read_stack_text("config: { 'p:config:out': x }", "--to").values == {"p:out": "x"}


_ALIASES = (f"  p:{name}: &{name} [{', '.join([f'*{before}'] * 12)}]\n" for before, name in pairwise("abcdefgh"))
GROWING = f"config:\n  p:a: &a [hush]\n{''.join(_ALIASES)}"
"""Less than a kilobyte, of which each line is twelve times the one before."""

_MERGES = (
    f"  p:{name}: &{name} {{<<: [{', '.join([f'*{before}'] * 12)}]}}\n" for before, name in pairwise("abcdefghi")
)
MERGING = f"config:\n  p:a: &a {{hush: 1}}\n{''.join(_MERGES)}"
"""The same by `<<`, which is put together while the file is read."""

NO_STACK_FILES = (
    "hush: {",
    "- hush\n",
    "config: [hush]",
    "a: !!python/object:os.system {hush: 1}",
    "x: &hush [*hush]\nconfig: *hush",
    "hush",
    GROWING,
    MERGING,
    "config: {p:a: {? [hush] : 1}}",
    "config: {p:a: {1: hush, true: 1, 01: 2}}",
    "config: {p:hush: !!binary aGVsbG8=}",
    "config: {p:hush: !!set {a, b}}",
    f"config: {{p:hush: {'[' * 200_000}{']' * 200_000}}}",
    f"config:\n  p:hush:\n    {'- ' * 200_000}a\n",
    "config: {p:hush: 1, p:hush: 2}",
    "config: {p:a: {hush: 1, hush: 2}}",
    "config: {p:a: {8: hush, 010: hush}}",
    "config: {p:hush: 1}\nconfig: {p:hush: 2}",
    "config: {p:hush: 1, 'p:config:hush': 2}",
    "config: {'p:config:hush': 2, p:hush: 1}",
)


@pytest.mark.parametrize("text", NO_STACK_FILES)
def test_what_is_no_stack_file_is_refused_without_being_quoted(text: str) -> None:
    """It may be any file of a pull request, one that grows without end among them."""
    with pytest.raises(ConfigError) as refused:
        read_stack_text(text, "--to")
    assert str(refused.value).startswith("--to: ")
    assert "hush" not in str(refused.value)


def test_an_empty_file_declares_nothing() -> None:
    """The program says then what is missing."""
    assert read_stack_text("", "--to").values == {}


def test_a_key_that_is_merged_in_may_stand_there_already() -> None:
    """Only one that is written twice is refused: the engine takes the one of its own."""
    text = "config:\n  p:a: &a {x: 1, y: 2}\n  p:b: {<<: *a, y: 3}\n  p:c: {y: 4, <<: [*a, *a]}\n"
    assert read_stack_text(text, "--to").values == {
        "p:a": {"x": 1, "y": 2},
        "p:b": {"x": 1, "y": 3},
        "p:c": {"x": 1, "y": 4},
    }


def test_a_key_that_is_no_text_has_the_name_that_the_engine_gives_it() -> None:
    """A client called `true`, say."""
    assert read_stack_text("config: {p:a: {true: 1, 7: 2}}", "--to").values == {"p:a": {"true": 1, "7": 2}}


def test_a_key_that_stands_twice_is_told_with_its_line() -> None:
    """The engine refuses the file; whoever looks at only one of both would not see the other."""
    with pytest.raises(ConfigError, match="line 3: a key that stands above already"):
        read_stack_text("config:\n  p:hosts: {}\n  p:hosts: {}\n", "--to")
