"""The revocation list over gRPC: what a reviewer sees, what is signed, and what openssl and pkilint make of it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509

from pki.model import SlotId
from pki.verification import chain_pem
from tests.support.judges import (
    LintRole,
    Purpose,
    openssl_crl_verify,
    openssl_verify_strict,
    pkilint_findings,
)
from tests.support.plugin_runs import PluginRuns
from tests.support.provider import UNKNOWN, Resource
from tests.support.resource_properties import certificate_of, client, instant, issued_by, root, server
from tests.support.specimens import NOW, sign_by_hand

pytestmark = pytest.mark.needs_openssl

DAY = timedelta(days=1)


@pytest.fixture
def authority(plugin: PluginRuns) -> Resource:
    """Return a root that exists."""
    return made(plugin, "mail-ca", root())


@pytest.fixture
def alice(plugin: PluginRuns, authority: Resource) -> Resource:
    """Return a client's certificate that exists."""
    return made(plugin, "alice", client(issued_by(authority.outputs)))


@pytest.fixture
def bob(plugin: PluginRuns, authority: Resource) -> Resource:
    """Return another client's certificate."""
    return made(plugin, "bob", client(issued_by(authority.outputs), "bob"))


@pytest.fixture
def listing(plugin: PluginRuns) -> Resource:
    """Return a list that does not exist yet."""
    return plugin.resource("RevocationList", "mail-ca")


def made(plugin: PluginRuns, name: str, declared: dict[str, Any]) -> Resource:
    """Return a certificate after its first run."""
    resource = plugin.resource("Certificate", name)
    plugin.up(resource, declared)
    return resource


def revoke(plugin: PluginRuns, authority: Resource, certificate: Resource, reason: str, **changes: Any) -> None:
    """Run with `revoke` declared for a client, or with something else changed."""
    name = certificate.urn.rpartition("::")[2]
    plugin.up(certificate, client(issued_by(authority.outputs), name, revoke=reason, **changes))


def declared(authority: Resource, certificates: Sequence[Resource], **changes: Any) -> dict[str, Any]:
    """Return the declaration of a list."""
    listed = [
        {"name": each.urn.rpartition("::")[2]}
        | {name: each.outputs[name] for name in ("serial_number", "previous", "revoked")}
        for each in certificates
    ]
    issuer = issued_by(authority.outputs)
    return {"name": "mail-ca", "authority": "mail-ca", "certificates": listed, "lifetime_hours": 168} | issuer | changes


def crl_of(listing: Resource) -> x509.CertificateRevocationList:
    """Return the list of a resource's outputs."""
    return x509.load_pem_x509_crl(listing.outputs["crl_pem"].encode())


def number_of(listing: Resource) -> int:
    """Return the number that stands in the list itself."""
    return crl_of(listing).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def serial_numbers(listing: Resource) -> set[str]:
    """Return what the list itself holds, as outputs write it."""
    return {f"{entry.serial_number:x}" for entry in crl_of(listing)}


def test_the_list_refuses_the_revoked_and_accepts_its_neighbour(
    plugin: PluginRuns, authority: Resource, alice: Resource, bob: Resource, listing: Resource
) -> None:
    """Openssl verifies the signature and believes the entry, pkilint has nothing against it."""
    plugin.up(listing, declared(authority, [alice, bob]))
    before = crl_of(listing)
    revoke(plugin, authority, alice, "keyCompromise")
    plugin.up(listing, declared(authority, [alice, bob]))
    root_certificate = certificate_of(authority.outputs)

    def is_accepted(certificate: Resource, crl: x509.CertificateRevocationList) -> bool:
        leaf = certificate_of(certificate.outputs)
        return openssl_verify_strict(
            leaf, roots=[root_certificate], purpose=Purpose.CLIENT, at=NOW, crl=crl
        ).is_accepted

    assert is_accepted(alice, before)
    assert not is_accepted(alice, crl_of(listing))
    assert is_accepted(bob, crl_of(listing))
    assert openssl_crl_verify(crl_of(listing), root_certificate).is_accepted
    other = certificate_of(made(plugin, "other-ca", root("other-ca")).outputs)
    assert not openssl_crl_verify(crl_of(listing), other).is_accepted
    assert pkilint_findings(listing.outputs["crl_pem"], LintRole.CRL) == []


