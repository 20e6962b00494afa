"""A root is rolled over on a stack, step by step: nobody who is declared is ever locked out, nobody else let in."""

import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from postseal_core.instants import format_instant, parse_instant
from tests.support.engine import Result, Stack, write_project
from tests.support.judges import Purpose, openssl_verify_strict, pkilint_findings
from tests.support.postfix_instance import Boot
from tests.support.postfix_overlay import RECEIVING_SIDE, SENDING_SIDE
from tests.support.smtp_probe import probe
from tests.support.stacks import (
    certificates,
    custom_resources,
    handed_out,
    load_certificates,
    table_rows,
    told_of_generations,
    tree,
)
from tests.support.test_authority import ThrowAwayAuthority

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_openssl]

SERVER_NAME = "mx1.example.org"
LISTED = ("alice", "relay2")
CLIENTS = (*LISTED, "bob")
LEAVES = (*CLIENTS, "mx1")
PROGRAM = """
import pulumi

import pki
import postfix

settings = pulumi.Config()
authority = pki.CertificateAuthority(
    "mail-ca",
    common_name="Example Mail CA",
    path_length=settings.get_int("path_length") or 0,
    slots=pki.Slots(**settings.require_object("slots")),
)
alice = pki.ClientCertificate("alice", authority=authority, email="alice@example.org")
bob = pki.ClientCertificate("bob", authority=authority, email="bob@example.org")
relay2 = pki.ClientCertificate("relay2", authority=authority, dns_names=["relay2.example.org"])
mx1 = pki.ServerCertificate("mx1", authority=authority, dns_names=["mx1.example.org"])
postfix.MailServer(
    "mx1",
    myhostname="mx1.example.org",
    certificate=mx1,
    relay_clients=[alice, relay2],
    target=postfix.Directory("out/mx1"),
)
HOP = "[127.0.0.1]:25"
postfix.RelayClient(
    "relay2",
    myhostname="relay2.example.org",
    certificate=relay2,
    settings=postfix.ClientSettings(
        relayhost=HOP, policies=(postfix.DestinationPolicy(HOP, "secure", ("mx1.example.org",)),)
    ),
    trust=[authority],
    target=postfix.Directory("out/relay2"),
)
pki.HandOut("hand-out", directory="out", authorities=[authority], clients=[alice, bob, relay2])
"""

Slots = Mapping[str, int | bool]


@dataclass(slots=True)
class Story:
    """A stack that is rolled over on days counted from `origin`; every step leaves a copy of files and state."""

    stack: Stack
    directory: Path
    origin: datetime
    steps: dict[str, Path] = field(default_factory=dict)
    states: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    previews: dict[str, str] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)

    def preview(self, name: str, day: int, slots: Slots) -> None:
        """Keep what a preview of a step shows."""
        self._declare(day, slots)
        self.previews[name] = str(self.stack.preview(diff=True).expect_success())

    def take(self, name: str, day: int, slots: Slots) -> None:
        """Carry a step out."""
        self._declare(day, slots)
        self.stack.up().expect_success()
        self.states[name] = self.stack.export(show_secrets=True)
        self.steps[name] = Path(shutil.copytree(self.stack.project / "out", self.directory / name))

    def refuse(self, name: str, day: int, slots: Slots) -> None:
        """Try a step as a user does, and see it refused with nothing changed."""
        files, state = tree(self.stack.project / "out"), custom_resources(self.stack.export())
        self._declare(day, slots)
        result: Result = self.stack.run("up", "--yes")
        assert not result.is_success
        assert "Updating" not in result.stdout
        assert tree(self.stack.project / "out") == files
        assert custom_resources(self.stack.export()) == state
        self.refusals[name] = str(result)

    def issued(self, step: str) -> dict[str, Mapping[str, Any]]:
        """Return the outputs of all certificates after a step."""
        return certificates(self.states[step])

    def root(self, step: str, name: str) -> x509.Certificate:
        """Return the root of a slot as it was after a step."""
        return load_certificates(self.issued(step)[name]["certificate_pem"])[0]

    def _declare(self, day: int, slots: Slots) -> None:
        self.stack.set_config("postseal:clock", format_instant(self.origin + timedelta(days=day)))
        self.stack.set_config("slots", json.dumps(slots))


