"""The life of a roster in the plugin, spoken to as the engine does."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12
from hypothesis import given
from hypothesis import strategies as st

from pki.certificate.handler import CertificateHandler
from pki.certificate.handover import Handover, handover_text
from pki.fields import DeclaredCertificate
from pki.keys import generate_private_key, load_private_key, private_key_pem
from pki.model import KeyAlgorithm
from pki.records import IssuedGeneration
from pki.roster.handler import ClientRosterHandler
from pki.roster.reading import rows_of_mapping
from pki.roster.rows import rows_text
from postseal_core.packing import pack, unpack
from postseal_core.plugin.lockers import Holder, Lockers
from postseal_core.plugin.material import MaterialStore
from postseal_core.records import decode
from tests.support.examples import examples
from tests.support.provider import UNKNOWN, CheckFailedError, Provider, Resource, Secret, provider
from tests.support.rosters import by_client, unpacked

CERTIFICATE, ROSTER = "postseal:index:Certificate", "postseal:index:ClientRoster"
START = datetime(2026, 1, 1, 10, 30, tzinfo=UTC)
DAY = timedelta(days=1)


@cache
def ca_key() -> str:
    """Return the key of the authority, in PEM."""
    return private_key_pem(generate_private_key(KeyAlgorithm.ECDSA_P256))


@pytest.fixture(scope="module")
def served() -> Iterator[Provider]:
    """Return the running plugin."""
    with provider([ClientRosterHandler(), CertificateHandler()]) as running:
        yield running


@pytest.fixture
def plugin(served: Provider) -> Provider:
    """Return the running plugin with its clock at START."""
    served.set_clock(START)
    return served


@pytest.fixture(scope="module")
def issuer(served: Provider) -> dict[str, Any]:
    """Return what a client needs of a root that exists."""
    served.set_clock(START)
    root = served.resource(CERTIFICATE, "ca")
    root.up({"name": "ca", "profile": "root", "common_name": "Test CA", "private_key_pem": Secret(ca_key())})
    return {
        "issuer": {
            "slot": "ca/1",
            "generation": 1,
            "not_before": root.outputs["not_before"],
            "not_after": root.outputs["not_after"],
            "chain_pem": root.outputs["certificate_pem"],
            "private_key_pem": Secret(ca_key()),
        }
    }


def issuer_but(issuer: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return an issuer with some of its members changed."""
    return {"issuer": {**issuer["issuer"], **changes}}


Clients = dict[str, dict[str, Any]]


def person(name: str, **fields: Any) -> Clients:
    """Return one client with an e-mail address."""
    return {name: {"email": f"{name}@example.org"} | fields}


STAFF = person("alice") | person("bob") | person("carol")


def declared(clients: Clients, issuer: dict[str, Any], **shared: Any) -> dict[str, Any]:
    """Return what a program passes."""
    return {"name": "staff", "clients": rows_text(rows_of_mapping(clients)), **issuer, **shared}


def issued(roster: Resource) -> dict[str, dict[str, Any]]:
    """Return the public records of a roster by client."""
    return by_client(roster.outputs["issued"])


def accepted(outputs: dict[str, Any]) -> dict[str, list[int]]:
    """Return which generations of each client are accepted."""
    generations: dict[str, list[int]] = {}
    for row in unpacked(outputs["accepted_rows"]):
        generations.setdefault(row["client"], []).append(row["generation"])
    return generations


def secrets_of(roster: Resource, output: str = "private_keys") -> dict[str, dict[str, str]]:
    """Return the secret records of a roster by client; the output must be a secret as a whole."""
    wrapped = roster.outputs[output]
    assert isinstance(wrapped, Secret)
    return by_client(wrapped.value)


