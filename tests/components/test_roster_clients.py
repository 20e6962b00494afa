"""What a roster says of one client, and how its clients' files are handed out."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pulumi
import pytest

import pki
from pki.certificate.handover import Handover
from pki.components.roster_client import PackedOutputs, RosterClient, roster_client
from pki.fields import ArchiveWord, DeclaredCertificate
from pki.generations import Cause
from pki.model import SlotId, Validity
from pki.records import Identity, IssuedCertificate
from pki.roster.records import ArchiveRow, IssuedRow, KeyRow
from postseal_core.errors import ConfigError
from postseal_core.packing import pack_lines, record_line
from postseal_core.records import encode
from postseal_core.values import UNKNOWN, Maybe
from tests.support.mocks import run_program

NOW, LATER = datetime(2026, 6, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC)
UNREADABLE = '{"name":"bob","generation":"none that anybody could read"}'


def authority() -> pki.CertificateAuthority:
    """Return the root that signs."""
    return pki.CertificateAuthority("mail-ca", common_name="CA", crl_urls=["http://example.org/ca.crl"])


def issued_row(certificate_pem: Maybe[str] = "certificate of alice", fingerprint: Maybe[str] = UNKNOWN) -> IssuedRow:
    """Return what is issued for alice; in a preview her certificate may be unknown, still to be signed."""
    issued = IssuedCertificate(
        subject="CN=alice@example.org",
        issuer="mail-ca generation 1",
        issuer_slot=SlotId("mail-ca"),
        generation=2,
        key_generation=2,
        validity=Validity(NOW, LATER),
        renew_at=datetime(2027, 2, 1, tzinfo=UTC),
        cause=Cause.FIRST,
        reason="",
        identity=Identity(fingerprint_sha256=fingerprint),
        certificate_pem=certificate_pem,
    )
    return IssuedRow(name="alice", issued=issued)


def packed(*rows: object, beside: str = UNREADABLE) -> pulumi.Output[str]:
    """Return rows as a roster packs them, with another line that is none of them."""
    return pulumi.Output.from_input(pack_lines([beside, *map(record_line, rows)]))


def seen(
    issued: IssuedRow, keys: KeyRow | None, archive: ArchiveRow | None = None, word: ArchiveWord = ArchiveWord.UNSAID
) -> dict[str, Any]:
    """Return every output of alice that is known."""
    found: dict[str, Any] = {}

    def program() -> None:
        outputs = PackedOutputs(
            issued=packed(issued),
            intermediates_pem=pulumi.Output.from_input(" and intermediates"),
            private_keys=packed(*([keys] if keys else [])),
            archives=packed(*([archive] if archive else [])),
        )
        declared = DeclaredCertificate(email="alice@example.org", pkcs12=word)
        client = roster_client("alice", declared, authority(), outputs)
        for name in RosterClient.__dataclass_fields__:
            output = getattr(client, name)
            if isinstance(output, pulumi.Output):
                keep(name, output)

    def keep(name: str, output: pulumi.Output[Any]) -> None:
        output.apply(lambda value: found.__setitem__(name, value))

    run_program(program, preview=True)
    return found


KEYS = KeyRow(name="alice", private_key_pem="key of alice", passphrase="passphrase of alice")
ARCHIVE = ArchiveRow(
    name="alice", pkcs12=ArchiveWord.MODERN, fingerprint_sha256="AB", issuer="CD", archive_p12_base64="archive of alice"
)


def test_everything_that_was_issued_for_a_client_is_there() -> None:
    """Only her own lines are read: what stands in that of another client does not matter."""
    found = seen(issued_row(fingerprint="AB:CD"), KEYS, ARCHIVE, ArchiveWord.MODERN)
    handover = found.pop("handover")
    assert found == {
        "certificate_pem": "certificate of alice",
        "chain_pem": "certificate of alice and intermediates",
        "private_key_pem": "key of alice",
        "fingerprint_sha256": "AB:CD",
        "generation": 2,
        "not_after": "2027-06-01T00:00:00Z",
        "renew_at": "2027-02-01T00:00:00Z",
        "archive_p12_base64": "archive of alice",
        "passphrase": "passphrase of alice",
    }
    assert '"email": "alice@example.org"' in handover
    assert '"crl_urls": ["http://example.org/ca.crl"]' in handover
    assert handover.count("key of alice") == 1


def test_a_client_without_an_archive_has_none_and_no_passphrase() -> None:
    """Both are empty, also where an archive of former days is still there."""
    found = seen(issued_row(), KEYS, ARCHIVE, ArchiveWord.NONE)
    assert (found["archive_p12_base64"], found["passphrase"]) == ("", "")


def test_what_a_preview_does_not_know_yet_is_unknown() -> None:
    """Generation and end follow from the inputs; what is signed, and all that is made of it, comes later."""
    assert seen(issued_row(UNKNOWN), None, None, ArchiveWord.LEGACY) == {
        "generation": 2,
        "not_after": "2027-06-01T00:00:00Z",
        "renew_at": "2027-02-01T00:00:00Z",
    }


def test_what_is_handed_over_is_the_same_from_a_roster_and_from_a_single_client() -> None:
    """Whoever takes it over need not know where it came from."""
    texts: list[str] = []

    def program() -> None:
        ca = authority()
        single = pki.ClientCertificate("alice", authority=ca, email="alice@example.org")
        single.handover.apply(texts.append)

    run_program(program)
    expected = Handover(
        declared=DeclaredCertificate(
            common_name="alice@example.org", email="alice@example.org", crl_urls=("http://example.org/ca.crl",)
        ),
        generation=1,
        key_generation=1,
        certificate_pem="certificate_pem of alice",
        private_key_pem="private_key_pem of alice",
    )
    (text,) = texts
    from_roster = seen(issued_row(), KEYS)["handover"]
    assert plain_of(text) == encode(expected)
    assert plain_of(from_roster).keys() == plain_of(text).keys()


def plain_of(text: str) -> dict[str, Any]:
    """Return the plain values of a hand-over's text."""
    plain: dict[str, Any] = json.loads(text)
    return plain