def test_a_preview_of_a_revocation_shows_the_entry_and_the_reason(
    plugin: PluginRuns, authority: Resource, alice: Resource, bob: Resource, listing: Resource
) -> None:
    """One line with reason, date, serial number and end; number and dates are known, only the list itself is not."""
    plugin.up(listing, declared(authority, [alice, bob]))
    plugin.now += timedelta(hours=1, minutes=30)
    revoke(plugin, authority, alice, "keyCompromise")
    plugin.lines.clear()
    changes, planned = plugin.preview(listing, declared(authority, [alice, bob]))
    assert changes.keys() == {"crl_number", "this_update", "next_update", "renew_at", "reason", "revoked"}
    assert (planned["crl_pem"], planned["crl_number"]) == (UNKNOWN, 2)
    assert plugin.lines == ["mail-ca: list 1 -> 2, alice generation 1 revoked: keyCompromise"]
    plugin.up(listing, declared(authority, [alice, bob]))
    serial_number, end = alice.outputs["serial_number"], alice.outputs["not_after"]
    assert listing.inputs["reason"] == "alice generation 1 revoked: keyCompromise"
    assert listing.inputs["revoked"] == {
        "alice generation 1": f"keyCompromise on 2026-06-01T13:30:00Z; serial {serial_number}; not_after {end}"
    }
    assert listing.inputs["entries"] == [
        {
            "name": "alice",
            "generation": 1,
            "serial_number": serial_number,
            "not_after": end,
            "revoked_at": "2026-06-01T13:30:00Z",
            "reason": "keyCompromise",
            "issuer_slot": "mail-ca/1",
        }
    ]
    assert listing.outputs["revoked"] == [
        {
            "name": "alice",
            "serial_number": serial_number,
            "revoked_at": "2026-06-01T13:30:00Z",
            "reason": "keyCompromise",
        }
    ]
    assert {name: listing.outputs[name] for name in planned if name != "crl_pem"} == {
        name: value for name, value in planned.items() if name != "crl_pem"
    }


def test_the_list_itself_says_what_the_outputs_say(
    plugin: PluginRuns, authority: Resource, alice: Resource, listing: Resource
) -> None:
    """Number and dates of the signed list are those that a reviewer saw."""
    plugin.up(listing, declared(authority, [alice], first_crl_number=4711, renew_before_hours=24))
    crl, outputs = crl_of(listing), listing.outputs
    assert number_of(listing) == outputs["crl_number"] == 4711
    assert crl.last_update_utc == instant(outputs["this_update"])
    assert crl.next_update_utc == instant(outputs["next_update"])
    assert instant(outputs["renew_at"]) == instant(outputs["next_update"]) - DAY
    assert (outputs["name"], outputs["authority"], outputs["issuer_slot"]) == ("mail-ca", "mail-ca", "mail-ca/1")


def test_a_second_run_signs_nothing(
    plugin: PluginRuns, authority: Resource, alice: Resource, listing: Resource
) -> None:
    """With the same certificates, before the list is due, nothing differs, after a refresh neither."""
    revoke(plugin, authority, alice, "superseded")
    plugin.up(listing, declared(authority, [alice]))
    plugin.now += DAY
    assert plugin.up(listing, declared(authority, [alice])) == {}
    listing.refresh()
    assert plugin.up(listing, declared(authority, [alice])) == {}


@pytest.mark.parametrize(
    ("days", "reason"),
    [
        (4, "re-signed: half of 7 d have passed on 2026-06-05T00:00:00Z"),
        (30, "re-signed: list 1 expired on 2026-06-08T12:00:00Z"),
    ],
)
def test_the_clock_makes_the_next_list(
    plugin: PluginRuns, authority: Resource, alice: Resource, listing: Resource, days: int, reason: str
) -> None:
    """A list that is due or expired is signed anew with the same entries and the next number."""
    revoke(plugin, authority, alice, "superseded")
    plugin.up(listing, declared(authority, [alice]))
    plugin.now += days * DAY
    plugin.up(listing, declared(authority, [alice]))
    assert (number_of(listing), listing.inputs["reason"]) == (2, reason)
    assert serial_numbers(listing) == {alice.outputs["serial_number"]}


