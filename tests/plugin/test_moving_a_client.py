"""A client moves between a single certificate and a roster, and what it has goes with it."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from cryptography import x509

from pki.acceptance import AcceptedRow
from pki.certificate.handover import Handover, handover_text
from pki.extensions import extension_of
from pki.roster.records import IssuedRow, KeyRow
from postseal_core.packing import json_line, unpack_records
from postseal_core.records import decode, encode
from tests.support.plugin_runs import PluginRuns
from tests.support.provider import UNKNOWN, Resource, Secret
from tests.support.resource_properties import certificate_of, client, instant, issued_by, root, server

DAY = timedelta(days=1)
IDENTITY = (
    *("certificate_pem", "serial_number", "fingerprint_sha256", "public_key_fingerprint_sha256", "subject"),
    *("generation", "key_generation", "not_before", "not_after", "renew_at", "previous", "revoked"),
)
Properties = dict[str, Any]


@pytest.fixture
def issuer(plugin: PluginRuns) -> Properties:
    """Return what a client needs of a root that exists."""
    authority = plugin.resource("Certificate", "mail-ca")
    plugin.up(authority, root())
    return issued_by(authority.outputs)


def in_roster(issuer: Properties, handover: object = None, **fields: Any) -> Properties:
    """Return a roster of alice and bob; `fields` are further ones of alice."""
    clients = [
        {"name": "alice", "email": "alice@example.org"} | fields,
        {"name": "bob", "email": "bob@example.org"},
    ]
    declared = {"name": "staff", "clients": "\n".join(map(json_line, clients)), **issuer}
    return declared | ({"handovers": {"alice": handover}} if handover else {})


def alone(issuer: Properties, handover: object = None, **fields: Any) -> Properties:
    """Return alice as a certificate of her own."""
    return client(issuer, key_algorithm="ECDSA-P256") | fields | ({"handover": handover} if handover else {})


class Place(NamedTuple):
    """Where alice may be: a resource, and how she is declared there."""

    type_name: str
    name: str
    declare: Callable[..., Properties]


SINGLE, ROSTER = Place("Certificate", "alice", alone), Place("ClientRoster", "staff", in_roster)
WAYS = [(SINGLE, ROSTER), (ROSTER, SINGLE)]
both_ways = pytest.mark.parametrize(("origin", "goal"), WAYS, ids=["into a roster", "out of a roster"])


def resource(plugin: PluginRuns, place: Place) -> Resource:
    """Return the resource of a place, which does not exist yet."""
    return plugin.resource(place.type_name, place.name)


def outputs_of(resource: Resource) -> Properties:
    """Return what there is of alice, wherever she is, with her key."""
    if "issued" not in resource.outputs:
        return {**resource.outputs, "private_key_pem": resource.outputs["private_key_pem"].value}
    (row,) = (each for each in unpack_records(IssuedRow, resource.outputs["issued"]) if each.name == "alice")
    packed = resource.outputs["private_keys"].value
    (key,) = (each for each in unpack_records(KeyRow, packed) if each.name == "alice")
    return encode(row.issued) | {"private_key_pem": key.private_key_pem}


def handover_of(resource: Resource, **declared: Any) -> Secret:
    """Return what a program hands over of alice, with all numbers as the runtime of a program knows them.

    `declared`: what is said of her there beside her mailbox.
    """
    names = ("generation", "key_generation", "previous", "revoked", "certificate_pem", "private_key_pem")
    issued = {name: value for name, value in outputs_of(resource).items() if name in names}
    handover = decode(Handover, {"email": "alice@example.org"} | declared | issued)
    return Secret(json.dumps(json.loads(handover_text(handover), parse_int=float)))


@both_ways
def test_key_certificate_and_schedule_go_on_at_the_new_place(
    plugin: PluginRuns, issuer: Properties, origin: Place, goal: Place
) -> None:
    """Byte for byte at first; then the overlap ends on its day and the renewal comes on its day, with a new key."""
    before, after = resource(plugin, origin), resource(plugin, goal)
    plugin.up(before, origin.declare(issuer))
    plugin.now = instant(outputs_of(before)["renew_at"])
    plugin.up(before, origin.declare(issuer))
    kept = outputs_of(before)
    assert (kept["generation"], [each["generation"] for each in kept["previous"]]) == (2, [1])

    plugin.now += DAY
    plugin.up(after, goal.declare(issuer, handover_of(before)))
    taken = outputs_of(after)
    names = (*IDENTITY, "private_key_pem")
    assert {name: taken[name] for name in names} == {name: kept[name] for name in names}
    assert taken["reason"] == "taken over as it is"
    assert plugin.up(after, goal.declare(issuer, handover_of(before))) == {}
    assert plugin.up(after, goal.declare(issuer)) == {}

    plugin.now = instant(kept["previous"][0]["retire_at"]) - timedelta(seconds=1)
    assert plugin.up(after, goal.declare(issuer)) == {}
    plugin.now += timedelta(seconds=1)
    plugin.up(after, goal.declare(issuer))
    assert outputs_of(after)["previous"] == []
    plugin.now = instant(kept["renew_at"])
    plugin.up(after, goal.declare(issuer))
    renewed = outputs_of(after)
    assert (renewed["generation"], renewed["key_generation"]) == (3, 3)
    assert renewed["previous"][0]["fingerprint_sha256"] == kept["fingerprint_sha256"]
    assert renewed["private_key_pem"] != kept["private_key_pem"]


@both_ways
def test_a_preview_of_the_move_knows_everything_and_says_so(
    plugin: PluginRuns, issuer: Properties, origin: Place, goal: Place
) -> None:
    """Fingerprints are known, so that a host's rows can be compared, and one line tells of the move."""
    before, after = resource(plugin, origin), resource(plugin, goal)
    plugin.up(before, origin.declare(issuer))
    fingerprint = outputs_of(before)["fingerprint_sha256"]
    if goal is ROSTER:
        plugin.up(after, in_roster(issuer) | {"clients": '{"email":"bob@example.org","name":"bob"}'})
        plugin.lines.clear()
    _, planned = plugin.preview(after, goal.declare(issuer, handover_of(before)))
    if goal is ROSTER:
        rows = unpack_records(AcceptedRow, planned["accepted_rows"])
        assert [row.fingerprint_sha256 for row in rows if row.client == "alice"] == [fingerprint]
    else:
        assert planned["fingerprint_sha256"] == fingerprint
    assert UNKNOWN not in [value for value in planned.values() if isinstance(value, str)]
    assert [line for line in plugin.lines if line.startswith("alice: taken over as it is")]