def test_a_roster_lives_from_preview_to_delete(plugin: Provider, issuer: dict[str, Any]) -> None:
    """Create, no change, one edit, refresh, renewal, retirement, delete: each shows exactly what it changes."""
    roster = plugin.resource(ROSTER, "staff")
    news = declared(STAFF, issuer)
    planned = roster.plan(roster.check(news))
    rows = unpacked(planned["accepted_rows"])
    assert (planned["count"], len(rows)) == (3, 3)
    assert not [row for row in rows if "fingerprint_sha256" in row]
    roster.up(news)
    assert roster.outputs["summary"] == "3 clients: 3 added; next due 2026-09-01"
    assert roster.check(news) == roster.inputs
    assert roster.up(news) == {}

    edited = declared(STAFF | person("dave"), issuer)
    assert roster.up(edited) == {"changes.dave": "add", "summary": "update"}
    assert roster.inputs["changes"] == {"dave": "added, g1 until 2027-01-01"}
    roster.refresh()
    assert roster.up(edited) == {}

    plugin.set_clock(START + 250 * DAY)
    assert set(roster.up(edited)) == {"summary", *(f"changes.{name}" for name in issued(roster))}
    assert accepted(roster.outputs) == {name: [1, 2] for name in issued(roster)}
    plugin.set_clock(START + 265 * DAY)
    roster.up(edited)
    assert set(roster.inputs["changes"].values()) == {"g1 retired"}
    assert accepted(roster.outputs) == {name: [2] for name in issued(roster)}
    roster.delete()


def test_certificates_are_what_the_records_say_and_signed_by_the_issuer(
    plugin: Provider, issuer: dict[str, Any]
) -> None:
    """Each record is checked against the parsed certificate and its key."""
    roster = plugin.resource(ROSTER, "staff")
    clients = STAFF | {"relay": {"dns_names": ["relay.example.org"]}}
    roster.up(declared(clients, issuer))
    ca = x509.load_pem_x509_certificate(issuer["issuer"]["chain_pem"].encode())
    keys = secrets_of(roster)
    rows = {row["client"]: row for row in unpacked(roster.outputs["accepted_rows"])}
    for name, record in issued(roster).items():
        certificate = x509.load_pem_x509_certificate(record["certificate_pem"].encode())
        certificate.verify_directly_issued_by(ca)
        assert certificate.subject.rfc4514_string() == record["subject"]
        assert f"{certificate.serial_number:x}" == record["serial_number"]
        key = load_private_key(keys[name]["private_key_pem"], what=name)
        assert key.public_key() == certificate.public_key()
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        mailboxes = [clients[name]["email"]] if "email" in clients[name] else []
        assert [general.value for general in names] == [*clients[name].get("dns_names", ()), *mailboxes]
        assert (rows[name]["fingerprint_sha256"], rows[name]["generation"]) == (record["fingerprint_sha256"], 1)


def test_a_client_may_be_known_by_key_instead_of_by_certificate(plugin: Provider, issuer: dict[str, Any]) -> None:
    """Each client of a roster as it is declared; the records say which fingerprint hosts compare."""
    roster = plugin.resource(ROSTER, "staff")
    clients = (
        person("alice", match="public_key", renew_key_every=0) | person("bob", match="certificate") | person("carol")
    )
    roster.up(declared(clients, issuer))
    records = issued(roster)
    assert {name: record["match"] for name, record in records.items() if "match" in record} == {"alice": "public_key"}
    compared = {row["client"]: row["fingerprint_sha256"] for row in unpacked(roster.outputs["accepted_rows"])}
    assert compared == {
        "alice": records["alice"]["public_key_fingerprint_sha256"],
        **{name: records[name]["fingerprint_sha256"] for name in ("bob", "carol")},
    }


