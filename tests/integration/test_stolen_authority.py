"""The key of an authority is stolen: in one `up` nobody trusts it and nothing it signed relays; booted hosts tell."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from postseal.report.forecast import forecast
from postseal.report.inventory import build_inventory
from postseal.report.selection import to_serve_anew
from tests.support.engine import REPOSITORY
from tests.support.judges import Purpose, openssl_crl_text, openssl_crl_verify, openssl_verify_strict
from tests.support.postfix_instance import Boot, PostfixInstance
from tests.support.postfix_overlay import RECEIVING_SIDE, SENDING_SIDE
from tests.support.smtp_probe import probe
from tests.support.stacks import (
    MailStack,
    certificates,
    custom_resources,
    handed_out,
    load_certificates,
    mail_stack,
    resource_outputs,
    revealed,
    table_rows,
    told_of_generations,
    tree,
)
from tests.support.test_authority import Credential
from tests.support.thief import forged

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_openssl]

SERVER_NAME = "mx1.example.org"
HOP = "[127.0.0.1]:25"
PEOPLE = {"alice": "clients", "relay2": "clients", "anna": "rosters/staff"}
STEPS = ("before", "distrusted", "left out")
SECTIONS: dict[str, Any] = {
    "authority": {"common_name": "Example Mail CA", "path_length": 0, "crl": True},
    "clients": {"alice": {"email": "alice@example.org"}, "relay2": {"dns_names": ["relay2.example.org"]}},
    "rosters": {"staff": {"clients": {"anna": {"email": "anna@example.org"}}, "hand_out": True}},
    "hosts": {
        "mx1": {"myhostname": SERVER_NAME, "relay_clients": ["alice", "relay2"], "relay_rosters": ["staff"]},
        "relay2": {
            "myhostname": "relay2.example.org",
            "certificate": "none",
            "relay_through": {"relayhost": HOP, "certificate": "relay2"},
            "policies": {HOP: {"level": "secure", "match": [SERVER_NAME]}},
        },
    },
}


def with_slots(**slots: Any) -> dict[str, Any]:
    """Return the stack file with these slots of its authority."""
    return SECTIONS | {"authority": SECTIONS["authority"] | {"slots": slots}}


@dataclass(slots=True)
class Hour:
    """One stack through the hour in which a key was stolen; each step leaves a copy of files and state."""

    mail: MailStack
    directory: Path
    steps: dict[str, Path] = field(default_factory=dict)
    states: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    outputs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)

    def take(self, step: str, sections: Mapping[str, Any]) -> None:
        """Preview a step, carry it out, and see that nothing is left to do."""
        self.mail.declare(sections)
        self.said[f"preview {step}"] = str(self.mail.stack.preview("--diff").expect_success())
        self.said[step] = str(self.mail.stack.up().expect_success())
        self.states[step] = self.mail.stack.export(show_secrets=True)
        self.outputs[step] = self.mail.stack.outputs()
        self.steps[step] = Path(shutil.copytree(self.mail.out, self.directory / step))
        assert self.mail.stack.preview(expect_no_changes=True).is_success

    def refuse(self, name: str, sections: Mapping[str, Any]) -> None:
        """Try a step, and see it refused with nothing changed."""
        files, state = tree(self.mail.out), custom_resources(self.mail.stack.export())
        self.mail.declare(sections)
        result = self.mail.stack.run("up", "--yes")
        assert not result.is_success
        assert tree(self.mail.out) == files
        assert custom_resources(self.mail.stack.export()) == state
        self.said[name] = str(result)

    def forged(self, name: str, *, is_server: bool = False) -> Credential:
        """Return what the thief signs, with the key as it was before the theft was noticed."""
        resources = {each["urn"].rpartition("::")[2]: each for each in custom_resources(self.states["before"])}
        key_pem = str(revealed(resources["authority-key"]["outputs"]["privateKeyPem"]))
        authority_pem = (self.steps["before"] / "ca/ca.pem").read_text()
        return forged(authority_pem, key_pem, name, is_server=is_server)

    def served(self, step: str) -> dict[str, Credential]:
        """Return what people were handed at a step."""
        return {name: handed_out(self.steps[step], name, kind) for name, kind in PEOPLE.items()}

    def host(self, step: str, name: str) -> Path:
        """Return the directory of a host after a step."""
        return self.steps[step] / name / "postfix"


@pytest.fixture(scope="module")
def hour(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Hour:
    """Live through the hour: the day before, the emergency step, the stolen slot left out."""
    directory = tmp_path_factory.mktemp("stolen")
    told = Hour(mail_stack(directory, engine_home), directory)
    told.take("before", SECTIONS)
    told.refuse("no other slot", with_slots(active=1, distrusted=1))
    told.take("distrusted", with_slots(active=2, distrusted=1))
    told.refuse("trusted again", with_slots(active=2, retiring=1))
    told.refuse("signing again", with_slots(active=1, standby=2))
    told.take("left out", with_slots(active=2))
    return told


def relaying(instance: PostfixInstance, people: Mapping[str, Credential]) -> set[str]:
    """Return who may relay through a host."""
    seen = {
        name: probe(instance.port, client_certificate=each, server_name=SERVER_NAME) for name, each in people.items()
    }
    return {name for name, answer in seen.items() if answer.may_relay}


@pytest.mark.needs_postfix
@pytest.mark.parametrize("step", STEPS)
def test_old_certificates_are_refused_and_those_issued_again_accepted(
    hour: Hour, postfix_instance: Boot, step: str
) -> None:
    """From the emergency step on; whoever forges with the stolen key is in no table at any step."""
    instance = postfix_instance(hour.host(step, "mx1"))
    assert relaying(instance, hour.served("before")) == (set(PEOPLE) if step == "before" else set())
    assert relaying(instance, hour.served(step)) == set(PEOPLE)
    assert relaying(instance, {"thief": hour.forged("alice@example.org")}) == set()
    assert instance.complaints() == []


@pytest.mark.needs_postfix
@pytest.mark.parametrize("step", STEPS)
def test_a_host_that_lets_in_by_trust_no_longer_believes_the_thief(
    hour: Hour, postfix_instance: Boot, step: str
) -> None:
    """A foreign server that trusts our ca.pem accepts the forged client before, and only our own after."""
    trusting = {
        "smtpd_tls_CAfile": str(hour.steps[step] / "ca/ca.pem"),
        "smtpd_relay_restrictions": "permit_tls_all_clientcerts, reject",
        "smtpd_recipient_restrictions": "permit_tls_all_clientcerts, reject",
    }
    instance = postfix_instance(hour.host(step, "mx1"), overrides=trusting, is_chrooted=False)
    assert relaying(instance, {"thief": hour.forged("x@example.org")}) == ({"thief"} if step == "before" else set())
    assert relaying(instance, hour.served(step)) == set(PEOPLE)
    assert relaying(instance, hour.served("before")) == (set(PEOPLE) if step == "before" else set())


@pytest.mark.needs_postfix
@pytest.mark.parametrize(
    ("step", "server", "trust"),
    [
        ("before", "before", "Verified"),
        ("before", "thief", "Verified"),
        ("distrusted", "distrusted", "Verified"),
        ("distrusted", "thief", ""),
        ("distrusted", "before", ""),
        ("left out", "left out", "Verified"),
        ("left out", "thief", ""),
    ],
)
def test_a_host_that_sends_verifies_the_new_server_and_never_a_forged_one(
    hour: Hour, postfix_instance: Boot, tmp_path: Path, step: str, server: str, trust: str
) -> None:
    """What cannot be verified is deferred, so mail waits in the queue of a host that was not carried over yet."""
    receiver = Path(shutil.copytree(hour.host("before" if server == "thief" else server, "mx1"), tmp_path / "receiver"))
    if server == "thief":
        (receiver / "tls/mx1.pem").chmod(0o600)
        (receiver / "tls/mx1.pem").write_text(hour.forged(SERVER_NAME, is_server=True).chain_pem)
    receiving = postfix_instance(receiver, overrides=RECEIVING_SIDE)
    sender = Path(shutil.copytree(hour.host(step, "relay2"), tmp_path / "sender"))
    for path in (sender / "main.cf", sender / "tls_policy"):
        path.write_text(path.read_text().replace(HOP, f"[127.0.0.1]:{receiving.port}"))
    settings = {name: value for name, value in SENDING_SIDE.items() if name != "soft_bounce"}
    delivery = postfix_instance(sender, overrides=settings).send("someone@elsewhere.test")
    assert (delivery.trust if delivery.trust == "Verified" else "") == trust
    if not trust:
        assert delivery.status == "deferred"


def test_nothing_that_is_written_trusts_the_stolen_key(hour: Hour) -> None:
    """Trust files, hand-outs, archives of trust and rows: all of it is of the other slot in the same run."""
    (stolen,) = load_certificates((hour.steps["before"] / "ca/ca.pem").read_text())
    for step in ("distrusted", "left out"):
        bundles = [path for path in hour.steps[step].rglob("*") if path.name == "ca.pem"]
        assert len(bundles) >= 4
        for path in bundles:
            found = load_certificates(path.read_text())
            assert [each.subject.rfc4514_string() for each in found] == ["CN=Example Mail CA 2"]
        for path in hour.steps[step].rglob("*.pem"):
            if ".crl" not in path.name and "CERTIFICATE" in path.read_text():
                for each in load_certificates(path.read_text()):
                    assert each.public_key() != stolen.public_key()
                    assert each.issuer != stolen.subject
        old = {each.fingerprint_sha256 for each in hour.served("before").values()}
        rows = table_rows(hour.host(step, "mx1"))
        assert not old & rows.keys()
        assert sorted(row.split()[0] for row in rows.values()) == sorted(PEOPLE)


def test_everybody_who_must_be_served_anew_is_named(hour: Hour) -> None:
    """In the preview, in `up`, in the output, in the report; and the forecast renews nothing of the stolen slot."""
    today = datetime.now(UTC)
    again = f"issued again on {today:%Y-%m-%d} with a new key: authority is distrusted"
    for name in ("alice", "relay2", "mx1"):
        assert again in told_of_generations(hour.said["preview distrusted"], name)
        assert f"{name}: generation 1 -> 2, {again}" in hour.said["distrusted"]
    for said in (hour.said["preview distrusted"], hour.said["distrusted"]):
        assert "staff: authority is distrusted; to be served anew: anna" in said
    expected = {"servers": ["mx1"], "clients": ["alice", "relay2"], "rosters.staff": ["anna"]}
    assert hour.outputs["distrusted"]["distrusted"] == {"authority": expected}
    assert "distrusted" not in hour.outputs["before"]
    assert "distrusted" not in hour.outputs["left out"]
    inventory = build_inventory(hour.states["distrusted"], today)
    assert to_serve_anew(inventory.items) == (
        "authority is distrusted; to be served anew: client alice, client relay2, client staff/anna, server mx1",
    )
    stolen = next(each for each in inventory.items if each.name == "authority" and each.kind.is_authority)
    assert (stolen.state.value, stolen.next_action) == ("revoked", None)
    foreseen = forecast(hour.states["distrusted"], today, today + timedelta(days=4000))
    assert {each.name for each in foreseen if each.kind == "root"} == {"authority-2"}


def test_the_last_list_of_the_stolen_slot_names_all_that_it_has_signed(hour: Hour) -> None:
    """For those who still trust the old root and read lists; the list of the new slot is empty."""
    state = certificates(hour.states["before"])
    serials = {load_certificates(each.certificate_pem)[0].serial_number for each in hour.served("before").values()}
    serials.add(load_certificates(state["mx1"]["certificate_pem"])[0].serial_number)
    (root,) = load_certificates((hour.steps["before"] / "ca/ca.pem").read_text())
    crl = x509.load_der_x509_crl((hour.steps["distrusted"] / "crl/authority.crl").read_bytes())
    assert {each.serial_number for each in crl} == serials
    assert openssl_crl_verify(crl, root).is_accepted
    assert openssl_crl_text(crl).count("CA Compromise") == len(serials)
    new = x509.load_der_x509_crl((hour.steps["distrusted"] / "crl/authority-2.crl").read_bytes())
    assert list(new) == []
    assert sorted(path.name for path in (hour.steps["left out"] / "crl").iterdir()) == [
        "authority-2.crl",
        "authority-2.crl.pem",
    ]


def test_the_key_goes_when_the_slot_is_left_out(hour: Hour) -> None:
    """Until then it signs the list; what was protected before can be deleted after the emergency step."""
    names = {
        step: {
            each["urn"].rpartition("::")[2]
            for each in custom_resources(hour.states[step], "tls:index/privateKey:PrivateKey")
        }
        for step in STEPS
    }
    keys = {"authority-key", "authority-2-key"}
    assert names == {"before": {"authority-key"}, "distrusted": keys, "left out": {"authority-2-key"}}
    lists = resource_outputs(hour.states["left out"], "postseal:index:RevocationList")
    assert set(lists) == {"authority-2"}


def test_a_step_that_leaves_nobody_to_sign_or_trusts_the_key_again_is_refused_in_words(hour: Hour) -> None:
    """Nothing was changed by any of them."""
    assert (
        "authority.slots.distrusted: got 1, which is active as well: nothing could be signed with it"
        in hour.said["no other slot"]
    )
    for name in ("trusted again", "signing again"):
        assert "a key that others may know is never trusted again" in hour.said[name]


# The key of an intermediate is stolen: its root vouches for it, and Postfix reads no lists.

BELOW: dict[str, Any] = {
    "authorities": {
        "root": {"common_name": "Example Root", "path_length": 1, "crl": True},
        "issuing": {"common_name": "Example Issuing CA", "issuer": "root", "crl": True},
    },
    "servers": {"mx1": {"authority": "issuing", "dns_names": [SERVER_NAME]}},
    "clients": {"alice": {"authority": "issuing", "email": "alice@example.org"}},
    "hosts": {"mx1": {"myhostname": SERVER_NAME, "relay_clients": ["alice"]}},
}


def openssl_verify(leaf: x509.Certificate, **chain: Any) -> bool:
    """Return whether openssl verifies a server's chain now; no list is read, as Postfix reads none."""
    return openssl_verify_strict(leaf, purpose=Purpose.SERVER, at=datetime.now(UTC), **chain).is_accepted