def test_a_client_that_comes_back_has_what_it_left_with(plugin: PluginRuns, issuer: Properties) -> None:
    """Out of a roster and in again, nothing is issued."""
    staff, single = resource(plugin, ROSTER), resource(plugin, SINGLE)
    plugin.up(staff, in_roster(issuer))
    kept = outputs_of(staff)
    plugin.up(single, alone(issuer, handover_of(staff)))
    without = in_roster(issuer) | {"clients": '{"email":"bob@example.org","name":"bob"}'}
    plugin.up(staff, without)
    plugin.up(staff, in_roster(issuer, handover_of(single)))
    assert outputs_of(staff) == kept | {"cause": "taken_over", "reason": "taken over as it is"}


@both_ways
def test_what_was_revoked_stays_revoked(plugin: PluginRuns, issuer: Properties, origin: Place, goal: Place) -> None:
    """Revoked generations come along for the list; a revocation that is not declared any more stops the move."""
    before, after = resource(plugin, origin), resource(plugin, goal)
    plugin.up(before, origin.declare(issuer))
    plugin.up(before, origin.declare(issuer, revoke="superseded"))
    plugin.now += DAY
    (problem,) = plugin.problems(after, goal.declare(issuer, handover_of(before, revoke="superseded")))
    assert "only certificateHold can be taken back" in problem
    plugin.up(after, goal.declare(issuer, handover_of(before, revoke="superseded"), revoke="superseded"))
    assert outputs_of(after)["revoked"] == outputs_of(before)["revoked"]
    assert outputs_of(after)["revoked_at"] == outputs_of(before)["revoked_at"]
    plugin.up(after, goal.declare(issuer, revoke="superseded", issue_again=True))
    again = outputs_of(after)
    assert (again["generation"], [each["generation"] for each in again["revoked"]]) == (2, [1])


