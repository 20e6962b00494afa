"""An authority from elsewhere is adopted, renewed and rolled over; four verifiers judge what it signed at each step.

GnuTLS, NSS and Go look for an issuer by the bytes of its name; OpenSSL also by its serial number, where a certificate
names that.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from cryptography import x509

from pki.model import SlotId
from pki.verification import load_chain
from postseal.provider import handlers
from tests.support.foreign_authorities import MAKERS, Foreign, made_by
from tests.support.path_judges import VERIFIERS, Chain
from tests.support.plugin_runs import PluginRuns, plugin_runs
from tests.support.provider import Resource, Secret
from tests.support.resource_properties import certificate_of, intermediate, issued_by, key_pem, root, server

pytestmark = [
    pytest.mark.needs_openssl,
    pytest.mark.needs_gnutls,
    pytest.mark.needs_nss,
    pytest.mark.needs_go,
]

DUE_NOW = {"renew_before_hours": 2401}
"""A lifetime by which an authority that is good for a hundred days is due for renewal at once."""


@dataclass(frozen=True, slots=True)
class Life:
    """What an authority was and became, and what it signed before its adoption and at each step after it."""

    first: x509.Certificate
    renewed: x509.Certificate
    next_slot: x509.Certificate
    cross: x509.Certificate
    trusted: list[x509.Certificate]
    leaf_before: x509.Certificate
    leaf_adopted: x509.Certificate
    leaf_renewed: x509.Certificate
    leaf_rolled_over: x509.Certificate


def adopted(foreign: Foreign, **changes: Any) -> dict[str, Any]:
    """Return the declaration that takes an authority over, and says nothing that its certificate says."""
    declared = root("old-ca", private_key_pem=Secret(foreign.private_key_pem), **changes)
    del declared["common_name"], declared["key_algorithm"]
    return declared | {"adopt_certificate_pem": foreign.certificate_pem, "slot": "old-ca/1"}


def issue(runs: PluginRuns, authority: Resource, slot: SlotId, key: Any, name: str) -> x509.Certificate:
    """Return a certificate for a server that is a client too, signed by an authority as it is now."""
    leaf = runs.resource("Certificate", name)
    issuer = issued_by(authority.outputs, slot, private_key_pem=key)
    runs.up(leaf, server(issuer, name, profile="server_and_client", validity_hours=1440))
    return certificate_of(leaf.outputs)


@contextmanager
def running() -> Iterator[PluginRuns]:
    """Run the plugin at the real time, for the judges know no other."""
    with plugin_runs(handlers(), Random("adopted").randbytes) as runs:
        runs.now = datetime.now(UTC)
        yield runs


def crossed(foreign: Foreign, carried: dict[str, Any], issuer: dict[str, Any]) -> dict[str, Any]:
    """Return what the first slot certifies of the second one, as `pki.components.slots` declares it."""
    first = x509.load_pem_x509_certificate(foreign.certificate_pem.encode())
    length = first.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
    room = {} if length is None else {"path_length": length - 1}
    declared = intermediate("old-ca-2-by-old-ca", issuer, change=["path_length"], **carried, validity_hours=1440)
    for name in ("common_name", "key_algorithm", "path_length", "slot"):
        declared.pop(name, None)
    return declared | room | {"private_key_pem": Secret(key_pem("old-ca-2"))}


def live(foreign: Foreign) -> Life:
    """Adopt an authority, renew it, and roll it over to a key of ours; something is issued at each step."""
    key = Secret(foreign.private_key_pem)
    with running() as runs:
        authority, following = runs.resource("Certificate", "old-ca"), runs.resource("Certificate", "old-ca-2")
        runs.up(authority, adopted(foreign))
        first, slot = certificate_of(authority.outputs), SlotId("old-ca")
        leaf_adopted = issue(runs, authority, slot, key, "adopted")
        runs.up(authority, adopted(foreign, **DUE_NOW))
        leaf_renewed = issue(runs, authority, slot, key, "renewed")
        carried = {"carries_on": {"certificate_pem": foreign.certificate_pem, "number": 2}, "slot": "old-ca/2"}
        declared = root("old-ca-2", **carried)
        del declared["common_name"]
        runs.up(following, declared)
        cross = runs.resource("Certificate", "old-ca-2-by-old-ca")
        runs.up(cross, crossed(foreign, carried, issued_by(authority.outputs, slot, private_key_pem=key)))
        rolled_over = issue(runs, following, SlotId("old-ca", 2), Secret(key_pem("old-ca-2")), "rolled-over")
        return Life(
            first,
            certificate_of(authority.outputs),
            certificate_of(following.outputs),
            certificate_of(cross.outputs),
            load_chain(authority.outputs["trusted_pem"], what="trusted"),
            x509.load_pem_x509_certificate(foreign.leaf_pem.encode()),
            leaf_adopted,
            leaf_renewed,
            rolled_over,
        )


EVERY_MAKER = [pytest.param(each, marks=[pytest.mark.needs_easy_rsa] if each == "easy-rsa" else []) for each in MAKERS]


@pytest.fixture(scope="module", params=EVERY_MAKER)
def life(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Life:
    """Return the life of an authority of each maker."""
    return live(made_by(request.param, tmp_path_factory.mktemp("authority")))


def refused_by(
    leaf: x509.Certificate,
    trusted: x509.Certificate,
    *beside: x509.Certificate,
    between: Sequence[x509.Certificate] = (),
) -> dict[str, str]:
    """Return what each verifier says that does not accept a leaf; how others make authorities is not judged."""
    chain = Chain(leaf, between, trusted, beside, is_strict=False)
    verdicts = {name: judge(chain) for name, judge in VERIFIERS.items()}
    return {name: verdict.report for name, verdict in verdicts.items() if not verdict.is_accepted}


def plain_extensions(certificate: x509.Certificate) -> list[tuple[str, bool, bytes]]:
    """Return every extension but those that name keys, as bytes, in their order."""
    keys = (x509.AuthorityKeyIdentifier, x509.SubjectKeyIdentifier)
    return [
        (each.oid.dotted_string, each.critical, each.value.public_bytes())
        for each in certificate.extensions
        if not isinstance(each.value, keys)
    ]


def test_it_is_adopted_as_it_is_and_renewed_with_the_bytes_of_its_name(life: Life) -> None:
    """The renewal has the same key, name and extensions, whatever string types and order the name has."""
    name = life.first.subject.public_bytes()
    assert life.renewed != life.first
    assert life.renewed.public_key() == life.first.public_key()
    assert life.renewed.subject.public_bytes() == life.renewed.issuer.public_bytes() == name
    assert name in life.renewed.tbs_certificate_bytes
    assert name in life.first.tbs_certificate_bytes
    assert plain_extensions(life.renewed) == plain_extensions(life.first)


def test_what_it_signs_names_it_byte_by_byte(life: Life) -> None:
    """The issuer of each leaf is the subject of the authority in the same string types."""
    name = life.first.subject.public_bytes()
    assert [each.issuer.public_bytes() == name for each in (life.leaf_adopted, life.leaf_renewed)] == [True, True]


def test_everything_verifies_with_what_is_trusted_after_the_renewal(life: Life) -> None:
    """Old root and new one are trusted until the old one expires: leaves from before and after, by all verifiers."""
    assert life.trusted == [life.renewed, life.first]
    leaves = (life.leaf_before, life.leaf_adopted, life.leaf_renewed)
    assert [refused_by(leaf, *life.trusted) for leaf in leaves] == [{}, {}, {}]


def test_the_new_root_alone_verifies_what_was_signed_before_it(life: Life) -> None:
    """Only OpenSSL refuses, and only what names the old root by its serial number."""
    identifier = life.leaf_before.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    names_serial = identifier.authority_cert_serial_number is not None
    assert refused_by(life.leaf_before, life.renewed).keys() == ({"openssl"} if names_serial else set())
    assert [refused_by(leaf, life.renewed) for leaf in (life.leaf_adopted, life.leaf_renewed)] == [{}, {}]


def test_the_old_root_alone_verifies_what_was_signed_after_it(life: Life) -> None:
    """Whoever did not get the new one yet accepts new certificates all the same."""
    assert refused_by(life.leaf_renewed, life.first) == {}


def test_the_next_slot_has_the_extensions_and_a_name_of_its_own(life: Life) -> None:
    """Its name is the old one with a number; nothing that it signs verifies below the other root."""
    assert plain_extensions(life.next_slot) == plain_extensions(life.first)
    old = [(each.oid, each._type) for each in life.first.subject]
    new = [(each.oid, each._type) for each in life.next_slot.subject]
    assert new[: len(old)] == old
    assert life.next_slot.subject.rfc4514_string().count(" 2") == 1
    assert refused_by(life.leaf_rolled_over, life.next_slot) == {}
    assert refused_by(life.leaf_rolled_over, life.renewed).keys() == VERIFIERS.keys()


def test_the_cross_certificate_leads_whoever_knows_only_an_old_root_to_the_next_slot(life: Life) -> None:
    """A chain with it is accepted with the adopted root alone, its renewal alone, and the new root alone."""
    roots = (life.first, life.renewed, life.next_slot)
    assert [refused_by(life.leaf_rolled_over, each, between=[life.cross]) for each in roots] == [{}, {}, {}]
    assert life.cross.subject.public_bytes() == life.next_slot.subject.public_bytes()
    assert life.cross.issuer.public_bytes() == life.first.subject.public_bytes()
    assert refused_by(life.leaf_rolled_over, life.first).keys() == VERIFIERS.keys(), "the control: without it"
