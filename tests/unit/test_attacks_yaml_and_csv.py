"""Files of clients that attack their reader: bombs, deep nesting, wide tables, and texts that are no roster at all."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from pki.roster.reading import parse_csv, parse_yaml
from postseal_core.errors import ConfigError

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
REFUSED_YAML = {
    "aliases": "a: &one {email: a@example.org}\nb: *one\n",
    "an anchor alone": "a: &one {email: a@example.org}\n",
    "a billion laughs": BOMB,
    "a loop": "a: &loop {email: *loop}\n",
    "a merge key": "a: {<<: {email: a@example.org}}\n",
    "a tag": "a: {email: !!str a@example.org}\n",
    "a python tag": "a: {email: !!python/object/apply:os.system [id]}\n",
    "a tag of our own": "a: !secret {email: a@example.org}\n",
    "two documents": "a: {}\n---\nb: {}\n",
    "a directive": "%TAG ! tag:example.org,2026:\n---\na: {email: !x y}\n",
}


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Fail what takes longer than anybody waits for; time of this process counts, since other processes may be busy."""

    def late(*_: object) -> None:
        raise AssertionError(f"took longer than {seconds} s")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def said(read: Callable[[str], object], text: str) -> str:
    """Return everything that a reader says of a text, which it must refuse at once."""
    with within(20), pytest.raises(ConfigError) as caught:
        read(text)
    return str(caught.value)


@pytest.mark.parametrize("text", REFUSED_YAML.values(), ids=REFUSED_YAML.keys())
def test_a_roster_in_yaml_is_plain(text: str) -> None:
    """Mappings, lists and values; what YAML can do beyond that is refused with its line."""
    assert said(parse_yaml, text).startswith("line ")


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "a: [", "[{a: "], ids=repr)
def test_nesting_is_refused_where_it_is_too_deep_and_never_crashes(opening: str) -> None:
    """200,000 brackets ended the process with SIGSEGV, so another process reads them."""
    command = [sys.executable, "-c", _READ_DEEP, opening]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout[:5]) == (0, "line "), done.stderr[-500:]


_READ_DEEP = """
import sys
from pki.roster.reading import parse_yaml
from postseal_core.errors import ConfigError
try:
    parse_yaml(sys.argv[1] * 200_000)
except ConfigError as error:
    print(error)
"""
WORDS = "correct horse battery staple"
UNKNOWN = {
    "a passphrase": WORDS,
    "a passphrase of one word": "Tr0ub4dor-hunter2",
    "letters only": "hunter-sesame",
    "a passphrase and a line": f"{WORDS}\n",
    "cells": "hunter2,sesame\nhunter2,sesame\n",
    "a password file": "root:hunter2:0:0:root:/root:/bin/sh\nhunter2:x:1:1\n",
    "an environment file": "PASSWORD=hunter2\nTOKEN=sesame\n",
    "yaml of another program": "password: hunter2\ntoken: sesame\n",
    "a list of another program": "- hunter2: sesame\n- sesame: hunter2\n",
    "a list with names": "- name: hunter2 sesame\n  sesame: hunter2\n",
    "names with blanks": "hunter2 is my passphrase: {}\n",
    "names twice": "hunter2: {}\nhunter2: {}\n",
    "names twice that are none": "hunter2 sesame: {}\nhunter2 sesame: {}\n",
    "an alias": "a: *hunter2\n",
    "an anchor": "a: &hunter2 {}\nb: &hunter2 {}\n",
    "a tag": "a: !hunter2 {}\n",
    "a handle": "a: !hunter2!sesame {}\n",
    "a directive": "%hunter2 sesame\n---\na\n",
    "an escape": 'a: "hunter2 \\sesame"\n',
    "an octal number": "a: {validity_hours: 0123456777}\n",
    "json": '{"version": 3, "hunter2": {"sesame": "hunter2"}}',
    "json with an error": '{"hunter2": "sesame", "hunter2" "sesame"}',
    "quotes": '"hunter2\nsesame',
    "tabs": "hunter2\tsesame\n\thunter2: sesame\n",
    "a control character": "hunter2: \x01 sesame\n",
    "colons": "hunter2: sesame: hunter2\n",
    "deep": f"hunter2: {{sesame: {'[' * 40}x{']' * 40}}}\n",
}
NEEDLES = ("hunter", "sesame", "battery", "Tr0ub4dor", "0123456", WORDS)


@pytest.mark.parametrize("text", UNKNOWN.values(), ids=UNKNOWN.keys())
@pytest.mark.parametrize("read", [parse_csv, parse_yaml], ids=["csv", "yaml"])
def test_nothing_of_a_file_that_is_no_roster_is_shown(read: Callable[[str], object], text: str) -> None:
    """The path may lead to a file that nobody meant, such as that of the state's passphrase."""
    message = said(read, text)
    assert [needle for needle in NEEDLES if needle in message] == []
    assert len(message) < 2000


def test_columns_and_keys_of_a_roster_are_still_named() -> None:
    """Where the rest is one: a reader has to find them."""
    assert "unknown column 'E-Mail'" in said(parse_csv, "name,E-Mail,dns_names\n")
    assert "column 2 is unknown" in said(parse_csv, "name,hunter2 sesame,email\n")
    assert "line 1.mail: unknown key" in said(parse_yaml, "a: {mail: x, organization: Example}\n")


@pytest.mark.parametrize(
    "text",
    [
        "name," + "," * 1_000_000 + "\n",
        "name," + ",".join(f"c{number}" for number in range(200_000)) + "\n",
        "name,email\n" + '"' + "x" * 200_000 + '",y\n',
        "name\n" + "x\n" * 300_000,
        "name,email\n" + "a,b,c\n" * 100_000,
    ],
    ids=["empty columns", "columns", "a long cell", "rows", "long rows"],
)
def test_a_table_is_refused_in_a_few_lines_however_large_it_is(text: str) -> None:
    """In columns, rows, and in what is said of them."""
    assert len(said(parse_csv, text)) < 20_000


def test_a_roster_has_a_largest_size() -> None:
    """Whatever is in it."""
    text = "#" * (17 * 1024 * 1024)
    assert "larger than" in said(parse_yaml, text)
    assert "larger than" in said(parse_csv, text)


def test_halves_of_characters_are_refused_in_both_forms() -> None:
    """As a program may pass them."""
    assert "half of a character" in said(parse_csv, "name,organization\na,\ud800\n")
    assert "half of a character" in said(parse_yaml, "a: {organization: \ud800}\n")
