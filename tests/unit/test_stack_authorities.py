"""Slots, revocation lists and limits of authorities in the stack file: what they mean, and what is wrong with them."""

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pki.crl_schedule import CrlPolicy
from pki.model import NameConstraints
from pki.rollover import Slots
from postseal.stack.config import load_stack
from postseal.stack.model import Crl
from tests.support.specimens import make_authority
from tests.support.stack_files import problems_of, stack
from tests.support.test_authority import ThrowAwayAuthority

Raw = dict[str, Any]


def pem_of(certificate: x509.Certificate) -> str:
    """Return a certificate in PEM."""
    return certificate.public_bytes(Encoding.PEM).decode()


def authority(**fields: Any) -> Raw:
    """Return a stack of one authority with further fields."""
    return {"authority": {"common_name": "CA"} | fields}


def below_a_root(root: Raw, **issuing: Any) -> Raw:
    """Return a root and an intermediate below it, with further fields."""
    return {
        "authorities": {
            "root": {"common_name": "R"} | root,
            "issuing": {"common_name": "I", "issuer": "root"} | issuing,
        }
    }


@pytest.mark.parametrize(
    ("section", "slots"),
    [
        ({}, Slots()),
        ({"active": 1, "standby": 2}, Slots(1, standby=2)),
        ({"active": 2, "retiring": 1, "standby_for": "2d"}, Slots(2, retiring=1, standby_hours=48)),
        ({"active": 3, "retiring": 2, "cross_sign": True, "standby_for": 0}, Slots(3, None, 2, 0, cross_sign=True)),
    ],
)
def test_slots_are_taken_over(section: Raw, slots: Slots) -> None:
    """Each step of a rollover is what `Slots` calls it; a wait of 0 lifts the rule."""
    assert load_stack(authority(slots=section), [], stack_name="dev").authorities["authority"].slots == slots


@pytest.mark.parametrize(
    ("section", "crl"),
    [
        (False, None),
        (True, Crl(CrlPolicy())),
        ({}, Crl(CrlPolicy())),
        ({"lifetime": "14d", "renew_before": "3d", "first_crl_number": 40}, Crl(CrlPolicy(336, 72), 40)),
    ],
)
def test_a_revocation_list_is_asked_for_in_short_or_in_full(section: Any, crl: Crl | None) -> None:
    """`crl: true` is a list with every default."""
    assert load_stack(authority(crl=section), [], stack_name="dev").authorities["authority"].crl == crl


MISTAKES: list[tuple[Raw, str, list[str]]] = [
    (authority(slots={"active": 2, "standby": 2}), "authority.slots.standby", ["got 2", "above the active slot 2"]),
    (authority(slots={"active": 1, "retiring": 1}), "authority.slots.retiring", ["below the active slot 1"]),
    (authority(slots={"active": 0}), "authority.slots.active", ["from 1 up"]),
    (authority(slots={"activ": 1}), "authority.slots.activ", ["did you mean active?"]),
    (authority(slots={"standby_for": "soon"}), "authority.slots.standby_for", ["'soon'", "36h"]),
    (authority(slots={"standby_for": False}), "authority.slots.standby_for", ["False", "36h"]),
    (authority(slots={"cross_sign": True}), "authority.slots.cross_sign", ["no retiring slot"]),
    (authority(slots=[1]), "authority.slots", ["a mapping"]),
    (
        authority(path_length=0, slots={"active": 2, "retiring": 1, "cross_sign": True}),
        "authority.slots.cross_sign",
        ["path_length 0"],
    ),
    (
        below_a_root({"path_length": 1, "slots": {"active": 2, "retiring": 1, "cross_sign": True}}),
        "authorities.issuing",
        ["cross certificate of root", "larger path_length"],
    ),
    (
        {"authorities": {"ca": {"common_name": "A"}, "ca-2": {"common_name": "B"}}},
        "authorities.ca-2",
        ["slot 2 of authority ca", "another name"],
    ),
    (authority(crl=3), "authority.crl", ["got '3'", "true"]),
    (authority(crl={"lifetime": "1h"}), "authority.crl.lifetime", ["at least 2 hours"]),
    (authority(crl={"renew_before": "8d"}), "authority.crl.renew_before", ["signed at every run"]),
    (authority(crl={"first_crl_number": 0}), "authority.crl.first_crl_number", ["got 0", "from 1 up"]),
]


@pytest.mark.parametrize(("raw", "path", "words"), MISTAKES, ids=[f"{path}:{words[0]}" for _, path, words in MISTAKES])
def test_a_mistake_is_the_only_problem_and_is_told_where_it_stands(raw: Raw, path: str, words: list[str]) -> None:
    """One mistake gives one problem, at its path in the file, with what was found and how to fix it."""
    problems = problems_of(raw)
    assert [problem.path for problem in problems] == [path]
    assert [word for word in words if word not in problems[0].message] == []


@pytest.mark.parametrize("name", ["ca-1", "ca-02", "ca-x"])
def test_a_name_that_no_slot_has_is_free(name: str) -> None:
    """The first slot has the name of its authority, and the others its number as it is written in decimal."""
    assert not problems_of({"authorities": {"ca": {"common_name": "A"}, name: {"common_name": "B"}}})


def test_an_intermediate_is_not_cross_signed() -> None:
    """Its chain leads to the root in every slot."""
    raw = below_a_root({})
    raw["authorities"]["issuing"]["slots"] = {"active": 2, "retiring": 1, "cross_sign": True}
    assert [problem.path for problem in problems_of(raw)] == ["authorities.issuing.slots.cross_sign"]


def test_the_cross_certificate_has_room_where_the_root_has_one_more() -> None:
    """Root and cross certificate are two above the intermediate."""
    assert not problems_of(below_a_root({"path_length": 2, "slots": {"active": 2, "retiring": 1, "cross_sign": True}}))