DIFFERENT: list[tuple[Properties, str]] = [
    ({"organization": "Example", "renew_key_every": 0}, "changed on 2026-06-01: organization"),
    ({"dns_names": ["alice.example.org"]}, "changed on 2026-06-01: dns_names"),
    ({"ip_addresses": ["192.0.2.7"], "renew_key_every": 0}, "changed on 2026-06-01: ip_addresses"),
    ({"key_algorithm": "ED25519", "renew_key_every": 0}, "changed on 2026-06-01: key"),
]


@both_ways
@pytest.mark.parametrize(("fields", "reason"), DIFFERENT, ids=[reason.rpartition(" ")[2] for _, reason in DIFFERENT])
def test_a_certificate_that_is_not_the_declared_one_is_replaced_and_stays_accepted(
    plugin: PluginRuns,
    issuer: Properties,
    origin: Place,
    goal: Place,
    fields: Properties,
    reason: str,
) -> None:
    """The new place issues what it declares as the next generation; the one before stays for the overlap."""
    before, after = resource(plugin, origin), resource(plugin, goal)
    plugin.up(before, origin.declare(issuer))
    plugin.up(after, goal.declare(issuer, handover_of(before), **fields))
    taken, kept = outputs_of(after), outputs_of(before)
    assert (taken["generation"], taken["reason"]) == (2, reason)
    assert [each["fingerprint_sha256"] for each in taken["previous"]] == [kept["fingerprint_sha256"]]
    is_key_kept = taken["private_key_pem"] == kept["private_key_pem"]
    assert is_key_kept == ("renew_key_every" in fields and "key_algorithm" not in fields)
    assert plugin.up(after, goal.declare(issuer, **fields)) == {}


@both_ways
def test_a_certificate_that_names_no_list_is_replaced_below_an_authority_that_has_one(
    plugin: PluginRuns, issuer: Properties, origin: Place, goal: Place
) -> None:
    """Where the issuer's revocation list is stands in the certificate; declared is it at the authority."""
    before, after = resource(plugin, origin), resource(plugin, goal)
    plugin.up(before, origin.declare(issuer))
    listing = {"issuer": issuer["issuer"] | {"crl_urls": ["http://crl.example.org/mail.crl"]}}
    plugin.up(after, goal.declare(listing, handover_of(before)))
    taken = outputs_of(after)
    assert (taken["generation"], taken["reason"]) == (2, "changed on 2026-06-01: crl_urls")
    assert extension_of(certificate_of(taken), x509.CRLDistributionPoints) is not None
    assert plugin.up(after, goal.declare(listing)) == {}


@both_ways
def test_the_order_of_names_and_a_name_that_is_said_though_it_is_the_default_do_not_matter(
    plugin: PluginRuns, issuer: Properties, origin: Place, goal: Place
) -> None:
    """What is compared is what stands in the certificate, which stays as it is."""
    names = ["a.example.org", "b.example.org"]
    before, after = resource(plugin, origin), resource(plugin, goal)
    plugin.up(before, origin.declare(issuer, dns_names=names))
    handover = handover_of(before, dns_names=names)
    said = {"dns_names": names[::-1], "common_name": "alice@example.org"}
    plugin.up(after, goal.declare(issuer, handover, **said))
    assert outputs_of(after)["certificate_pem"] == outputs_of(before)["certificate_pem"]
    assert plugin.up(after, goal.declare(issuer, **said)) == {}


