"""Ways to a host as they are declared: what is one, what is none, and what two of them have in common."""

from base64 import b64encode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.ssh_access import (
    SshAccess,
    Sudo,
    complaint_of_host_key,
    fingerprint_of,
    plain_host_key,
    problems_of_ssh,
)
from postfix.target import Local, Ssh, is_same_host
from tests.support.test_authority import ThrowAwayAuthority

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpSaA4mPS6pd7nzktvzYmZHvxfrKtaNmW5JcvoqSqRH"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC6bD0cm1Qb5dS2lTQCw0TtMLdlKRQy5aEVw0qs4Wcrb"
GOOD = SshAccess(host="mx1.example.org", user="postseal", host_keys=(KEY,))


def test_two_keys_in_one_are_no_key() -> None:
    """Each stands in an entry of its own: behind the first nobody would see the second."""
    assert complaint_of_host_key(f"{KEY}\n{OTHER}") is not None


def test_a_usual_way_has_no_problem() -> None:
    """The control of the table below."""
    assert list(problems_of_ssh(GOOD)) == []
    assert list(problems_of_ssh(replace(GOOD, host="2001:db8::1", user="root", sudo=Sudo.NONE))) == []


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("host", "", "host"),
        ("host", "-oProxyCommand=id", "host"),
        ("host", "mx1 example", "host"),
        ("host", "mx1;id", "host"),
        ("host", "mx1\nHost x", "host"),
        ("user", "", "user"),
        ("user", "-l", "user"),
        ("user", "a b", "user"),
        ("user", "a\n", "user"),
        ("port", 0, "port"),
        ("port", 65536, "port"),
        ("host_keys", (), "host_key"),
        ("host_keys", ("ssh-ed25519",), "host_key"),
        ("host_keys", ("AAAA",), "host_key"),
        ("host_keys", (KEY[:-8],), "host_key"),
        ("host_keys", (f"ssh-ed25519 {b64encode(bytes([0, 0, 0, 11]) + bytes([0xFF] * 60)).decode()}",), "host_key"),
        ("host_keys", ("ssh-rsa " + KEY.split()[1],), "host_key"),
        ("host_keys", (KEY, "x"), "host_key[1]"),
        ("connect_seconds", 0, "connect_seconds"),
        ("connect_seconds", 3601, "connect_seconds"),
        ("wait_seconds", -1, "wait_seconds"),
        ("identity_file", "-F", "identity_file"),
        ("config_file", "a\nb", "config_file"),
        ("program", "postseal-host", "program"),
        ("program", "/usr/bin/id; id", "program"),
        ("program", "/usr/local/../../tmp/x", "program"),
        ("sudo", Sudo.NONE, "sudo"),
    ],
)
def test_what_is_no_way_to_a_host_is_told_by_its_field(field: str, value: object, path: str) -> None:
    """Nothing reaches a command line that could be an option, a second command or a second line."""
    assert [each.path for each in problems_of_ssh(replace(GOOD, **{field: value}))] == [path]  # type: ignore[arg-type]


@pytest.mark.parametrize("field", ["host_keys", "identity_file", "config_file", "host", "user", "program"])
def test_a_private_key_in_the_wrong_place_is_not_quoted(field: str) -> None:
    """It is pasted there sooner than anybody thinks, and messages are kept."""
    pem = ThrowAwayAuthority().issue_client("alice").private_key_pem
    value = tuple(pem.splitlines()) if field == "host_keys" else pem
    told = " ".join(each.message for each in problems_of_ssh(replace(GOOD, **{field: value})))  # type: ignore[arg-type]
    assert told
    assert not any(line in told for line in pem.splitlines())


@given(st.text(max_size=80))
def test_no_text_but_a_key_is_a_host_key(text: str) -> None:
    """A line is a key of a known type whose name stands in it, or it is none."""
    assert complaint_of_host_key(text) is not None


@given(st.binary(min_size=32, max_size=32))
def test_every_ed25519_key_is_one(key: bytes) -> None:
    """With any comment behind it."""
    blob = b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20" + key
    line = f"ssh-ed25519 {b64encode(blob).decode()}"
    assert complaint_of_host_key(f"{line} root@mx1") is None
    assert plain_host_key(f"  {line} root@mx1\n") == line


def test_a_fingerprint_is_that_of_ssh_keygen() -> None:
    """As it was printed by `ssh-keygen -lf`."""
    assert fingerprint_of(KEY) == "SHA256:1QHu0j7SwMpbtlBPTQs7KxGF87BPrm2bL62cdGuJiME"


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (Ssh("mx1", host_key=KEY), Ssh("MX1", host_key=OTHER), True),
        (Ssh("mx1", host_key=KEY), Ssh("192.0.2.1", host_key=f"{OTHER}\n{KEY} comment"), True),
        (Ssh("mx1", host_key=KEY), Ssh("mx2", host_key=OTHER), False),
        (Ssh("mx1", host_key=KEY, port=22), Ssh("mx1", host_key=OTHER, port=2222), False),
        (Ssh("mx1", host_key=KEY), Local(), False),
        (Local(), Local(), True),
    ],
)
def test_whoever_has_the_name_or_the_key_of_a_host_is_that_host(one: Ssh, other: Ssh, *, is_same: bool) -> None:
    """A host that gets another name is not cleared of what was just deployed to it."""
    assert is_same_host(one.record, other.record) is is_same
    assert is_same_host(other.record, one.record) is is_same


@pytest.mark.parametrize(("user", "sudo"), [("root", Sudo.NONE), ("postseal", Sudo.PROGRAM)])
def test_sudo_follows_from_the_user_unless_it_is_said(user: str, sudo: Sudo) -> None:
    """Root needs none."""
    assert Ssh("mx1", host_key=KEY, user=user).access.sudo is sudo
    assert Ssh("mx1", host_key=KEY, user=user, sudo=Sudo.SHELL).access.sudo is Sudo.SHELL