def test_a_removed_client_stays_listed_until_its_certificate_has_expired(
    plugin: PluginRuns, authority: Resource, alice: Resource, bob: Resource, listing: Resource
) -> None:
    """What was revoked is listed once more after its end, then dropped; who was merely removed is not listed."""
    revoke(plugin, authority, alice, "keyCompromise")
    plugin.up(listing, declared(authority, [alice, bob]))
    assert plugin.up(listing, declared(authority, [])) == {}
    plugin.now = instant(alice.outputs["not_after"]) + DAY
    plugin.up(listing, declared(authority, []))
    assert serial_numbers(listing) == {alice.outputs["serial_number"]}
    plugin.now += 4 * DAY
    plugin.up(listing, declared(authority, []))
    assert serial_numbers(listing) == set()
    assert "revoked" not in listing.inputs


def test_a_hold_is_listed_and_taken_back(
    plugin: PluginRuns, authority: Resource, alice: Resource, listing: Resource
) -> None:
    """Each step is a list of its own with the next number."""
    plugin.up(listing, declared(authority, [alice]))
    revoke(plugin, authority, alice, "certificateHold")
    plugin.up(listing, declared(authority, [alice]))
    assert serial_numbers(listing) == {alice.outputs["serial_number"]}
    revoke(plugin, authority, alice, "")
    plugin.up(listing, declared(authority, [alice]))
    assert serial_numbers(listing) == set()
    assert (number_of(listing), listing.inputs["reason"]) == (3, "alice generation 1: certificateHold taken back")


def test_a_hold_whose_client_is_declared_anew_stays(
    plugin: PluginRuns, authority: Resource, alice: Resource, listing: Resource
) -> None:
    """Another certificate of the same name, in a preview not even issued yet, takes nothing back."""
    revoke(plugin, authority, alice, "certificateHold")
    plugin.up(listing, declared(authority, [alice]))
    namesake = {"name": "alice", "serial_number": UNKNOWN, "previous": [], "revoked": []}
    assert plugin.preview(listing, declared(authority, []) | {"certificates": [namesake]})[0] == {}
    again = made(plugin, "alice", client(issued_by(authority.outputs)))
    assert plugin.up(listing, declared(authority, [again])) == {}


def test_a_new_certificate_after_a_revocation_leaves_the_old_one_listed(
    plugin: PluginRuns, authority: Resource, alice: Resource, listing: Resource
) -> None:
    """Issued again with a new key: the list does not change, and the new serial number is not on it."""
    revoke(plugin, authority, alice, "keyCompromise")
    plugin.up(listing, declared(authority, [alice]))
    old = dict(alice.outputs)
    revoke(plugin, authority, alice, "keyCompromise", issue_again=True)
    assert alice.outputs["public_key_fingerprint_sha256"] != old["public_key_fingerprint_sha256"]
    assert plugin.up(listing, declared(authority, [alice])) == {}
    assert serial_numbers(listing) == {old["serial_number"]}


def test_two_certificates_of_one_name_are_both_listed(
    plugin: PluginRuns, authority: Resource, alice: Resource, listing: Resource
) -> None:
    """A client and a host may have the same name; each has its own line, and each names the key that signed it."""
    host = plugin.resource("Certificate", "alice")
    plugin.up(host, server(issued_by(authority.outputs), "alice"))
    revoke(plugin, authority, alice, "keyCompromise")
    plugin.up(host, server(issued_by(authority.outputs), "alice", revoke="superseded"))
    plugin.up(listing, declared(authority, [alice, host]))
    assert serial_numbers(listing) == {alice.outputs["serial_number"], host.outputs["serial_number"]}
    assert listing.inputs["revoked"].keys() == {"alice generation 1", "alice generation 1 (2)"}
    assert [entry["issuer_slot"] for entry in listing.inputs["entries"]] == ["mail-ca/1", "mail-ca/1"]


def test_a_renewed_issuer_with_the_same_key_leaves_the_list_alone(
    plugin: PluginRuns, authority: Resource, alice: Resource, listing: Resource
) -> None:
    """The list verifies under the new certificate as well; only the label of the issuer changes."""
    plugin.up(listing, declared(authority, [alice], lifetime_hours=10 * 8760))
    before = listing.outputs["crl_pem"]
    plugin.now = instant(authority.outputs["renew_at"])
    plugin.up(authority, root())
    plugin.now = instant(listing.outputs["this_update"])
    assert plugin.up(listing, declared(authority, [alice], lifetime_hours=10 * 8760)) == {"issuer": "update"}
    assert listing.outputs["crl_pem"] == before
    assert openssl_crl_verify(crl_of(listing), certificate_of(authority.outputs)).is_accepted