@examples(15)
@given(st.lists(st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["x", "y"])), min_size=2, max_size=4))
def test_untouched_clients_keep_certificate_key_and_archive_byte_for_byte(
    served: Provider, issuer: dict[str, Any], steps: list[dict[str, str]]
) -> None:
    """Whatever happens to others, a client that no line names keeps all it has; only named clients differ."""
    served.set_clock(START)
    roster = served.resource(ROSTER, "staff")
    roster.up(declared({}, issuer))
    for step in steps:
        before = material(roster)
        clients: Clients = {name: {"dns_names": [f"{name}.{host}.example.org"]} for name, host in step.items()}
        changes = roster.up(declared(clients, issuer))
        touched = set(roster.inputs["changes"]) if changes else set()
        after = material(roster)
        assert {name for name in {*before, *after} if before.get(name) != after.get(name)} == touched


def material(roster: Resource) -> dict[str, tuple[dict[str, Any], dict[str, str]]]:
    """Return all that a roster keeps of each client."""
    keys = secrets_of(roster)
    return {name: (record, keys[name]) for name, record in issued(roster).items()}


def test_no_private_key_stands_anywhere_but_in_secrets(plugin: Provider, issuer: dict[str, Any]) -> None:
    """Neither inputs nor public outputs hold a key, packed or not, and the issuer's key is nowhere."""
    roster = plugin.resource(ROSTER, "staff")
    roster.up(declared(STAFF, issuer, pkcs12="modern"))
    assert {name for name, value in roster.outputs.items() if isinstance(value, Secret)} == {"private_keys", "archives"}
    public = [roster.inputs["clients"], roster.inputs["schedules"], roster.outputs["issued"]]
    texts = [str({**roster.inputs, **roster.outputs}), *map(unpack, public)]
    stripped = "\n".join(ca_key().splitlines()[1:-1])
    key = secrets_of(roster)["alice"]["private_key_pem"].splitlines()[1]
    assert not [text for text in texts if "PRIVATE KEY" in text or stripped in text or key in text]
    assert key in unpack(roster.outputs["private_keys"].value)


def test_a_preview_knows_everything_of_the_clients_it_does_not_touch(plugin: Provider, issuer: dict[str, Any]) -> None:
    """What is issued anew is missing from the packed outputs, what stays is there, and rows wait for the new one."""
    roster = plugin.resource(ROSTER, "staff")
    roster.up(declared(STAFF, issuer))
    planned = roster.plan(roster.check(declared(STAFF | person("bob", organization="Example"), issuer)))
    records = by_client(planned["issued"])
    assert records["alice"] == issued(roster)["alice"]
    assert "certificate_pem" not in records["bob"]
    assert records["bob"]["generation"] == 2
    waiting = [row["client"] for row in unpacked(planned["accepted_rows"]) if "fingerprint_sha256" not in row]
    assert (accepted(planned)["bob"], waiting) == ([1, 2], ["bob"])
    keys = by_client(planned["private_keys"].value)
    assert "private_key_pem" in keys["alice"]
    assert "private_key_pem" not in keys["bob"]

    retiring = roster.plan(roster.check(declared(person("alice"), issuer)))
    (row,) = unpacked(retiring["accepted_rows"])
    assert row["fingerprint_sha256"] == issued(roster)["alice"]["fingerprint_sha256"]


def test_a_preview_of_a_new_authority_plans_its_clients(plugin: Provider, issuer: dict[str, Any]) -> None:
    """Key, chain and dates of the issuer may all be unknown."""
    unknown = dict.fromkeys(("generation", "not_before", "not_after", "chain_pem", "private_key_pem"), UNKNOWN)
    roster = plugin.resource(ROSTER, "staff")
    checked = roster.check(declared(STAFF, issuer_but(issuer, slot="new-ca/1", **unknown)))
    assert checked["issuer_key"] == UNKNOWN
    assert roster.plan(checked)["intermediates_pem"] == UNKNOWN


