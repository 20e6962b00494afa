"""Secrets in the stack file: referred to by name, checked without being shown, and never repeated by a message."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal.stack.config import load_stack
from postseal_core.errors import ConfigError
from tests.support.stack_files import client, problems_of, stack
from tests.support.test_authority import ThrowAwayAuthority

LEAF = ThrowAwayAuthority().issue_client("alice")
WITH_SECRET = client(pkcs12={"passphrase_secret": "alice-passphrase"})
GOOD = "correct horse battery"
SET_IT = "set it with: pulumi config set --secret alice-passphrase"


def test_a_secret_that_is_there_and_secret_is_accepted() -> None:
    """The reference stays a name; the value is nowhere in the model."""
    config = load_stack(WITH_SECRET | {"alice-passphrase": GOOD}, {"alice-passphrase"}, stack_name="dev")
    assert GOOD not in repr(config)


@pytest.mark.parametrize(
    ("others", "secret_keys", "path", "words"),
    [
        ({}, [], "clients.alice.pkcs12.passphrase_secret", ["no key 'alice-passphrase'", SET_IT]),
        (
            {"alice-passphrase": GOOD},
            [],
            "clients.alice.pkcs12.passphrase_secret",
            ["stands in clear", SET_IT, "new value"],
        ),
        (
            {"alice-passphrase": "short"},
            ["alice-passphrase"],
            "clients.alice.pkcs12.passphrase_secret",
            ["fewer than 8", SET_IT],
        ),
    ],
)
def test_a_reference_and_its_secret_belong_together(
    others: dict[str, Any], secret_keys: list[str], path: str, words: list[str]
) -> None:
    """Missing, in clear or too short: each says which command puts it right."""
    problems = problems_of(WITH_SECRET | others, secret_keys)
    assert [problem.path for problem in problems] == [path]
    assert [word for word in words if word not in problems[0].message] == []


@pytest.mark.parametrize(("passphrase", "is_good"), [("once", True), ("1", True), ("", False)])
def test_what_opens_a_key_that_exists_is_as_long_as_it_is(passphrase: str, *, is_good: bool) -> None:
    """Nobody can be told to choose another passphrase for a key that is encrypted already."""
    adopt = {"certificate_pem": "", "private_key_secret": "ca-key", "private_key_passphrase_secret": "ca-word"}
    secrets = {"ca-key": GOOD, "ca-word": passphrase}
    problems = problems_of(stack(authority={"common_name": "CA", "adopt": adopt}) | secrets, [*secrets])
    told = [problem for problem in problems if problem.path.endswith("private_key_passphrase_secret")]
    assert bool(told) is not is_good


def test_a_secret_may_be_set_before_anything_refers_to_it() -> None:
    """The engine sets it, and only then can the line be written; in clear, an unknown key is a mistake."""
    others = {"alice-passphrase": GOOD, "bob-passphrase": GOOD + GOOD}
    assert problems_of(WITH_SECRET | others, ["alice-passphrase", "bob-passphrase"]) == []
    (problem,) = problems_of(WITH_SECRET | others, ["alice-passphrase"])
    assert (problem.path, "unknown key" in problem.message) == ("bob-passphrase", True)


def test_a_section_is_no_secret_to_refer_to() -> None:
    """`passphrase_secret: clients` is a mistake of its own kind."""
    problems = problems_of(client(pkcs12={"passphrase_secret": "clients"}))
    assert [problem.path for problem in problems] == ["clients.alice.pkcs12.passphrase_secret"]
    assert "is a section" in problems[0].message


def test_a_reference_counts_even_where_its_entry_is_wrong() -> None:
    """A mistake beside a reference does not make the secret look unused."""
    raw = client(email=3, pkcs12={"passphrase_secret": "alice-passphrase", "profil": "modern"})
    problems = problems_of(raw | {"alice-passphrase": GOOD}, ["alice-passphrase"])
    assert sorted(problem.path for problem in problems) == ["clients.alice.email", "clients.alice.pkcs12.profil"]


def test_a_section_that_is_secret_as_a_whole_is_refused_unread() -> None:
    """`pulumi config set --secret --path clients.alice...` makes all of `clients` secret: nothing of it is shown."""
    problems = problems_of(client(email=GOOD), ["clients"])
    assert [problem.path for problem in problems] == ["clients"]
    assert "nobody can review it" in problems[0].message


def test_a_passphrase_in_clear_is_not_repeated() -> None:
    """Whoever writes the passphrase itself is told the right key, not the passphrase."""
    problems = problems_of(client(pkcs12={"profile": "modern", "passphrase": "hunter2"}))
    assert [problem.path for problem in problems] == ["clients.alice.pkcs12.passphrase"]
    assert "hunter2" not in str(problems)


@pytest.mark.parametrize(
    ("raw", "path", "words"),
    [
        (client(common_name=LEAF.private_key_pem), "clients.alice.common_name", "private key stands here in clear"),
        (client(common_name=LEAF.certificate_pem), "clients.alice.common_name", "PEM text cannot stand here"),
        (
            stack(hosts={"mx1": {"myhostname": "mx1.example.org", "trust": {"roots_pem": [LEAF.chain_pem]}}}),
            "hosts.mx1.trust.roots_pem[0]",
            "private key",
        ),
        (stack(clients={LEAF.certificate_pem: {}}, hosts=None), "clients", "in the name of a key"),
    ],
)
def test_pem_stands_only_where_it_belongs(raw: dict[str, Any], path: str, words: str) -> None:
    """A private key belongs nowhere in the file, a certificate only in the keys that say so."""
    problems = problems_of(raw)
    assert [problem.path for problem in problems] == [path]
    assert words in problems[0].message
    assert "-----BEGIN" not in str(problems)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = (
    "email dns_names authority match lifetime pkcs12 revoke certificate settings policies myhostname relay trust "
    "target relay_through transports relay_clients validity issuer common_name country key_algorithm name_constraints "
    "relayhost third_party table_type extra_relay_clients adopt zzz"
)
fields = st.sampled_from(FIELDS.split())
entries = st.dictionaries(fields, json_values | st.dictionaries(fields, json_values, max_size=3), max_size=4)
sections = st.dictionaries(
    st.sampled_from(["authority", "authorities", "servers", "clients", "hosts", "lifetime", "out"]),
    entries | st.dictionaries(st.sampled_from(["alice", "mx1", "Bad"]), entries, max_size=3) | json_values,
    max_size=5,
)


@given(raw=sections)
def test_whatever_is_written_is_loaded_or_refused_with_problems(raw: dict[str, Any]) -> None:
    """No input ends in another exception, and each problem has a message on one path."""
    for problem in problems_of(raw):
        assert problem.path
        assert problem.message


@given(raw=sections, secret=st.text(st.characters(codec="utf-8"), min_size=8, max_size=90), data=st.data())
def test_no_message_shows_a_secret_or_pem(raw: dict[str, Any], secret: str, data: st.DataObject) -> None:
    """Wherever a secret's value or PEM text is repeated, as a value, inside one or as a key, it is not shown."""
    # A value that is part of a word of the file's own language would be in messages anyway.
    hidden = f"Q7{secret}"
    spoiled = {name: _with(value, data, hidden) for name, value in raw.items()} | {"kept": hidden}
    try:
        load_stack(spoiled, ["kept"], stack_name="dev")
    except ConfigError as error:
        told = f"{error} {error!r}"
        assert hidden not in told
        assert repr(hidden)[1:-1] not in told
        assert "-----BEGIN" not in told
        assert LEAF.private_key_pem.splitlines()[1] not in told


def _with(value: Any, data: st.DataObject, secret: str) -> Any:
    """Replace some values and keys by the secret or by PEM text."""
    if isinstance(value, dict):
        keys = [data.draw(st.sampled_from([key, key, key, secret])) for key in value]
        return {key: _with(item, data, secret) for key, item in zip(keys, value.values(), strict=True)}
    if isinstance(value, list):
        return [_with(item, data, secret) for item in value]
    forms = [value, value, secret, f"{value}{secret}", LEAF.certificate_pem, LEAF.chain_pem]
    return data.draw(st.sampled_from(forms))