@pytest.fixture(scope="module")
def new_story(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Story]:
    """Return a function that begins a story."""

    def begin(origin: datetime, *, path_length: int = 0) -> Story:
        directory = tmp_path_factory.mktemp("rollover")
        stack = Stack(write_project(directory / "project", PROGRAM), directory / "backend", engine_home).init()
        stack.set_config("postseal:rehearsal", "true")
        stack.set_config("path_length", str(path_length))
        return Story(stack, directory, origin)

    return begin


def subjects(path: Path) -> list[str]:
    """Return the common names in a file of certificates, in its order."""
    return [each.subject.rfc4514_string() for each in load_certificates(path.read_text())]


def protection(state: Mapping[str, Any]) -> dict[str, bool]:
    """Return whether the keys and certificates of authorities are protected, by resource name."""
    found = {each["urn"].rpartition("::")[2]: each.get("protect", False) for each in custom_resources(state)}
    return {name: is_protected for name, is_protected in found.items() if name.startswith("mail-ca")}


# A rollover of a root in its three steps. Its days are past ones, so that Postfix finds every certificate valid today.

STEPS = ("started", "published", "moved", "withdrawn")
OLD, NEW = "CN=Example Mail CA", "CN=Example Mail CA 2"
BUNDLES = {"started": [OLD], "published": [OLD, NEW], "moved": [NEW, OLD], "withdrawn": [NEW]}
ACCEPTED = {"started": {1}, "published": {1}, "moved": {1, 2}, "withdrawn": {2}}
NEIGHBOURS = [
    (receiver, sender) for here, receiver in enumerate(STEPS) for sender in STEPS[max(here - 1, 0) : here + 2]
]


@pytest.fixture(scope="module")
def story(new_story: Callable[..., Story]) -> Story:
    """Roll a root over, with a step too early before each step."""
    told = new_story(datetime.now(UTC) - timedelta(days=60))
    told.take("started", 0, {"active": 1})
    told.refuse("unpublished", 5, {"active": 2, "retiring": 1})
    told.take("published", 10, {"active": 1, "standby": 2})
    told.refuse("takeover too early", 20, {"active": 2, "retiring": 1})
    told.refuse("nothing retiring", 30, {"active": 2})
    told.take("moved", 30, {"active": 2, "retiring": 1})
    told.refuse("withdrawal too early", 40, {"active": 2})
    told.take("withdrawn", 50, {"active": 2})
    return told


def clients_of(story: Story, step: str) -> dict[tuple[str, int], Any]:
    """Return the certificates that clients were given at a step and at the one before, by name and generation."""
    steps = [STEPS[max(STEPS.index(step) - 1, 0)], step]
    return {
        (name, story.issued(each)[name]["generation"]): handed_out(story.steps[each], name)
        for each in steps
        for name in CLIENTS
    }


@pytest.mark.needs_postfix
@pytest.mark.parametrize("step", STEPS)
def test_at_every_step_the_accepted_certificates_relay_and_no_others(
    story: Story, postfix_instance: Boot, step: str
) -> None:
    """Old and new certificates relay while both are accepted; who is unlisted, withdrawn or foreign does not."""
    instance = postfix_instance(story.steps[step] / "mx1")
    clients = clients_of(story, step)
    seen = {key: probe(instance.port, client_certificate=client).may_relay for key, client in clients.items()}
    assert seen == {(name, generation): name in LISTED and generation in ACCEPTED[step] for name, generation in clients}
    foreign = ThrowAwayAuthority("Example Mail CA").issue_client("alice@example.org")
    assert not probe(instance.port, client_certificate=foreign).may_relay
    assert not probe(instance.port).may_relay
    assert instance.complaints() == []


@pytest.mark.needs_postfix
@pytest.mark.parametrize("step", STEPS)
def test_the_served_certificate_verifies_with_what_clients_hold(
    story: Story, postfix_instance: Boot, step: str
) -> None:
    """With the ca.pem of this step and with that of the step before; two steps behind is what publishing is for."""
    instance = postfix_instance(story.steps[step] / "mx1")
    here = STEPS.index(step)
    for name in CLIENTS:
        held = {each: (story.steps[each] / f"clients/{name}/ca.pem").read_text() for each in STEPS}
        errors = {
            each: probe(instance.port, server_name=SERVER_NAME, ca=pem).tls_error
            for each, pem in held.items()
            if STEPS.index(each) <= here
        }
        assert not errors[step]
        assert not errors[STEPS[max(here - 1, 0)]]
        assert bool(errors["started"]) == (here >= STEPS.index("moved"))