def test_renewing_the_issuer_with_its_key_issues_nothing_even_in_a_preview(
    plugin: Provider, issuer: dict[str, Any]
) -> None:
    """Only the label of the issuer changes while its new certificate is not known yet."""
    roster = plugin.resource(ROSTER, "staff")
    roster.up(declared(STAFF, issuer))
    renewed = issuer_but(issuer, generation=3, chain_pem=UNKNOWN)
    checked = roster.check(declared(STAFF, renewed))
    assert roster.diff(checked) == {"issuer": "update", "summary": "update"}
    assert roster.plan(checked)["accepted_rows"] == roster.outputs["accepted_rows"]


def test_another_key_of_the_issuer_replaces_every_certificate(plugin: Provider, issuer: dict[str, Any]) -> None:
    """What the former key signed would not verify any more; it stays accepted for the overlap."""
    roster = plugin.resource(ROSTER, "staff")
    roster.up(declared(person("alice"), issuer))
    key = Secret(private_key_pem(generate_private_key(KeyAlgorithm.ECDSA_P256)))
    root = plugin.resource(CERTIFICATE, "other")
    root.up({"name": "ca", "profile": "root", "common_name": "Other CA", "private_key_pem": key})
    rolled = issuer_but(issuer, generation=2, chain_pem=root.outputs["certificate_pem"], private_key_pem=key)
    roster.up(declared(person("alice"), rolled))
    assert roster.inputs["changes"]["alice"].startswith(
        "g1 -> g2 until 2027-01-01, changed on 2026-01-01: issuer is now ca generation 2"
    )
    assert accepted(roster.outputs) == {"alice": [1, 2]}


def test_archives_are_built_only_for_clients_that_change(plugin: Provider, issuer: dict[str, Any]) -> None:
    """An untouched archive keeps its bytes, a rebuilt one its passphrase, and who asks for none has none."""
    roster = plugin.resource(ROSTER, "staff")
    roster.up(declared(STAFF | person("carol", pkcs12="none"), issuer, pkcs12="modern"))
    before, passphrases = secrets_of(roster, "archives"), secrets_of(roster)
    assert set(before) == {"alice", "bob"}
    roster.up(
        declared(
            STAFF | person("bob", organization="Example") | person("carol", pkcs12="none"), issuer, pkcs12="modern"
        )
    )
    after = secrets_of(roster, "archives")
    assert after["alice"] == before["alice"]
    assert after["bob"] != before["bob"]
    assert secrets_of(roster)["bob"]["passphrase"] == passphrases["bob"]["passphrase"]
    archive = base64.b64decode(after["bob"]["archive_p12_base64"])
    opened = pkcs12.load_pkcs12(archive, passphrases["bob"]["passphrase"].encode())
    assert opened.cert is not None
    assert f"{opened.cert.certificate.serial_number:x}" == issued(roster)["bob"]["serial_number"]


def test_revoking_one_client_drops_its_row_and_nobody_elses(plugin: Provider, issuer: dict[str, Any]) -> None:
    """The records say when and why; `issue_again` gives it a new key, once."""
    roster = plugin.resource(ROSTER, "staff")
    roster.up(declared(STAFF, issuer))
    serial_number = issued(roster)["bob"]["serial_number"]
    roster.up(declared(STAFF | person("bob", revoke="keyCompromise"), issuer))
    assert accepted(roster.outputs) == {"alice": [1], "carol": [1]}
    assert issued(roster)["bob"]["revocation_reason"] == "keyCompromise"
    again = declared(STAFF | person("bob", revoke="keyCompromise", issue_again=True), issuer)
    roster.up(again)
    record = issued(roster)["bob"]
    assert (record["generation"], [entry["serial_number"] for entry in record["revoked"]]) == (2, [serial_number])
    assert accepted(roster.outputs) == {"alice": [1], "bob": [2], "carol": [1]}
    assert roster.up(again) == {}


def test_lines_of_the_decision_before_do_not_show_again(plugin: Provider, issuer: dict[str, Any]) -> None:
    """A diff has a line for each client of this decision only, also for one that had a line before."""
    roster = plugin.resource(ROSTER, "staff")
    roster.up(declared(STAFF, issuer))
    once = person("alice", overlap_hours=48)
    assert roster.up(declared(STAFF | once, issuer)) == {"changes.alice": "add", "summary": "update"}
    twice = person("alice", overlap_hours=72)
    assert "changes.alice" in roster.up(declared(STAFF | twice, issuer))


