"""What is known of a host before anything is touched: whose certificates it serves, and which rows it has."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from pki.acceptance import AcceptedRow
from pki.fingerprint import certificate_fingerprint_sha256
from pki.keys import private_key_pem
from pki.model import KeyAlgorithm
from postfix.host import ClientSide, HostDeclaration, Ownership, ServerSide
from postfix.host_resource.access import ServiceAccess
from postfix.host_resource.preparation import (
    expectation_of,
    host_files,
    known_rows,
    paths_of,
    prepare,
    taken_over_in,
)
from postfix.host_resource.records import ChainArgs, HostArgs
from postfix.rendering import render_parameters
from postfix.settings import ClientSettings, ServerSettings, Transport
from postfix.target import Directory, Local, Target
from postseal_core.values import UNKNOWN, Maybe
from tests.support.specimens import VALIDITY, issue_leaf, key_of, make_authority

NOW = VALIDITY.not_before + timedelta(hours=1)
MX1 = HostDeclaration("mx1", "mx1.example.org", server=ServerSide(ServerSettings(), ("mx1",)))
TABLE = "relay_clientcerts"
ALICE, BOB = ":".join(["AA"] * 32), ":".join(["BB"] * 32)


def access(*prints: Maybe[str], has_unknown_roster: bool = False) -> dict[str, ServiceAccess]:
    """Return who may relay through the server: clients by their fingerprints alone."""
    rows = tuple(AcceptedRow(client=f"c{number}", fingerprint_sha256=each) for number, each in enumerate(prints))
    return {"smtp": ServiceAccess({}, tuple((row, "") for row in rows), rows, has_unknown_roster)}


def host_with(*chain: str) -> HostArgs:
    """Return a host that serves a chain."""
    key = private_key_pem(key_of(KeyAlgorithm.ECDSA_P256))
    chains = {"mx1": ChainArgs(description="mx1", private_key_pem=key, chain_pem="".join(chain) or UNKNOWN)}
    root = make_authority().certificate.public_bytes(Encoding.PEM).decode()
    return HostArgs(declaration=MX1, target=Directory("out").record, chains=chains, roots={"mail-ca": root})


def test_what_a_server_serves_is_the_first_certificate_of_its_chain() -> None:
    """Not that of the authority behind it; of a chain that a preview does not know yet it is nothing."""
    above = make_authority(make_authority())
    leaf = issue_leaf(above)
    pem = [each.public_bytes(Encoding.PEM).decode() for each in (leaf, above.certificate)]
    assert prepare(host_with(*pem), access(), now=NOW).served == (certificate_fingerprint_sha256(leaf),)
    assert prepare(host_with(), access(), now=NOW).served == ()


@pytest.mark.parametrize(
    ("prints", "has_unknown_roster", "rows", "lists_any"),
    [
        ((), False, "", False),
        ((ALICE, BOB), False, f"{ALICE} client\n{BOB} client\n", True),
        ((ALICE, UNKNOWN), False, f"{ALICE} client\n", True),
        ((ALICE, BOB, UNKNOWN), False, f"{ALICE} client\n{BOB} client\n", True),
        ((ALICE,), True, None, True),
        ((), True, None, True),
    ],
)
def test_the_rows_that_are_known_are_told_apart_from_those_that_are_not(
    prints: tuple[Maybe[str], ...], *, has_unknown_roster: bool, rows: str | None, lists_any: bool
) -> None:
    """Of a table with a roster that a preview does not know, nothing is said; of other rows all that are known."""
    found = prepare(host_with(), access(*prints, has_unknown_roster=has_unknown_roster), now=NOW)
    known = known_rows(found).get(TABLE)
    assert (known is None) is (rows is None)
    assert [line.split()[0] for line in (known or b"").decode().splitlines() if not line.startswith("#")] == [
        line.split()[0] for line in (rows or "").splitlines()
    ]
    assert expectation_of(found).client_tables == {TABLE: lists_any}
    assert found.unknown_tables == ({TABLE} if has_unknown_roster else frozenset())


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (Directory("out").record, ()),
        (Directory("out", take_over=(TABLE,)).record, (TABLE, f"{TABLE}.lmdb")),
        (Directory("out", take_over=("main.cf",)).record, ("main.cf",)),
        (Local().record, ()),
        (
            Local(ownership=Ownership.WHOLE, take_over=(TABLE,)).record,
            (TABLE, "main.cf", "master.cf", f"{TABLE}.lmdb"),
        ),
    ],
)
def test_a_table_that_is_taken_over_takes_its_index_along(target: Target, expected: tuple[str, ...]) -> None:
    """And no other's. On a host that is owned whole both files are taken over; of a directory nobody has to say it."""
    host = replace(host_with(), declaration=replace(MX1, table_type="lmdb"), target=target)
    assert taken_over_in(target, prepare(host, access(), now=NOW)) == expected


@pytest.mark.parametrize("place", ["/etc/postfix", "/etc/postfix/", "/x/postfix-x"])
def test_what_is_prepared_is_deployed_with_its_copies_and_what_it_may_replace(place: str) -> None:
    """Copies for the chroot lie below the queue, under the whole path of the configuration; they are no files of it."""
    trusting = replace(MX1, server=ServerSide(ServerSettings(ca_path=True), ("mx1",)))
    args = replace(host_with(), declaration=trusting, target=Directory("out", config_directory=place).record)
    known = prepare(args, access(), now=NOW)
    files = host_files(known, ("main.cf",))
    below = place.strip("/")
    roots = [entry.path for entry in known.entries if entry.path.startswith("ca/")]
    assert roots
    assert [entry.path for entry in files.chroot] == [f"{below}/{path}" for path in roots]
    assert files.take_over == ("main.cf",)
    assert (files.parameters, files.services) == ({}, ())
    transports = ClientSide(ClientSettings(transports=(Transport("slow", ("example.net",)),)))
    merging = replace(trusting, ownership=Ownership.MERGE, client=transports)
    merged = host_files(replace(known, host=merging))
    assert merged.parameters == render_parameters(merging)
    assert [each.name for each in merged.services] == ["slow"]
    assert {path for path in paths_of(known, args.target) if path.startswith(below)} == set()

    unknown = prepare(replace(args, roots={"mail-ca": UNKNOWN}), access(), now=NOW)
    assert {"ca/", f"{below}/ca/"} <= {*unknown.pending}
    told = paths_of(unknown, args.target)
    assert "ca/" in told
    assert [path for path in told if path.startswith(below)] == []
