"""A root with two levels of authorities below it: chains, limits, and what changes below when something above does."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

from postseal_core.instants import format_instant
from tests.support.engine import Stack, write_project
from tests.support.judges import Purpose, openssl_pkcs12_info, openssl_verify_strict, pkilint_findings
from tests.support.postfix_instance import Boot
from tests.support.smtp_probe import probe
from tests.support.stacks import (
    certificates,
    custom_resources,
    handed_out,
    load_certificates,
    tree,
)

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_openssl]

SERVER_NAME = "mx1.example.org"
PROGRAM = """
import pulumi

import pki
import postfix

settings = pulumi.Config()
slots = {name: pki.Slots(**numbers) for name, numbers in settings.require_object("slots").items()}
root = pki.CertificateAuthority("root-ca", common_name="Root", path_length=2, slots=slots.get("root-ca"))
policy = pki.IntermediateAuthority(
    "policy-ca",
    authority=root,
    common_name="Policy",
    path_length=1,
    name_constraints=pki.NameConstraints(permitted_dns=("example.org",), permitted_email=("example.org",)),
    lifetime=pki.LifetimePolicy(validity_hours=800 * 24, renew_before_hours=710 * 24),
    slots=slots.get("policy-ca"),
)
mail = pki.IntermediateAuthority(
    "mail-ca",
    authority=policy,
    common_name="Mail",
    lifetime=pki.LifetimePolicy(validity_hours=700 * 24),
    slots=slots.get("mail-ca"),
)
alice = pki.ClientCertificate("alice", authority=mail, email=settings.get("email") or "alice@example.org")
mx1 = pki.ServerCertificate("mx1", authority=mail, dns_names=["mx1.example.org"])
archive = pki.Pkcs12("alice", certificate=alice)
pulumi.export("passphrase", archive.passphrase)
postfix.MailServer(
    "mx1", myhostname="mx1.example.org", certificate=mx1, relay_clients=[alice], target=postfix.Directory("out/mx1")
)
pki.HandOut("hand-out", directory="out", authorities=[mail], clients=[alice], archives=[archive])
"""
LEAVES = {"mx1": Purpose.SERVER, "alice": Purpose.CLIENT}

Slots = Mapping[str, Mapping[str, int]]


@dataclass(slots=True)
class Story:
    """A stack on days counted from `origin`; every step leaves a copy of its files, its state and its preview."""

    stack: Stack
    directory: Path
    origin: datetime
    steps: dict[str, Path] = field(default_factory=dict)
    issued: dict[str, dict[str, Mapping[str, Any]]] = field(default_factory=dict)
    previews: dict[str, str] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    passphrase: str = ""

    def take(self, name: str, day: int, slots: Slots) -> None:
        """Preview a step and carry it out."""
        self._declare(day, slots)
        self.previews[name] = str(self.stack.preview(diff=True).expect_success())
        self.stack.up().expect_success()
        self.issued[name] = certificates(self.stack.export())
        self.steps[name] = Path(shutil.copytree(self.stack.project / "out", self.directory / name))

    def refuse(self, name: str, day: int, slots: Slots, **settings: str) -> None:
        """Try a step as a user does, and see it refused with nothing changed."""
        files, state = tree(self.stack.project / "out"), custom_resources(self.stack.export())
        self._declare(day, slots)
        for key, value in settings.items():
            self.stack.set_config(key, value)
        result = self.stack.run("up", "--yes")
        assert not result.is_success
        assert "Updating" not in result.stdout
        assert (tree(self.stack.project / "out"), custom_resources(self.stack.export())) == (files, state)
        self.refusals[name] = str(result)
        for key in settings:
            self.stack.run("config", "rm", key).expect_success()

    def _declare(self, day: int, slots: Slots) -> None:
        self.stack.set_config("postseal:clock", format_instant(self.origin + timedelta(days=day)))
        self.stack.set_config("slots", json.dumps(slots))


MAIL_2 = {"mail-ca": {"active": 2}}


@pytest.fixture(scope="module")
def story(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Renew the middle, roll the lowest authority over, then the root above them; on past days, valid today."""
    directory = tmp_path_factory.mktemp("hierarchy")
    stack = Stack(write_project(directory / "project", PROGRAM), directory / "backend", engine_home).init()
    stack.set_config("postseal:rehearsal", "true")
    told = Story(stack, directory, datetime.now(UTC) - timedelta(days=180))
    told.take("started", 0, {})
    told.refuse("outside", 1, {}, email="alice@example.net")
    told.take("renewed", 100, {})
    told.take("rolling", 105, {"mail-ca": {"active": 2, "retiring": 1}})
    told.refuse("withdrawal too early", 110, MAIL_2)
    told.take("rolled", 125, MAIL_2)
    told.take("published", 135, MAIL_2 | {"root-ca": {"active": 1, "standby": 2}})
    told.refuse("takeover too early", 140, MAIL_2 | {"root-ca": {"active": 2, "retiring": 1}})
    told.take("moved", 150, MAIL_2 | {"root-ca": {"active": 2, "retiring": 1}})
    told.refuse("root too early", 155, MAIL_2 | {"root-ca": {"active": 2}})
    told.take("withdrawn", 175, MAIL_2 | {"root-ca": {"active": 2}})
    told.passphrase = stack.outputs(show_secrets=True)["passphrase"]
    return told