def test_a_roster_wide_change_shows_as_itself(plugin: Provider, issuer: dict[str, Any]) -> None:
    """A policy that moves no date touches no client."""
    roster = plugin.resource(ROSTER, "staff")
    roster.up(declared(STAFF, issuer, overlap_hours=48))
    assert roster.up(declared(STAFF, issuer, overlap_hours=72)) == {"overlap_hours": "update", "summary": "update"}
    assert roster.inputs["summary"].startswith("3 clients: none touched")


def test_an_interrupted_update_is_repeated_from_the_old_state(plugin: Provider, issuer: dict[str, Any]) -> None:
    """Neither the decision nor what is kept depends on how often an update is started."""
    roster = plugin.resource(ROSTER, "staff")
    roster.up(declared(STAFF, issuer))
    before = material(roster)
    state = (roster.inputs, roster.outputs)
    edited = declared(STAFF | person("dave"), issuer)
    first = roster.check(edited)
    roster.apply(first)
    roster.inputs, roster.outputs = state
    assert roster.check(edited) == first
    roster.apply(first)
    assert {name: kept for name, kept in material(roster).items() if name in before} == before


def single(plugin: Provider, name: str, issuer: dict[str, Any], **fields: Any) -> Resource:
    """Return an existing single certificate of a client."""
    certificate = plugin.resource(CERTIFICATE, name)
    content = {"name": name, "profile": "client", "email": f"{name}@example.org"}
    certificate.up({**content, "key_algorithm": "ECDSA-P256", **issuer, **fields})
    return certificate


def handover(name: str, record: dict[str, Any], private_key_pem: str) -> Secret:
    """Return what a program hands over of a client, from what is public about it and its key."""
    moving = Handover(
        declared=DeclaredCertificate(email=f"{name}@example.org"),
        generation=record["generation"],
        key_generation=record["key_generation"],
        previous=tuple(decode(IssuedGeneration, each) for each in record["previous"]),
        certificate_pem=record["certificate_pem"],
        private_key_pem=private_key_pem,
    )
    return Secret(handover_text(moving))


def handover_of(certificate: Resource) -> Secret:
    """Return what a program hands over of a single certificate."""
    return handover(certificate.inputs["name"], certificate.outputs, certificate.outputs["private_key_pem"].value)


def test_a_client_moves_from_a_single_certificate_into_a_roster_without_a_new_one(
    plugin: Provider, issuer: dict[str, Any]
) -> None:
    """Generation, key and what is still accepted come along; afterwards the hand-over can go."""
    alice = single(plugin, "alice", issuer)
    plugin.set_clock(START + 250 * DAY)
    alice.up({**single_inputs(alice), **issuer})
    roster = plugin.resource(ROSTER, "staff")
    roster.up(declared(person("bob"), issuer))
    news = declared(person("alice") | person("bob"), issuer, handovers={"alice": handover_of(alice)})
    roster.up(news)
    assert roster.inputs["changes"] == {"alice": "taken over as it is, g2 until 2027-09-08"}
    record = issued(roster)["alice"]
    kept = ("generation", "certificate_pem", "fingerprint_sha256", "serial_number", "previous", "not_after", "subject")
    assert {name: record[name] for name in kept} == {name: alice.outputs[name] for name in kept}
    assert secrets_of(roster)["alice"]["private_key_pem"] == alice.outputs["private_key_pem"].value
    assert "PRIVATE KEY" not in str(roster.inputs) + unpack(roster.inputs["schedules"])
    assert roster.up(news) == {}
    assert roster.up(declared(person("alice") | person("bob"), issuer)) == {}