def hand_out(*, has_roots: bool = False, below: str = "") -> Callable[[], None]:
    """Return a program that hands out two clients of a roster, one of them with an archive."""

    def program() -> None:
        ca = authority()
        clients = {"alice": {"email": "a@example.org"}, "ca": {"email": "b@example.org", "pkcs12": "none"}}
        staff = pki.ClientRoster("staff", authority=ca, clients=clients, pkcs12="legacy")
        pki.HandOut(
            "staff-hand-out",
            directory="out/rosters/staff",
            authorities=[ca] if has_roots else [],
            clients_below=below,
            clients=[staff.client("alice"), staff.client("ca")],
            opts=pulumi.ResourceOptions(parent=staff),
        )

    return program


def test_clients_of_a_roster_are_handed_out_as_single_ones_are() -> None:
    """Each folder has the same files; the line says which archive is in it."""
    program = run_program(hand_out(), preview=True)
    properties = program.one("HandOut").properties
    assert {name: sorted(files) for name, files in properties["folders"].items()} == {
        "alice": ["alice.cert.pem", "alice.key.pem", "alice.p12", "alice.txt", "ca.pem"],
        "ca": ["ca.cert.pem", "ca.key.pem", "ca.pem"],
    }
    assert program.tree()["HandOut staff-hand-out"] == "ClientRoster staff"
    assert properties["folders"]["alice"]["alice.p12"]["is_secret"] is True


def test_a_folder_of_the_hand_out_itself_is_not_given_to_a_client() -> None:
    """The roots stand in `ca`; a client of that name needs another folder to stand in."""
    with pytest.raises(ConfigError) as caught:
        run_program(hand_out(has_roots=True))
    assert [str(problem) for problem in caught.value.problems] == [
        "hand_out.staff-hand-out.clients: ca is the folder of something else here; put the clients below another one"
    ]
    folders = run_program(hand_out(has_roots=True, below="people"), preview=True).one("HandOut").properties
    assert folders["folders"].keys() == {"ca", "people/alice", "people/ca"}