# Which certificates stand above a leaf at each step, and which roots are trusted.
STEPS = ("started", "renewed", "rolling", "rolled", "published", "moved", "withdrawn")
ABOVE = {step: ("mail-ca" if step in STEPS[:2] else "mail-ca-2", "policy-ca") for step in STEPS}
ROOTS = dict.fromkeys(STEPS, ("root-ca",)) | {
    "published": ("root-ca", "root-ca-2"),
    "moved": ("root-ca", "root-ca-2"),
    "withdrawn": ("root-ca-2",),
}


def pems(story: Story, step: str, *names: str) -> list[x509.Certificate]:
    """Return certificates as they are after a step, by name."""
    return [load_certificates(story.issued[step][name]["certificate_pem"])[0] for name in names]


def archive_of(story: Story, step: str) -> tuple[bytes, str]:
    """Return alice's archive with its passphrase, which stays what it was."""
    archive = (story.steps[step] / "clients/alice/alice.p12").read_bytes()
    return archive, story.passphrase


@pytest.mark.parametrize("step", STEPS)
def test_every_chain_is_leaf_first_and_ends_below_the_root(story: Story, step: str) -> None:
    """The resource, the hand-out and the file that Postfix serves hold the same chain in the same order."""
    for name in LEAVES:
        chain = load_certificates(story.issued[step][name]["chain_pem"])
        assert chain == pems(story, step, name, *ABOVE[step])
    served = (story.steps[step] / "mx1/tls/mx1.pem").read_text()
    assert served.startswith("-----BEGIN PRIVATE KEY-----")
    assert load_certificates(served) == pems(story, step, "mx1", *ABOVE[step])
    given = (story.steps[step] / "clients/alice/alice.cert.pem").read_text()
    assert load_certificates(given) == pems(story, step, "alice", *ABOVE[step])


@pytest.mark.parametrize("step", STEPS)
def test_an_archive_holds_everything_up_to_the_active_root(story: Story, step: str) -> None:
    """A mail program imports one file and finds the whole way up, root included, issuer after issuer."""
    archive, passphrase = archive_of(story, step)
    assert openssl_pkcs12_info(archive, passphrase).is_accepted
    _, leaf, above = pkcs12.load_key_and_certificates(archive, passphrase.encode())
    root = "root-ca-2" if step in ("moved", "withdrawn") else "root-ca"
    assert [leaf, *above] == pems(story, step, "alice", *ABOVE[step], root)


@pytest.mark.parametrize("step", STEPS)
def test_trust_bundles_hold_the_roots_and_no_intermediate(story: Story, step: str) -> None:
    """Hosts and clients trust the declared slots of the root; what is below comes with the chains."""
    bundles = list(story.steps[step].rglob("ca.pem"))
    assert len(bundles) == 3
    for path in bundles:
        held = load_certificates(path.read_text())
        assert len(held) == len(ROOTS[step])
        assert set(held) == set(pems(story, step, *ROOTS[step]))


def neighbours() -> list[tuple[str, str]]:
    """Return each step with itself and with the one before: what is served, and what is still held elsewhere."""
    return [(step, held) for index, step in enumerate(STEPS) for held in STEPS[max(index - 1, 0) : index + 1]]


@pytest.mark.parametrize(("step", "held"), neighbours())
def test_a_chain_verifies_with_the_bundle_of_this_step_and_of_the_one_before(
    story: Story, step: str, held: str
) -> None:
    """What is served today verifies with yesterday's roots, and yesterday's chain with today's, as long as accepted."""
    roots = load_certificates((story.steps[held] / "ca/ca.pem").read_text())
    today = load_certificates((story.steps[step] / "ca/ca.pem").read_text())
    for name, purpose in LEAVES.items():
        for chain_of, trusted in ((step, roots), (held, today)):
            leaf, *between = load_certificates(story.issued[chain_of][name]["chain_pem"])
            verdict = openssl_verify_strict(
                leaf, roots=trusted, intermediates=between, purpose=purpose, at=datetime.now(UTC)
            )
            assert verdict.is_accepted, (name, chain_of, verdict.report)


@pytest.mark.needs_postfix
@pytest.mark.parametrize("step", STEPS)
def test_postfix_serves_and_admits_at_every_step(story: Story, postfix_instance: Boot, step: str) -> None:
    """The server verifies with the bundles of this step and the one before; alice relays with every accepted one."""
    instance = postfix_instance(story.steps[step] / "mx1")
    before = STEPS[max(STEPS.index(step) - 1, 0)]
    for held in (before, step):
        ca_pem = (story.steps[held] / "clients/alice/ca.pem").read_text()
        client = handed_out(story.steps[held], "alice")
        answer = probe(instance.port, client_certificate=client, server_name=SERVER_NAME, ca=ca_pem)
        assert (answer.tls_error, answer.may_relay) == ("", True)
    first = probe(instance.port, client_certificate=handed_out(story.steps["started"], "alice"))
    assert first.may_relay == (step in STEPS[:3])
    assert instance.complaints() == []