@pytest.mark.needs_postfix
@pytest.mark.parametrize(("receiver", "sender"), NEIGHBOURS)
def test_a_host_that_verifies_the_server_is_never_locked_out(
    story: Story, postfix_instance: Boot, tmp_path: Path, receiver: str, sender: str
) -> None:
    """Level `secure` verifies a step behind and a step ahead; ahead, the client's new certificate must be listed."""
    receiving = postfix_instance(story.steps[receiver] / "mx1", overrides=RECEIVING_SIDE)
    directory = Path(shutil.copytree(story.steps[sender] / "relay2", tmp_path / "sender"))
    for path in (directory / "main.cf", directory / "tls_policy"):
        path.write_text(path.read_text().replace("[127.0.0.1]:25", f"[127.0.0.1]:{receiving.port}"))
    delivery = postfix_instance(directory, overrides=SENDING_SIDE).send("someone@elsewhere.test")
    is_accepted = story.issued(sender)["relay2"]["generation"] in ACCEPTED[receiver]
    assert (delivery.trust, delivery.status == "sent") == ("Verified", is_accepted)
    assert is_accepted or (receiver, sender) == ("published", "moved")


@pytest.mark.parametrize("step", STEPS)
def test_every_trust_bundle_holds_the_declared_slots_and_no_more(story: Story, step: str) -> None:
    """Hosts and hand-outs change in the same `up`: from one root to two and to the other one."""
    out = story.steps[step]
    files = [out / "ca/ca.pem", *(out / f"clients/{name}/ca.pem" for name in CLIENTS)]
    files += [path for path in out.rglob("*") if path.name == "ca.pem" and path not in files]
    assert len(files) == 6
    assert {tuple(sorted(subjects(path))) for path in files} == {tuple(sorted(BUNDLES[step]))}


def test_a_takeover_without_a_standby_or_too_early_is_refused_in_one_sentence(story: Story) -> None:
    """The sentence says what was published when and when it may take over; the standby time counts from the first."""
    for name, published in (("unpublished", 5), ("takeover too early", 10)):
        since = (story.origin + timedelta(days=published)).replace(minute=0, second=0)
        assert (
            "has a problem: too early to move from mail-ca to mail-ca-2: it was published on "
            f"{format_instant(since)} and takes over from {format_instant(since + timedelta(days=14))} on; until then "
            "keep it as standby"
        ) in story.refusals[name]


@pytest.mark.parametrize("name", ["nothing retiring", "withdrawal too early"])
def test_a_withdrawal_names_who_still_depends_on_the_old_root(story: Story, name: str) -> None:
    """Everybody whose certificate a relay or a hand-out still answers for is named with the day to wait for."""
    taken = story.origin + timedelta(days=30, hours=336)
    until = {each["retire_at"] for leaf in LISTED for each in story.issued("moved")[leaf]["previous"]}
    assert {parse_instant(each) - taken < timedelta(minutes=5) for each in until} == {True}
    shown = story.refusals[name]
    end = "which is to be withdrawn: keep it as retiring until then"
    named = [who for who in CLIENTS if f"{who}: generation 1 is accepted until " in shown]
    assert named in (list(LISTED), list(CLIENTS))
    assert shown.count(end) >= len(named)


def test_all_leaves_move_in_the_same_run_each_with_an_overlap(story: Story) -> None:
    """After the takeover everything is signed by the new slot, and the old generation is accepted for 14 days."""
    before, after = story.issued("published"), story.issued("moved")
    for name in LEAVES:
        assert after[name]["issuer"] == "mail-ca-2 generation 1"
        (previous,) = after[name]["previous"]
        assert previous["fingerprint_sha256"] == before[name]["fingerprint_sha256"]
        assert (previous["generation"], previous["issuer_slot"]) == (1, "mail-ca/1")
        assert story.issued("withdrawn")[name]["previous"] == []
        assert story.issued("withdrawn")[name]["certificate_pem"] == after[name]["certificate_pem"]