def test_clients_come_into_a_roster_one_after_the_other(plugin: Provider, issuer: dict[str, Any]) -> None:
    """A hand-over that stays declared, of a client that is here already, keeps no other one away."""
    alice, bob = single(plugin, "alice", issuer), single(plugin, "bob", issuer)
    first = {"alice": handover_of(alice)}
    roster = plugin.resource(ROSTER, "staff")
    roster.up(declared(person("alice"), issuer, handovers=first))
    both = {**first, "bob": handover_of(bob)}
    roster.up(declared(person("alice") | person("bob"), issuer, handovers=both))
    pems = {name: record["certificate_pem"] for name, record in issued(roster).items()}
    assert pems == {each.inputs["name"]: each.outputs["certificate_pem"] for each in (alice, bob)}


def single_inputs(certificate: Resource) -> dict[str, Any]:
    """Return what was declared for a single certificate."""
    return {name: certificate.inputs[name] for name in ("name", "profile", "common_name", "email")}


def test_a_client_moves_between_rosters_without_a_new_certificate(plugin: Provider, issuer: dict[str, Any]) -> None:
    """A record of one roster is a hand-over to another."""
    staff, guests = plugin.resource(ROSTER, "staff"), plugin.resource(ROSTER, "guests")
    staff.up(declared(STAFF, issuer))
    record, secret = material(staff)["alice"]
    text = handover("alice", record, secret["private_key_pem"])
    guests.up(declared(person("alice"), issuer, handovers={"alice": text}))
    said = {"reason": "", "cause": ""}
    assert issued(guests)["alice"] | said == record | said


def test_a_certificate_that_is_not_the_declared_one_is_replaced_when_it_is_taken_over(
    plugin: Provider, issuer: dict[str, Any]
) -> None:
    """The one before stays accepted, so that nobody is locked out by a mistake in the entry."""
    alice = single(plugin, "alice", issuer)
    roster = plugin.resource(ROSTER, "staff")
    roster.up(declared(person("alice", organization="Example"), issuer, handovers={"alice": handover_of(alice)}))
    assert roster.inputs["changes"]["alice"] == (
        "taken over, g1 -> g2 until 2027-01-01, changed on 2026-01-01: organization; g1 accepted until 2026-01-15"
    )
    rows = unpacked(roster.outputs["accepted_rows"])
    assert alice.outputs["fingerprint_sha256"] in {row["fingerprint_sha256"] for row in rows}


@pytest.mark.parametrize(
    ("change", "property_name"),
    [
        ({"clients": UNKNOWN}, "clients"),
        ({"clients": '{"name":"a"}\nnonsense'}, "clients.line 2"),
        ({"clients": '{"name":"a","email":"a@x.org"}\n{"name":"a","email":"a@x.org"}'}, "clients.a"),
        ({"clients": '{"name":"a","email":["a@x.org"]}'}, "clients.a.email"),
        ({"clients": '{"name":"a","email":"a@x.org"}', "handovers": {"a": UNKNOWN}}, "handovers.a"),
        ({"clients": '{"name":"a","email":"a@x.org"}', "handovers": {"a": "{}"}}, "handovers.a"),
        ({"clients": '{"name":"a"}'}, "clients.a.email"),
        ({"clients": '{"name":"a","email":"a@x.org","validity_hours":99999}'}, "clients.a.validity_hours"),
    ],
)
def test_what_cannot_be_decided_is_refused_with_its_place(
    plugin: Provider, issuer: dict[str, Any], change: dict[str, Any], property_name: str
) -> None:
    """Check fails before anything happens and names client and field."""
    with pytest.raises(CheckFailedError) as caught:
        plugin.resource(ROSTER, "staff").check(declared(STAFF, issuer) | change)
    assert [text for text in caught.value.failures if text.startswith(f"{property_name}: ")]