def test_the_key_of_an_adopted_authority_is_left_out_with_its_slot() -> None:
    """When the first slot is withdrawn its key can leave the stack; later slots carry the certificate on."""
    adopt = {"certificate_pem": ThrowAwayAuthority("Old CA").certificate_pem, "private_key_secret": "old-key"}
    raw = {"authority": {"adopt": adopt, "slots": {"active": 2}}, "old-key": "stands for a key"}
    assert [problem.path for problem in problems_of(raw, ["old-key"])] == ["authority.adopt.private_key_secret"]
    del adopt["private_key_secret"], raw["old-key"]
    assert problems_of(raw, []) == []
    for slots in ({}, {"slots": {"active": 2, "distrusted": 1}}):  # a distrusted slot signs a last list
        raw["authority"] = {"adopt": adopt} | slots
        assert [problem.path for problem in problems_of(raw, [])] == ["authority.adopt.private_key_secret"]


LIMITED: Raw = {"name_constraints": {"permitted_dns": ["example.org"], "permitted_email": ["example.org"]}}
OUTSIDE: list[tuple[Raw, str, list[str]]] = [
    ({"clients": {"a": {"email": "a@example.com"}}}, "clients.a.email", ["'a@example.com'", "example.org", "root"]),
    ({"clients": {"a": {"dns_names": ["a.example.com"]}}}, "clients.a.dns_names[0]", ["'a.example.com'"]),
    (
        {"clients": {"a": {"email": "a@example.org", "common_name": "a.example.com"}}},
        "clients.a.common_name",
        ["'a.example.com'"],
    ),
    (
        {"servers": {"s": {"dns_names": ["s.example.org", "s.example.com"]}}},
        "servers.s.dns_names[1]",
        ["'s.example.com'"],
    ),
    ({"hosts": {"mx": {"myhostname": "mx.example.com"}}}, "hosts.mx.myhostname", ["'mx.example.com'"]),
    (
        {"rosters": {"staff": {"clients": {"a": {"email": "a@example.com"}}}}},
        "rosters.staff.clients.a.email",
        ["'a@example.com'"],
    ),
]


@pytest.mark.parametrize(("section", "path", "words"), OUTSIDE, ids=[path for _, path, _ in OUTSIDE])
def test_a_name_that_its_authority_may_not_certify_is_told_before_the_authority_is_made(
    section: Raw, path: str, words: list[str]
) -> None:
    """The message has the name, the limit and the authority by its name in the file."""
    problems = problems_of({"authorities": {"root": {"common_name": "R"} | LIMITED}} | section)
    assert [problem.path for problem in problems] == [path]
    assert [word for word in words if word not in problems[0].message] == []


def test_limits_of_every_authority_above_count() -> None:
    """The root's limits hold below the intermediate too; a self-signed server has none."""
    raw = below_a_root(LIMITED) | {
        "clients": {"a": {"authority": "issuing", "email": "a@example.com"}},
        "servers": {"s": {"self_signed": True, "dns_names": ["s.example.com"]}},
    }
    assert [problem.path for problem in problems_of(raw)] == ["clients.a.email"]


@pytest.mark.parametrize("slots", [{}, {"active": 2, "retiring": 1}])
def test_an_adopted_authority_is_judged_by_its_certificate(slots: Raw) -> None:
    """What the certificate forbids is forbidden, whoever signs: the next slot carries it on."""
    limits = NameConstraints(permitted_email=("example.org",))
    certificate = make_authority(name_constraints=limits).certificate
    adopt = {"certificate_pem": pem_of(certificate), "private_key_secret": "old-key"}
    raw = {
        "authority": {"common_name": "root specimen", "organization": "Example", "adopt": adopt, "slots": slots},
        "clients": {"a": {"email": "a@example.com"}},
        "old-key": "stands for a key",
    }
    assert [problem.path for problem in problems_of(raw, ["old-key"])] == ["clients.a.email"]


def test_a_chain_in_place_of_an_adopted_certificate_is_told_once() -> None:
    """What it would forbid cannot be known, so nothing else is said of the names below."""
    pem = ThrowAwayAuthority("Old CA").certificate_pem
    adopt = {"certificate_pem": pem * 2, "private_key_secret": "old-key"}
    raw = {
        "authority": {"common_name": "Old CA", "adopt": adopt},
        "clients": {"a": {"email": "a@example.com"}},
        "old-key": "stands for a key",
    }
    assert [problem.path for problem in problems_of(raw, ["old-key"])] == ["authority.adopt.certificate_pem"]


@pytest.mark.parametrize(
    ("office", "path"),
    [
        ({"slots": {"active": 2, "retiring": 1, "revoke_retiring": "keyCompromise"}}, ""),
        ({"slots": {"active": 1, "revoke_retiring": "keyCompromise"}}, "authorities.office.slots.revoke_retiring"),
        (
            {"slots": {"active": 2, "retiring": 1, "revoke_retiring": "lost"}},
            "authorities.office.slots.revoke_retiring",
        ),
    ],
)
def test_a_retiring_slot_of_an_intermediate_may_be_revoked(office: dict[str, Any], path: str) -> None:
    """For a reason of RFC 5280, while another slot signs; a root is on no list."""
    root = {"common_name": "CA", "path_length": 1}
    below = {"common_name": "Office CA", "issuer": "ca"}
    raw = stack(authority=None, authorities={"ca": root, "office": below | office}, clients=None, hosts=None)
    assert [each.path for each in problems_of(raw)] == ([path] if path else [])
    of_root = raw | {"authorities": {"ca": root | office}}
    assert [each.path for each in problems_of(of_root)] == ["authorities.ca.slots.revoke_retiring"]