def test_a_slot_is_protected_until_it_retires(story: Story) -> None:
    """The retiring slot loses its protection one step before it is deleted; nothing else ever does."""
    assert {step: protection(story.states[step]) for step in STEPS} == {
        "started": {"mail-ca": True, "mail-ca-key": True},
        "published": dict.fromkeys(("mail-ca", "mail-ca-key", "mail-ca-2", "mail-ca-2-key"), True),
        "moved": {"mail-ca": False, "mail-ca-key": False, "mail-ca-2": True, "mail-ca-2-key": True},
        "withdrawn": {"mail-ca-2": True, "mail-ca-2-key": True},
    }


def test_rows_are_added_at_the_takeover_and_go_with_the_overlap(story: Story) -> None:
    """A relay's table holds each listed client's accepted generations, by name."""
    for step in STEPS:
        rows = {tuple(rest.split()[:2]) for rest in table_rows(story.steps[step] / "mx1").values()}
        assert rows == {(name, f"generation={number}") for name in LISTED for number in ACCEPTED[step]}


# A rollover in a hurry, where the old root certifies the new one.

CROSSED: Slots = {"active": 2, "retiring": 1, "standby_hours": 0, "cross_sign": True}


@pytest.fixture(scope="module")
def crossed(new_story: Callable[..., Story]) -> Story:
    """Roll a root over at once with a cross certificate, go back, and do it again to the end."""
    told = new_story(datetime.now(UTC) - timedelta(days=60), path_length=1)
    told.take("started", 0, {"active": 1})
    told.preview("crossed", 1, CROSSED)
    told.take("crossed", 1, CROSSED)
    told.take("back", 2, {"active": 1, "standby": 2})
    told.take("again", 3, CROSSED)
    told.take("withdrawn", 40, {"active": 2})
    return told


def verdicts(story: Story, step: str, name: str, roots: Sequence[str]) -> dict[str, bool]:
    """Return by root whether openssl accepts the chain of a leaf when it knows this root only."""
    leaf, *between = load_certificates(story.issued(step)[name]["chain_pem"])
    purpose = Purpose.SERVER if name == "mx1" else Purpose.CLIENT
    judged = {
        root: openssl_verify_strict(
            leaf,
            roots=[story.root("crossed", root)],
            intermediates=between,
            purpose=purpose,
            at=leaf.not_valid_before_utc + timedelta(hours=2),
        )
        for root in roots
    }
    return {root: verdict.is_accepted for root, verdict in judged.items()}


@pytest.mark.parametrize("name", LEAVES)
@pytest.mark.parametrize(
    ("step", "is_known_to_old", "is_known_to_new"),
    [("crossed", True, True), ("back", True, False), ("again", True, True), ("withdrawn", False, True)],
)
def test_a_cross_signed_leaf_verifies_with_either_root_alone(
    crossed: Story, name: str, step: str, *, is_known_to_old: bool, is_known_to_new: bool
) -> None:
    """While the cross certificate is in the chain the old root alone is enough, and so is the new one."""
    expected = {"mail-ca": is_known_to_old, "mail-ca-2": is_known_to_new}
    assert verdicts(crossed, step, name, list(expected)) == expected


def test_the_cross_certificate_leaves_the_chains_with_the_old_root(crossed: Story) -> None:
    """The chains are built anew when it goes, and no certificate is issued for that."""
    lengths = {step: len(load_certificates(crossed.issued(step)["mx1"]["chain_pem"])) for step in crossed.steps}
    assert lengths == {"started": 1, "crossed": 2, "back": 1, "again": 2, "withdrawn": 1}
    for name in LEAVES:
        assert crossed.issued("withdrawn")[name]["certificate_pem"] == crossed.issued("again")[name]["certificate_pem"]
    assert sorted(crossed.issued("withdrawn")) == sorted([*LEAVES, "mail-ca-2"])
    assert subjects(crossed.steps["withdrawn"] / "mx1/tls/mx1.pem") == [f"CN={SERVER_NAME}"]


def test_the_cross_certificate_has_no_more_room_than_the_old_root_leaves(crossed: Story) -> None:
    """Its path length is one less than the root's, its key the new root's, and the linter finds no error."""
    pem = crossed.issued("crossed")["mail-ca-2-by-mail-ca"]["certificate_pem"]
    (cross,) = load_certificates(pem)
    limits = cross.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (limits.ca, limits.path_length) == (True, 0)
    assert cross.public_key() == crossed.root("crossed", "mail-ca-2").public_key()
    assert cross.not_valid_after_utc <= crossed.root("crossed", "mail-ca").not_valid_after_utc
    assert [each for each in pkilint_findings(pem) if each.severity in ("ERROR", "FATAL")] == []