def test_another_key_of_the_issuer_signs_anew_and_the_number_goes_on(
    plugin: PluginRuns, authority: Resource, alice: Resource, listing: Resource
) -> None:
    """Also where a preview does not know the new key yet."""
    plugin.up(listing, declared(authority, [alice]))
    other = made(plugin, "mail-ca-2", root("mail-ca-2"))
    unknown = issued_by(authority.outputs, private_key_pem=UNKNOWN, chain_pem=UNKNOWN)
    _, planned = plugin.preview(listing, declared(authority, [alice]) | unknown)
    assert (planned["crl_number"], planned["crl_pem"]) == (2, UNKNOWN)
    plugin.up(listing, declared(authority, [alice]) | issued_by(other.outputs, "mail-ca-2"))
    assert number_of(listing) == 2
    assert listing.inputs["reason"] == "re-signed with another key, that of mail-ca-2 generation 1"
    assert listing.outputs["issuer_slot"] == "mail-ca-2/1"
    assert openssl_crl_verify(crl_of(listing), certificate_of(other.outputs)).is_accepted


def test_in_a_rollover_each_slot_lists_exactly_what_it_has_signed(plugin: PluginRuns, authority: Resource) -> None:
    """A verifier asks for the list of the key that signed the certificate: only there may its revocation stand."""
    second, successor = SlotId("mail-ca", 2), made(plugin, "mail-ca-2", root("mail-ca-2"))
    under_first, under_second = issued_by(authority.outputs), issued_by(successor.outputs, second)
    alice = made(plugin, "alice", client(under_first))
    before = certificate_of(alice.outputs)
    plugin.up(alice, client(under_second))
    after = certificate_of(alice.outputs)
    lists = {each: plugin.resource("RevocationList", each) for each in ("mail-ca", "mail-ca-2")}

    def run(reason: str) -> None:
        plugin.up(alice, client(under_second, revoke=reason) if reason else client(under_second))
        for (name, listing), issuer in zip(lists.items(), (under_first, under_second), strict=True):
            plugin.up(listing, declared(authority, [alice], name=name) | issuer)

    def verdicts() -> list[bool]:
        cases = zip(lists.values(), (authority, successor), (before, after), strict=True)
        return [
            openssl_verify_strict(
                leaf, roots=[certificate_of(ca.outputs)], purpose=Purpose.CLIENT, at=plugin.now, crl=crl_of(listing)
            ).is_accepted
            for listing, ca, leaf in cases
        ]

    run("")
    assert verdicts() == [True, True]
    run("keyCompromise")
    assert verdicts() == [False, False]
    listed = {name: [entry.serial_number for entry in crl_of(each)] for name, each in lists.items()}
    assert listed == {"mail-ca": [before.serial_number], "mail-ca-2": [after.serial_number]}


def test_a_clock_behind_is_reported_and_signs_nothing(
    plugin: PluginRuns, authority: Resource, alice: Resource, listing: Resource
) -> None:
    """The list stays as it is, and the line says which clock and which list."""
    plugin.up(listing, declared(authority, [alice]))
    plugin.now -= 30 * DAY
    plugin.lines.clear()
    assert plugin.up(listing, declared(authority, [alice])) == {}
    assert set(plugin.lines) == {
        (
            "mail-ca: the clock says 2026-05-02T12:00:00Z, before this_update 2026-06-01T12:00:00Z of list 1: nothing "
            "is signed"
        )
    }