def test_nothing_is_issued_backwards_in_time(plugin: Provider, issuer: dict[str, Any]) -> None:
    """With a clock behind the certificates nothing is renewed or retired, and a change is refused."""
    roster = plugin.resource(ROSTER, "staff")
    roster.up(declared(STAFF, issuer))
    plugin.set_clock(START - DAY)
    assert roster.up(declared(STAFF, issuer)) == {}
    with pytest.raises(CheckFailedError) as caught:
        roster.check(declared(STAFF | person("bob", organization="Example"), issuer))
    assert [text.partition(":")[0] for text in caught.value.failures] == ["clients.bob"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"clients": 3}, "clients: got a whole number, expected a text"),
    ({"organization": UNKNOWN}, "organization: must be known before `pulumi up`"),
    ({"confirm": "yes"}, "confirm: got a text, expected true or false"),
    ({"validity_hours": 1.5}, "validity_hours: got a number that is not whole"),
    ({"renew_fraction": "1/0"}, "renew_fraction: got '1/0', expected a fraction"),
    ({"pkcs12": "zip"}, "pkcs12: got 'zip', expected one of: modern, legacy, none"),
    ({"crl_urls": "http://crl.example.org"}, "crl_urls: got a text, expected a list"),
    ({"colour": "red"}, "colour: unknown key"),
    ({"email": "a@example.org"}, "email: is said of one certificate, not of a roster"),
    ({"path_length": 0, "dns_names": ["a.example.org"]}, "dns_names: is said of one certificate, not of a roster"),
    ({"issuer": UNKNOWN}, "issuer: must be known before `pulumi up`"),
    ({"issuer": "ca"}, "issuer: got a text, expected a mapping"),
    ({"issuer": {"slot": "ca"}}, "issuer.slot: got 'ca', expected the text of a SlotId"),
    ({"handovers": ["alice"]}, "handovers: got a list, expected a mapping"),
    ({"withdrawal": {"issuers": "ca/1"}}, "withdrawal.issuers: got a text, expected a list"),
]


@pytest.mark.parametrize(("change", "sentence"), WRONG, ids=[sentence.partition(":")[0] for _, sentence in WRONG])
def test_inputs_of_another_type_or_not_known_yet_are_told_as_sentences(
    plugin: Provider, issuer: dict[str, Any], change: dict[str, Any], sentence: str
) -> None:
    """Whatever a program passes, nothing is an internal error."""
    with pytest.raises(CheckFailedError) as caught:
        plugin.resource(ROSTER, "staff").check(declared(STAFF, issuer) | change)
    assert [text for text in caught.value.failures if text.startswith(sentence)]


def test_a_roster_in_which_nothing_is_due_is_not_even_read(plugin: Provider, issuer: dict[str, Any]) -> None:
    """A check of many clients costs next to nothing until one of them is due, or declared otherwise."""
    roster = plugin.resource(ROSTER, "staff")
    roster.up(declared(STAFF, issuer))
    unreadable = {**roster.inputs, "schedules": "unreadable"}
    roster.inputs = unreadable
    assert roster.check(declared(STAFF, issuer)) == unreadable
    looked_at: list[tuple[timedelta, dict[str, Any]]] = [
        (-DAY, declared(STAFF, issuer)),
        (300 * DAY, declared(STAFF, issuer)),
        (DAY, declared(STAFF | person("dave"), issuer)),
        (DAY, declared(STAFF, issuer, overlap_hours=9)),
        (DAY, declared(STAFF, issuer_but(issuer, generation=2))),
        (DAY, declared(STAFF, issuer, handovers={"dave": UNKNOWN})),
    ]
    for later, news in looked_at:
        plugin.set_clock(START + later)
        with pytest.raises(grpc.RpcError, match="packed records cannot be read"):
            roster.check(news)


