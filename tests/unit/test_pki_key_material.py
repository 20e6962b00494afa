"""Keys and chains in the memory of one run."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from random import Random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pki.certificate.issuance import Generation, sign_generation
from pki.generations import Demand
from pki.issuing import Issuer
from pki.key_material import (
    hold_issuer,
    hold_key,
    issuer_of,
    issuer_window,
    known_issuer_chain,
    load_key,
    use_key_loader,
)
from pki.keys import PrivateKey, private_key_pem
from pki.lifetime import LifetimePolicy
from pki.model import KeyAlgorithm, Profile, SlotId, Subject
from pki.records import IssuerArgs, Link
from pki.schedule import decide
from pki.verification import chain_pem
from postseal_core.errors import CertificateError, PostsealError
from postseal_core.plugin.handler import Context
from postseal_core.plugin.material import MaterialStore
from postseal_core.values import UNKNOWN, is_unknown
from tests.support.specimens import NOW, declare, key_of, make_authority


@cache
def authority() -> Issuer:
    """Return an authority."""
    return make_authority()


@cache
def issuer_args() -> IssuerArgs:
    """Return the issuer as a program hands it in."""
    return IssuerArgs(
        slot=SlotId("mail-ca", 2),
        generation=3,
        not_before=authority().certificate.not_valid_before_utc,
        not_after=authority().certificate.not_valid_after_utc,
        chain_pem=chain_pem([authority().certificate]),
        private_key_pem=private_key_pem(authority().private_key),
    )


@pytest.fixture
def context() -> Context:
    """Return an empty memory, a clock and no entropy to speak of."""
    return Context(urn="", now=NOW, entropy=Random(0).randbytes, material=MaterialStore(), report=print)


def test_a_label_names_every_generation_of_the_chain(context: Context) -> None:
    """The slot's own and those above; what is still to come has no number yet."""
    links = (Link(name="root-ca", generation=1), Link(name="old-ca", generation=UNKNOWN))
    held = hold_issuer(replace(issuer_args(), above=links), context)
    assert held.label == "mail-ca-2 generation 3 below root-ca generation 1 below old-ca of a generation to come"
    assert held.slot == issuer_args().slot


def test_what_signs_itself_has_no_issuer(context: Context) -> None:
    """Neither key nor chain nor window."""
    held = hold_issuer(None, context)
    assert (held.label, held.slot, held.key) == ("itself", None, "")
    assert issuer_of(held.label, held.key, context) == (None, [])
    assert known_issuer_chain(held.label, context) == []
    assert issuer_window(None) is None
    assert hold_key(None, context) == ""


def test_the_issuer_that_was_held_signs(context: Context) -> None:
    """With its chain, issuer first; the key stays what it is however its PEM is written."""
    held = hold_issuer(issuer_args(), context)
    issuer, chain = issuer_of(held.label, held.key, context)
    assert issuer is not None
    assert (issuer.certificate, chain) == (authority().certificate, [authority().certificate])
    assert known_issuer_chain(held.label, context) == chain
    again = hold_issuer(replace(issuer_args(), private_key_pem=f"\n{issuer_args().private_key_pem}\n"), context)
    assert again == held


def test_each_certificate_of_one_key_signs_for_itself(context: Context) -> None:
    """An authority that was certified twice has one key, and what it issues names the certificate it comes from."""
    root = make_authority()
    for name in ("one", "two"):
        below = make_authority(root, subject=Subject(name))
        chain = [below.certificate, root.certificate]
        args = replace(issuer_args(), slot=SlotId(name), chain_pem=chain_pem(chain))
        held = hold_issuer(replace(args, private_key_pem=private_key_pem(below.private_key)), context)
        issuer, found = issuer_of(held.label, held.key, context)
        assert issuer is not None
        assert (issuer.certificate, found) == (below.certificate, chain)