def test_revoked_clients_of_a_roster_are_listed(plugin: PluginRuns, authority: Resource, listing: Resource) -> None:
    """What a roster has issued is read as it is, also in a preview while some of its clients are still to be issued."""
    roster = plugin.resource("ClientRoster", "branches")
    issuer = issued_by(authority.outputs)

    def clients(**fields: str) -> dict[str, Any]:
        lines = (f'{{"email":"{name}@example.org","name":"{name}"{rest}}}' for name, rest in fields.items())
        return {"name": "branches", "clients": "\n".join(lines)} | issuer

    plugin.up(roster, clients(branch1="", branch2=""))
    revoking = clients(branch1=',"revoke":"superseded"', branch2="", branch3="")
    _, planned = plugin.preview(roster, revoking)
    _, shown = plugin.preview(listing, declared(authority, [], rosters={"branches": planned["issued"]}))
    plugin.up(roster, revoking)
    plugin.up(listing, declared(authority, [], rosters={"branches": roster.outputs["issued"]}))
    assert [entry["name"] for entry in listing.outputs["revoked"]] == ["branch1"]
    assert shown["revoked"] == listing.outputs["revoked"]
    assert serial_numbers(listing) == {shown["revoked"][0]["serial_number"]}


DATES = {"generation": 1, "not_before": "2026-01-01T00:00:00Z", "not_after": "2027-01-01T00:00:00Z"}
PREVIOUS = DATES | {"retire_at": "2026-07-01T00:00:00Z"}
REVOKED = DATES | {"revoked_at": "2026-05-01T00:00:00Z", "reason": "superseded"}


def eve(**changes: Any) -> dict[str, Any]:
    """Return a certificate that may be listed, as a program declares it."""
    return {"certificates": [{"name": "eve", "serial_number": "a", "previous": [], "revoked": []} | changes]}


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"lifetime_hours": 1, "first_crl_number": 0}, ["first_crl_number", "lifetime_hours"]),
        ({"renew_before_hours": 168}, ["renew_before_hours"]),
        ({"lifetime_hours": 1, "rosters": {"branches": UNKNOWN}}, ["lifetime_hours", "rosters.branches"]),
        ({"lifetime_hours": UNKNOWN, "renew_before_hours": UNKNOWN}, ["lifetime_hours", "renew_before_hours"]),
        (
            {"lifetime_hours": "a week", "certificates": [{"name": "eve", "serial_number": "A1", "previous": []}]},
            ["certificates[0].revoked", "certificates[0].serial_number", "lifetime_hours"],
        ),
        (eve(revoked=UNKNOWN), ["certificates.eve"]),
        (eve(previous=UNKNOWN), ["certificates.eve"]),
        (eve(previous=[PREVIOUS | {"serial_number": UNKNOWN}]), ["certificates.eve"]),
        (eve(revoked=[REVOKED]), ["certificates.eve"]),
        (
            eve(revoked=[REVOKED | {"reason": "boredom", "serial_number": 5}]),
            ["certificates[0].revoked[0].reason", "certificates[0].revoked[0].serial_number"],
        ),
    ],
)
def test_what_cannot_be_listed_is_refused_all_at_once(
    plugin: PluginRuns, authority: Resource, listing: Resource, changes: dict[str, Any], paths: list[str]
) -> None:
    """Every problem has the property it belongs to."""
    problems = plugin.problems(listing, declared(authority, []) | changes)
    assert sorted(problem.partition(":")[0] for problem in problems) == paths


def test_a_serial_number_that_is_none_is_one_sentence(
    plugin: PluginRuns, authority: Resource, listing: Resource
) -> None:
    """A wrong number would leave a revoked certificate off the list."""
    problems = plugin.problems(listing, declared(authority, []) | eve(revoked=[REVOKED | {"serial_number": "0A"}]))
    assert problems == [
        "certificates[0].revoked[0].serial_number: got '0A', expected the text of a SerialNumber",
    ]


def test_an_authority_without_crl_sign_is_found_in_the_preview(plugin: PluginRuns, listing: Resource) -> None:
    """An adopted certificate may lack the usage; then nothing is planned that cannot be signed."""
    usages = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"), False)
    usages |= dict.fromkeys(("key_agreement", "crl_sign", "encipher_only", "decipher_only"), False)
    certificate = sign_by_hand(
        x509.BasicConstraints(ca=True, path_length=None),
        x509.KeyUsage(key_cert_sign=True, **usages),
        common_name="old-ca",
    )
    adopted = {"common_name": "old-ca", "adopt_certificate_pem": chain_pem([certificate])}
    authority = made(plugin, "old-ca", root("old-ca", **adopted))
    (problem,) = plugin.problems(listing, declared(authority, []) | issued_by(authority.outputs, "old-ca"))
    assert problem.startswith("authority: CN=old-ca may not sign revocation lists: its keyUsage lacks cRLSign")