def test_an_update_in_another_run_than_its_check_reads_everything_from_the_inputs(
    served: Provider, issuer: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Check has decided is only remembered to save time; the certificates are the same without that."""

    def open_any(lockers: Lockers, holder: Holder) -> MaterialStore:
        return lockers._lockers.get(holder) or list(lockers._lockers.values())[-1]

    monkeypatch.setattr(Lockers, "open", open_any)
    served.set_clock(START)
    roster = served.resource(ROSTER, "staff")
    roster.up(declared(STAFF, issuer))
    before = material(roster)
    checked = roster.check(declared(STAFF | person("dave") | person("bob", organization="Example"), issuer))
    with provider([ClientRosterHandler()]) as another:
        another.set_clock(START)
        elsewhere = another.resource(ROSTER, "staff")
        elsewhere.check(declared(person("erin"), issuer))  # brings the issuer's key into this run
        elsewhere.id, elsewhere.inputs, elsewhere.outputs = roster.id, roster.inputs, roster.outputs
        elsewhere.apply(checked)
    roster.apply(checked)
    assert [*issued(elsewhere)] == [*issued(roster)] == ["alice", "bob", "carol", "dave"]
    for name in ("alice", "carol"):
        assert material(elsewhere)[name] == material(roster)[name] == before[name]
    assert issued(elsewhere)["bob"]["generation"] == issued(roster)["bob"]["generation"] == 2


def test_a_client_that_the_state_has_lost_is_issued_with_the_next_change(
    plugin: Provider, issuer: dict[str, Any]
) -> None:
    """The inputs say that there is one: who is admitted must not depend on what somebody cut out of a state."""
    roster = plugin.resource(ROSTER, "staff")
    roster.up(declared(STAFF, issuer))

    def without_bob(packed: str) -> str:
        return pack("\n".join(line for line in unpack(packed).splitlines() if '"bob"' not in line))

    for output in ("issued", "accepted_rows"):
        roster.outputs[output] = without_bob(roster.outputs[output])
    roster.outputs["private_keys"] = Secret(without_bob(roster.outputs["private_keys"].value))
    assert [*issued(roster)] == ["alice", "carol"]
    roster.up(declared(STAFF | person("dave"), issuer))
    assert [*issued(roster)] == ["alice", "bob", "carol", "dave"]
    assert accepted(roster.outputs) == {name: [1] for name in ("alice", "bob", "carol", "dave")}


@pytest.mark.parametrize(
    ("member", "text"),
    [
        ("schedules", "hello"),
        ("schedules", "[1]"),
        ("schedules", '{"name":1}'),
        ("schedules", f'{{"name":{"9" * 5000}}}'),
        ("clients", ""),
        ("clients", '{"name":"bob"}'),
        ("clients", "[" * 100_000),
    ],
    ids=["no JSON", "a list", "a number", "a long number", "no clients", "fewer clients", "too deep"],
)
def test_a_stored_decision_that_does_not_fit_is_one_sentence(
    plugin: Provider, issuer: dict[str, Any], member: str, text: str
) -> None:
    """A state that somebody has edited: nothing is decided on it, and nobody is told of a bug."""
    roster = plugin.resource(ROSTER, "staff")
    roster.up(declared(STAFF, issuer))
    roster.inputs |= {member: pack(text)}
    with pytest.raises(grpc.RpcError) as caught:
        roster.check(declared(STAFF | person("dave"), issuer))
    assert "internal error" not in str(caught.value)


@pytest.mark.parametrize("member", ["accepted_rows", "private_keys", "issued"])
def test_stored_rows_without_names_are_one_sentence(plugin: Provider, issuer: dict[str, Any], member: str) -> None:
    """Update keeps the rows of those who do not change: it must know whose they are."""
    roster = plugin.resource(ROSTER, "staff")
    roster.up(declared(STAFF, issuer))
    checked = roster.check(declared(STAFF | person("dave"), issuer))
    damaged = pack("[1]")
    roster.outputs |= {member: Secret(damaged) if member == "private_keys" else damaged}
    with pytest.raises(grpc.RpcError, match="does not begin with a name"):
        roster.apply(checked)