def below(**slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stack file with slots of the root and of the intermediate."""
    authorities = {name: each | {"slots": slots.get(name, {})} for name, each in BELOW["authorities"].items()}
    return BELOW | {"authorities": authorities}


@pytest.fixture(scope="module")
def hierarchy(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Hour:
    """Live through the hour with an intermediate; then the root alone is stolen, too."""
    directory = tmp_path_factory.mktemp("intermediate")
    told = Hour(mail_stack(directory, engine_home), directory)
    told.take("before", BELOW)
    told.refuse("intermediate only", below(issuing={"active": 2, "distrusted": 1}))
    told.take("both", below(root={"active": 2, "distrusted": 1}, issuing={"active": 2, "distrusted": [1]}))
    told.take("root only", below(root={"active": 3, "distrusted": [1, 2]}, issuing={"active": 2, "distrusted": [1]}))
    return told


def test_a_stolen_intermediate_is_not_distrusted_while_its_root_vouches_for_it(hierarchy: Hour) -> None:
    """The refusal names the slot to distrust with it."""
    assert (
        "is distrusted, but root, which certified it, is not: whoever trusts that root would go on believing what the "
        "stolen key signs, since Postfix reads no revocation lists. Distrust root in the same change, below `slots` of "
        "root"
    ) in hierarchy.said["intermediate only"].replace("\n", " ")


def test_an_intermediate_and_its_root_go_in_one_run(hierarchy: Hour) -> None:
    """The forged chain verifies with the old ca.pem and not with the new one; the new chain with the new one only."""
    resources = {each["urn"].rpartition("::")[2]: each for each in custom_resources(hierarchy.states["before"])}
    key_pem = str(revealed(resources["issuing-key"]["outputs"]["privateKeyPem"]))
    issuing_pem = certificates(hierarchy.states["before"])["issuing"]["certificate_pem"]
    (fake,) = load_certificates(forged(issuing_pem, key_pem, SERVER_NAME, is_server=True).certificate_pem)
    between = load_certificates(issuing_pem)
    chains = {"thief": (fake, between)}
    for step in ("before", "both", "root only"):
        leaf, *above = load_certificates(certificates(hierarchy.states[step])["mx1"]["chain_pem"])
        chains[step] = (leaf, above)
    roots = {step: load_certificates((path / "ca/ca.pem").read_text()) for step, path in hierarchy.steps.items()}
    believed = {
        (step, who): openssl_verify(leaf, roots=roots[step], intermediates=above)
        for step in roots
        for who, (leaf, above) in chains.items()
    }
    assert {pair for pair, is_believed in believed.items() if is_believed} == {
        ("before", "before"),
        ("before", "thief"),
        ("both", "both"),
        ("root only", "root only"),
    }


def test_below_a_stolen_root_clients_keep_their_certificates_and_get_another_chain(hierarchy: Hour) -> None:
    """The intermediate keeps its key and is certified by the new slot; no row changes, nobody is served anew."""
    before, after = (certificates(hierarchy.states[step]) for step in ("both", "root only"))
    for name in ("alice", "mx1"):
        assert after[name]["certificate_pem"] == before[name]["certificate_pem"]
        assert after[name]["chain_pem"] != before[name]["chain_pem"]
    old, new = (load_certificates(each["issuing-2"]["certificate_pem"])[0] for each in (before, after))
    assert (old.public_key(), old.issuer.rfc4514_string()) == (new.public_key(), "CN=Example Root 2")
    assert new.issuer.rfc4514_string() == "CN=Example Root 3"
    assert after["issuing"] == before["issuing"]
    assert hierarchy.outputs["root only"]["distrusted"]["root-2"] == {}


# An adopted root that was renewed is trusted by two certificates.

BUNDLES = ("ca/ca.pem", "clients/alice/ca.pem", "mx1/postfix/tls/ca.pem")


def adopted_with(certificate_pem: str, key: str = "ca-key", **slots: Any) -> dict[str, Any]:
    """Return the stack file that takes an authority over and issues its certificate anew with a path length."""
    adopt: dict[str, Any] = {"certificate_pem": certificate_pem, "change": ["path_length"]}
    adopt |= {"private_key_secret": key} if key else {}
    return {
        "authority": {"adopt": adopt, "path_length": 0, "crl": True, "slots": slots},
        "clients": {"alice": {"email": "alice@example.org"}},
        "hosts": {"mx1": {"myhostname": SERVER_NAME, "relay_clients": ["alice"]}},
    }


@pytest.fixture(scope="module")
def adoption(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Hour:
    """Live through the hour with an authority that openssl made."""
    directory = tmp_path_factory.mktemp("adopted")
    told = Hour(mail_stack(directory, engine_home), directory)
    make = "openssl req -x509 -newkey rsa:2048 -days 3650 -noenc -sha256 -keyout ca.key -out ca.pem -subj"
    usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    subprocess.run([*make.split(), "/O=Example/CN=Old CA", *usage], cwd=directory, check=True, capture_output=True)
    pem = (directory / "ca.pem").read_text()
    told.mail.stack.set_config("ca-key", (directory / "ca.key").read_text(), is_secret=True)
    told.take("before", adopted_with(pem))
    told.take("distrusted", adopted_with(pem, active=2, distrusted=1))
    told.refuse("key is left", adopted_with(pem, active=2))
    told.take("left out", adopted_with(pem, "", active=2))
    return told


def test_both_roots_of_an_adopted_authority_leave_in_one_run(adoption: Hour) -> None:
    """From every bundle; the slot in its place has the name and the limits of the adopted certificate still."""
    subjects = {step: [_subjects(adoption.steps[step] / name) for name in BUNDLES] for step in STEPS}
    following = [["CN=Old CA 2,O=Example"]] * len(BUNDLES)
    assert subjects == {
        "before": [["CN=Old CA,O=Example"] * 2] * len(BUNDLES),
        "distrusted": following,
        "left out": following,
    }
    after, last = (certificates(adoption.states[step]) for step in ("distrusted", "left out"))
    assert after["authority"]["trusted_pem"] == ""
    assert after["authority-2"] == last["authority-2"]
    assert after["alice"] == last["alice"]
    assert "authority.adopt.private_key_secret: slot 1, which it was for, is withdrawn" in adoption.said["key is left"]
    crl = x509.load_der_x509_crl((adoption.steps["distrusted"] / "crl/authority.crl").read_bytes())
    before = certificates(adoption.states["before"])
    assert {each.serial_number for each in crl} == {
        load_certificates(before[name]["certificate_pem"])[0].serial_number for name in ("alice", "mx1")
    }


def _subjects(path: Path) -> list[str]:
    return [each.subject.rfc4514_string() for each in load_certificates(path.read_text())]


def test_the_page_of_the_hour_shows_what_was_said(hour: Hour) -> None:
    """Each line in a block of docs/stolen-authority.md that has a name in it, apart from dates and fingerprints."""
    page = (REPOSITORY / "docs/stolen-authority.md").read_text()
    blocks = [each.partition("\n")[2] for each in page.split("```")[1::2] if each.startswith("\n")]
    said = _without_dates(hour.said["preview distrusted"] + hour.said["no other slot"])
    shown = [_without_dates(line) for line in "".join(blocks[:2]).splitlines() if line.strip(" ~{}")]
    assert len(shown) > 10
    assert [line for line in shown if line not in said] == []
    assert " ".join(_without_dates(blocks[2]).split()) in " ".join(said.split())


def _without_dates(text: str) -> str:
    """Return a text with dates, times and fingerprints replaced, and without the space that aligns it."""
    plain = re.sub(r"\d{4}-\d\d-\d\d(T[\d:]+Z)?", "DATE", text)
    plain = re.sub(r'"(?:[0-9A-F]{2}:)+[^"]*"', "FINGERPRINT", plain)
    return "\n".join(" ".join(line.split()) for line in plain.splitlines())