def test_a_preview_may_know_the_key_and_not_the_chain(context: Context) -> None:
    """What the key signed stays as it is; nothing can be signed with it."""
    held = hold_issuer(replace(issuer_args(), chain_pem=UNKNOWN), context)
    assert known_issuer_chain(held.label, context) == []
    with pytest.raises(PostsealError, match="was not handed in during this run"):
        issuer_of(held.label, held.key, context)
    assert is_unknown(hold_issuer(replace(issuer_args(), private_key_pem=UNKNOWN), context).key)
    assert is_unknown(hold_key(UNKNOWN, context))


def test_an_issuer_that_does_not_exist_yet_is_valid_for_ever() -> None:
    """Then only the certificate's own lifetime counts; a standby time runs from its issue, an hour after its begin."""
    window = issuer_window(replace(issuer_args(), not_before=UNKNOWN, not_after=UNKNOWN))
    assert window is not None
    assert (window.slot, window.usable_from) == (issuer_args().slot, None)
    assert window.validity.not_before == datetime.min.replace(tzinfo=UTC)
    assert window.validity.not_after == datetime(9999, 12, 31, tzinfo=UTC)
    standby = issuer_window(replace(issuer_args(), standby_hours=336))
    assert standby is not None
    assert standby.usable_from == standby.validity.not_before + timedelta(hours=1, days=14)
    lifted = issuer_window(replace(issuer_args(), standby_hours=0))
    assert lifted is not None
    assert lifted.usable_from is None


def test_a_key_that_cannot_be_read_is_named(context: Context) -> None:
    """By the argument in which it was handed in; nothing of it is quoted."""
    with pytest.raises(CertificateError, match=r"^private_key_pem: ") as own:
        hold_key("hush-hush", context)
    with pytest.raises(CertificateError, match=r"^issuer\.private_key_pem: ") as issuers:
        hold_issuer(replace(issuer_args(), private_key_pem="hush-hush"), context)
    assert "hush" not in f"{own.value}{issuers.value}"


def test_a_run_may_read_its_keys_in_another_way(context: Context) -> None:
    """A review without secrets puts stand-ins for them: no other place turns a text into a key."""
    asked: list[str] = []

    def stand_in(pem: str, *, what: str) -> PrivateKey:
        asked.append(what)
        return authority().private_key if what.startswith("issuer") else key_of(KeyAlgorithm.ECDSA_P256, pem)

    use_key_loader(stand_in, context)
    held = hold_issuer(replace(issuer_args(), private_key_pem="sealed issuer"), context)
    own = hold_key("sealed own", context)
    assert load_key("sealed", what="x", context=context) == key_of(KeyAlgorithm.ECDSA_P256, "sealed")
    schedule = decide(None, Demand(LifetimePolicy(), issuer_window(issuer_args())), NOW).schedule
    generation = Generation(
        declaration=declare(Profile.CLIENT),
        key_algorithm=KeyAlgorithm.ECDSA_P256,
        schedule=schedule,
        issuer_label=held.label,
        issuer_key=held.key,
        handed_in_key=str(own),
    )
    certificate, pem = sign_generation(generation, context)
    assert certificate.public_key() == key_of(KeyAlgorithm.ECDSA_P256, "sealed own").public_key()
    assert pem == "sealed own"
    assert asked == ["issuer.private_key_pem", "private_key_pem", "x"]
    assert isinstance(certificate, x509.Certificate)
    certificate.verify_directly_issued_by(authority().certificate)
    kept, kept_pem = sign_generation(replace(generation, handed_in_key="", kept_key_pem="sealed kept"), context)
    assert (kept.public_key(), kept_pem) == (
        key_of(KeyAlgorithm.ECDSA_P256, "sealed kept").public_key(),
        "sealed kept",
    )
    assert {"issuer.private_key_pem", "private_key_pem", "private key"} <= {*asked}


def test_a_key_is_called_by_the_digest_of_its_public_half(context: Context) -> None:
    """As `openssl pkey -pubout -outform DER | sha256sum` prints it; states hold it."""
    key = key_of(KeyAlgorithm.ECDSA_P256)
    reference = hold_key(private_key_pem(key), context)
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert reference == f"sha256:{sha256(der).hexdigest()}"