@both_ways
def test_a_certificate_of_another_authority_is_replaced(
    plugin: PluginRuns, issuer: Properties, origin: Place, goal: Place
) -> None:
    """The new one verifies below the declared authority; the old one is accepted for the overlap."""
    before, after = resource(plugin, origin), resource(plugin, goal)
    plugin.up(before, origin.declare(issuer))
    other = plugin.resource("Certificate", "other-ca")
    plugin.up(other, root("other-ca"))
    plugin.up(after, goal.declare(issued_by(other.outputs, "other-ca"), handover_of(before)))
    assert outputs_of(after)["reason"] == "changed on 2026-06-01: issuer"
    certificate_of(outputs_of(after)).verify_directly_issued_by(certificate_of(other.outputs))
    assert [each["generation"] for each in outputs_of(after)["previous"]] == [1]


def test_a_certificate_that_exists_takes_nothing_over(plugin: PluginRuns, issuer: Properties) -> None:
    """A hand-over that stays declared, or comes too late, does nothing."""
    staff, single = resource(plugin, ROSTER), resource(plugin, SINGLE)
    plugin.up(staff, in_roster(issuer))
    plugin.up(single, alone(issuer))
    own = outputs_of(single)
    assert plugin.up(single, alone(issuer, handover_of(staff))) == {}
    assert outputs_of(single) == own


def test_a_plan_of_a_move_below_an_authority_that_is_being_renewed_leaves_the_chain_open(
    plugin: PluginRuns, issuer: Properties
) -> None:
    """The certificate itself is known; what stands above it is not, yet."""
    staff, single = resource(plugin, ROSTER), resource(plugin, SINGLE)
    plugin.up(staff, in_roster(issuer))
    renewed = {"issuer": issuer["issuer"] | {"generation": 2, "chain_pem": UNKNOWN}}
    _, planned = plugin.preview(single, alone(renewed, handover_of(staff)))
    assert planned["chain_pem"] == UNKNOWN
    assert planned["certificate_pem"] == outputs_of(staff)["certificate_pem"]


REFUSED: list[tuple[Properties, str]] = [
    ({"handover": UNKNOWN}, "is issued or renewed in this very run: run `pulumi up` for it first"),
    ({"handover": Secret("{}")}, "certificate of alice: nothing to take over"),
    ({"handover": Secret("{}"), "private_key_pem": Secret("-")}, "brings its own key along: leave out private_key_pem"),
]


@pytest.mark.parametrize(("fields", "sentence"), REFUSED)
def test_what_cannot_be_taken_over_is_refused_in_check(
    plugin: PluginRuns, issuer: Properties, fields: Properties, sentence: str
) -> None:
    """A sentence at the property says what is missing; nothing is issued instead."""
    (problem,) = plugin.problems(resource(plugin, SINGLE), alone(issuer) | fields)
    assert problem.removeprefix("handover: ").startswith(sentence)


def test_only_clients_move(plugin: PluginRuns, issuer: Properties) -> None:
    """What a client's certificate is compared by does not tell a server's from another."""
    declared = server(issuer) | {"handover": Secret("{}")}
    (problem,) = plugin.problems(plugin.resource("Certificate", "mx1"), declared)
    assert "only a client's certificate can be taken over" in problem


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"confirmed_generation": 2}, "nothing waits for a confirmation; set confirm to true, or leave this out"),
        ({"issue_again": True}, "nothing is revoked; leave this out"),
    ],
)
@pytest.mark.parametrize("place", [SINGLE, ROSTER], ids=["single", "roster"])
def test_a_step_that_would_do_nothing_is_refused_at_both_places_in_the_same_words(
    plugin: PluginRuns, issuer: Properties, place: Place, fields: Properties, sentence: str
) -> None:
    """Somebody would wait for it in vain."""
    (problem,) = plugin.problems(resource(plugin, place), place.declare(issuer, **fields))
    assert problem.endswith(sentence)