@pytest.mark.needs_postfix
def test_clients_that_know_only_the_old_root_verify_a_cross_signed_server(
    crossed: Story, postfix_instance: Boot
) -> None:
    """The ca.pem from before the rollover is enough for the chain that Postfix serves after it."""
    instance = postfix_instance(crossed.steps["crossed"] / "mx1")
    held = {step: (crossed.steps[step] / "ca/ca.pem").read_text() for step in ("started", "crossed", "withdrawn")}
    answers = {step: probe(instance.port, server_name=SERVER_NAME, ca=pem) for step, pem in held.items()}
    assert {step: answer.tls_error for step, answer in answers.items()} == dict.fromkeys(held, "")
    assert probe(instance.port, client_certificate=handed_out(crossed.steps["crossed"], "alice")).may_relay
    assert probe(instance.port, client_certificate=handed_out(crossed.steps["started"], "alice")).may_relay
    assert instance.complaints() == []


def test_a_takeover_is_taken_back_by_declaring_the_old_slot_active_again(crossed: Story) -> None:
    """Everything is signed by the old slot again, and what was issued in between stays accepted for its overlap."""
    assert crossed.issued("back")["alice"]["issuer"] == "mail-ca generation 1"
    previous = crossed.issued("back")["alice"]["previous"]
    assert [(each["generation"], each["issuer_slot"]) for each in previous] == [(1, "mail-ca/1"), (2, "mail-ca/2")]
    assert protection(crossed.states["back"]) == dict.fromkeys(
        ("mail-ca", "mail-ca-key", "mail-ca-2", "mail-ca-2-key"), True
    )


# A stack that is run seldom: a renewal falls into the standby time, and then nobody runs it for more than a year.


@pytest.fixture(scope="module")
def late(new_story: Callable[..., Story]) -> Story:
    """Roll over while everything else becomes due."""
    told = new_story(datetime(2026, 1, 1, tzinfo=UTC))
    told.take("started", 0, {"active": 1})
    told.take("published", 240, {"active": 1, "standby": 2})
    told.preview("due", 245, {"active": 1, "standby": 2})
    told.take("due", 245, {"active": 1, "standby": 2})
    told.take("moved", 255, {"active": 2, "retiring": 1})
    told.preview("year", 700, {"active": 2})
    told.take("year", 700, {"active": 2})
    return told


@pytest.mark.parametrize("name", LEAVES)
def test_a_renewal_that_is_due_during_the_standby_time_is_made_by_the_active_slot(late: Story, name: str) -> None:
    """It is not put off: it is renewed by the old slot, moves later, and all that is valid is accepted meanwhile."""
    begun = late.origin - timedelta(hours=1)  # a certificate begins an hour before the full hour of its issue
    due = format_instant(begun + timedelta(days=365) * 2 / 3)
    line = rf"g1 -> g2 until \S+, renewal due since {due}: two thirds of 365 d have passed"
    assert re.match(line, told_of_generations(late.previews["due"], name))
    assert late.issued("due")[name]["issuer"] == "mail-ca generation 1"
    moved = late.issued("moved")[name]
    assert (moved["generation"], moved["issuer"]) == (3, "mail-ca-2 generation 1")
    assert [each["generation"] for each in moved["previous"]] == [1, 2]


@pytest.mark.parametrize("name", LEAVES)
def test_after_a_year_without_a_run_what_expired_is_replaced_and_the_old_root_can_go(late: Story, name: str) -> None:
    """One `up` replaces every expired certificate, withdraws the retiring root with it, and the preview says why."""
    end = late.issued("moved")[name]["not_after"]
    assert re.match(
        rf"g3 -> g4 until \S+, generation 3 expired on {end}", told_of_generations(late.previews["year"], name)
    )
    issued = late.issued("year")
    assert (issued[name]["generation"], issued[name]["previous"]) == (4, [])
    assert "mail-ca" not in issued
    rows = [rest.split()[:2] for rest in table_rows(late.steps["year"] / "mx1").values()]
    assert sorted(rows) == [[name, "generation=4"] for name in LISTED]
