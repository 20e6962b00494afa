"""A certificate on its way from one resource to another."""

import json
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

import pytest
from cryptography import x509

from pki.certificate.handover import Handover, handover_text
from pki.certificate.issuance import identity_of
from pki.certificate.takeover import (
    differences_of_takeover,
    hold_handover,
    issued_of_takeover,
    parse_handover,
    schedule_of_takeover,
    takeover_of,
)
from pki.fields import FIELDS, DeclaredCertificate
from pki.generations import AcceptedGeneration, Cause, RevokedGeneration
from pki.issuing import Issuer
from pki.keys import private_key_pem
from pki.lifetime import LifetimePolicy
from pki.model import KeyAlgorithm, Profile, RevocationReason, SlotId
from pki.records import IssuedGeneration, RevokedIssue
from pki.verification import chain_pem
from postseal_core.errors import CertificateError, PostsealError
from postseal_core.plugin.handler import Context
from postseal_core.plugin.material import MaterialStore
from postseal_core.values import UNKNOWN
from tests.support.specimens import NOW, VALIDITY, issue_leaf, key_of, make_authority


@cache
def authority() -> Issuer:
    """Return the authority of the client."""
    return make_authority()


@cache
def leaf() -> x509.Certificate:
    """Return the client's certificate."""
    return issue_leaf(authority(), Profile.CLIENT)


DECLARED = DeclaredCertificate(email="alice@example.org", common_name="alice@example.org")
ACCEPTED = AcceptedGeneration(2, VALIDITY.not_before, VALIDITY.not_after, NOW, SlotId("mail-ca"))
REVOKED = RevokedGeneration(1, VALIDITY.not_before, VALIDITY.not_after, NOW, RevocationReason.SUPERSEDED)


@cache
def handover() -> Handover:
    """Return what is handed over with a client."""
    return Handover(
        declared=DECLARED,
        generation=3,
        key_generation=3,
        previous=(IssuedGeneration(schedule=ACCEPTED, identity=identity_of(leaf())),),
        revoked=(RevokedIssue(schedule=REVOKED, identity=identity_of(leaf())),),
        certificate_pem=chain_pem([leaf()]),
        private_key_pem=private_key_pem(key_of(KeyAlgorithm.ECDSA_P256)),
    )


@pytest.fixture
def context() -> Context:
    """Return an empty memory."""
    return Context(urn="", now=NOW, entropy=Random(0).randbytes, material=MaterialStore(), report=print)


def test_what_is_handed_over_arrives(context: Context) -> None:
    """Through JSON, also where a program's runtime knows numbers with a fraction only; its key does not show."""
    text = json.dumps(json.loads(handover_text(handover())), sort_keys=True)
    with_fractions = json.dumps(json.loads(text, parse_int=float))
    for each in (text, with_fractions):
        takeover = parse_handover(each, what="certificate of alice", context=context)
        assert takeover.handover == handover()
        assert takeover.certificate == leaf()
        assert "PRIVATE KEY" not in repr(takeover)