def test_a_renewed_middle_authority_changes_the_chains_and_issues_nothing_below(story: Story) -> None:
    """Only its own certificate is issued anew; whoever is below shows which generation it now stands below."""
    before, after = story.issued["started"], story.issued["renewed"]
    anew = {name for name in after if after[name]["certificate_pem"] != before[name]["certificate_pem"]}
    assert anew == {"policy-ca"}
    assert after["policy-ca"]["public_key_fingerprint_sha256"] == before["policy-ca"]["public_key_fingerprint_sha256"]
    assert {name: after[name]["issuer"] for name in ("policy-ca", "mail-ca", "alice", "mx1")} == {
        "policy-ca": "root-ca generation 1",
        "mail-ca": "policy-ca generation 2",
        "alice": "mail-ca generation 1 below policy-ca generation 2",
        "mx1": "mail-ca generation 1 below policy-ca generation 2",
    }
    shown = story.previews["renewed"]
    assert "policy-ca: generation 1 -> 2, renewal due since " in shown
    assert '"mail-ca generation 1 below policy-ca generation 1" => ' in shown
    assert "alice: generation" not in shown


def test_an_intermediate_rolls_over_without_a_standby(story: Story) -> None:
    """Its certificate comes with every chain, nothing needs to be published: leaves move at once, with an overlap."""
    moved = story.issued["rolling"]
    assert set(moved) == {"root-ca", "policy-ca", "mail-ca", "mail-ca-2", *LEAVES}
    for name in LEAVES:
        assert moved[name]["issuer"] == "mail-ca-2 generation 1 below policy-ca generation 2"
        assert [each["issuer_slot"] for each in moved[name]["previous"]] == ["mail-ca/1"]
    assert set(story.issued["rolled"]) == {"root-ca", "policy-ca", "mail-ca-2", *LEAVES}


def test_a_retiring_intermediate_is_not_withdrawn_too_early(story: Story) -> None:
    """The refusal names the client whose earlier certificate it signed."""
    assert "alice: generation 1 is accepted until " in story.refusals["withdrawal too early"]
    assert "was signed by mail-ca, which is to be withdrawn" in story.refusals["withdrawal too early"]


def test_a_root_rolls_over_under_its_intermediates(story: Story) -> None:
    """Only what the root signs itself is issued anew; leaves keep their certificates and get another chain."""
    before, after = story.issued["published"], story.issued["moved"]
    anew = {name for name in after if after[name]["certificate_pem"] != before[name]["certificate_pem"]}
    assert anew == {"policy-ca"}
    assert after["policy-ca"]["issuer"] == "root-ca-2 generation 1"
    assert after["alice"]["issuer"] == "mail-ca-2 generation 1 below policy-ca generation 3"


def test_steps_of_the_root_that_are_too_early_are_refused_through_its_intermediates(story: Story) -> None:
    """Who depends on a root here is the authority below it."""
    assert "too early to move from root-ca to root-ca-2" in story.refusals["takeover too early"]
    assert "(policy-ca)" in story.refusals["takeover too early"]
    refusal = story.refusals["root too early"]
    assert "policy-ca: generation 2 is accepted until " in refusal
    assert "was signed by root-ca, which is to be withdrawn" in refusal


def test_a_name_outside_of_what_the_middle_authority_permits_is_refused(story: Story) -> None:
    """The constraint of an authority two levels up holds for every leaf, and the preview says whose it is."""
    expected = "email: got 'alice@example.net', expected a name within example.org, all that CN=Policy may"
    assert expected in story.refusals["outside"]


def test_limits_stand_in_the_certificates(story: Story) -> None:
    """Path lengths go down by one from level to level, and the name constraints are where they were declared."""
    lengths: dict[str, int | None] = {}
    constrained = set()
    for name in ("root-ca-2", "policy-ca", "mail-ca-2"):
        (certificate,) = pems(story, "withdrawn", name)
        lengths[name] = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
        found = [each for each in certificate.extensions if isinstance(each.value, x509.NameConstraints)]
        constrained |= {name for each in found if each.critical}
    assert lengths == {"root-ca-2": 2, "policy-ca": 1, "mail-ca-2": 0}
    assert constrained == {"policy-ca"}


@pytest.mark.parametrize("step", ["started", "withdrawn"])
def test_every_certificate_pleases_the_linter(story: Story, step: str) -> None:
    """Pkilint finds no error in any of them."""
    faults: Sequence[str] = [
        f"{name}: {finding}"
        for name, outputs in story.issued[step].items()
        for finding in pkilint_findings(outputs["certificate_pem"])
        if finding.severity in ("ERROR", "FATAL")
    ]
    assert faults == []