def test_it_is_held_for_this_run_and_no_other(context: Context) -> None:
    """Create and Update of the same run take it by its reference."""
    reference = hold_handover("alice", handover_text(handover()), context)
    assert takeover_of(reference, context).handover == handover()
    reread = Context(urn="", now=NOW, entropy=Random(0).randbytes, material=context.material, report=print)
    assert takeover_of(reference, reread).handover == handover()
    another_run = Context(urn="", now=NOW, entropy=Random(0).randbytes, material=MaterialStore(), report=print)
    with pytest.raises(PostsealError, match="was not handed in during this run"):
        takeover_of(reference, another_run)
    with pytest.raises(CertificateError, match="is issued or renewed in this very run"):
        hold_handover("alice", UNKNOWN, context)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"certificate_pem": None}, "certificate_pem is missing or unreadable"),
        ({"generation": "three", "key_generation": None}, "generation, key_generation is missing or unreadable"),
        ({"previous": [{"generation": 2}]}, "previous[0]"),
        ({"private_key_pem": private_key_pem(key_of(KeyAlgorithm.ECDSA_P256, "b"))}, "does not belong to"),
        ({"private_key_pem": "hush-hush"}, "certificate of alice"),
    ],
)
def test_what_cannot_be_taken_over_is_refused_without_quoting_it(
    context: Context, changes: dict[str, Any], words: str
) -> None:
    """One sentence names what is missing; the text is a secret."""
    plain = json.loads(handover_text(handover())) | changes
    text = json.dumps({name: value for name, value in plain.items() if value is not None})
    with pytest.raises(CertificateError) as caught:
        parse_handover(text, what="certificate of alice", context=context)
    assert str(caught.value).startswith("certificate of alice")
    assert words in str(caught.value)
    assert "hush" not in str(caught.value)
    assert "three" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "hush-hush", "[]", "7", "null", '{"generation": 1e999}'])
def test_what_is_no_handover_is_refused(context: Context, text: str) -> None:
    """Whatever a program passes by mistake."""
    with pytest.raises(CertificateError, match=r"^x: nothing to take over, .*pass the `handover` of a client$"):
        parse_handover(text, what="x", context=context)


def test_its_schedule_goes_on(context: Context) -> None:
    """Generations, and what of them is accepted or revoked; a revocation that is declared was carried out."""
    takeover = parse_handover(handover_text(handover()), what="x", context=context)
    policy, slot = LifetimePolicy(), SlotId("mail-ca", 2)
    schedule = schedule_of_takeover(takeover, policy, slot)
    assert (schedule.generation, schedule.key_generation, schedule.issuer) == (3, 3, slot)
    assert (schedule.validity, schedule.renew_at) == (VALIDITY, policy.renew_at(VALIDITY))
    assert (schedule.cause, schedule.accepted, schedule.revoked) == (Cause.TAKEN_OVER, (ACCEPTED,), (REVOKED,))
    assert schedule.revoked_through == 0
    declared = replace(DECLARED, revoke=RevocationReason.SUPERSEDED)
    revoked = parse_handover(handover_text(replace(handover(), declared=declared)), what="x", context=context)
    assert schedule_of_takeover(revoked, policy, slot).revoked_through == 1
    issued = issued_of_takeover(takeover, "mail-ca generation 1")
    assert (issued.identity, issued.previous, issued.revoked) == (
        identity_of(leaf()),
        handover().previous,
        handover().revoked,
    )


OTHERS: dict[type, Any] = {str: "other", tuple: ("other",), type(None): 1, bool: True, int: 1}


@pytest.mark.parametrize("name", [name for name, each in FIELDS.items() if each.is_content])
def test_every_field_that_stands_in_a_certificate_is_compared(context: Context, name: str) -> None:
    """Also one that is new, without anybody naming it at this place."""
    takeover = parse_handover(handover_text(handover()), what="x", context=context)
    other = replace(DECLARED, **{name: OTHERS[type(getattr(DECLARED, name))]})
    assert differences_of_takeover(takeover, other, []).changes == (name,)


def test_the_key_and_the_issuer_are_compared_too(context: Context) -> None:
    """The issuer by its signature: an authority that was renamed is the same one."""
    takeover = parse_handover(handover_text(handover()), what="x", context=context)
    same = differences_of_takeover(takeover, DECLARED, [authority().certificate])
    assert (same.changes, same.is_key_changed, same.is_issuer_changed) == ((), False, False)
    other_key = replace(DECLARED, key_algorithm=KeyAlgorithm.ED25519)
    assert differences_of_takeover(takeover, other_key, []).is_key_changed
    moved = differences_of_takeover(takeover, DECLARED, [make_authority(authority()).certificate])
    assert (moved.changes, moved.is_issuer_changed) == (("issuer",), True)
