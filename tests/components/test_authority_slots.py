"""What an authority with slots registers: keys, certificates, protection, chains, and what it refuses before that."""

from collections.abc import Callable, Mapping
from typing import Any

import pulumi
import pytest

from pki.components.authority import AdoptedAuthority, CertificateAuthority, IntermediateAuthority
from pki.components.client import ClientCertificate
from pki.components.handout import HandOut
from pki.components.pkcs12 import Pkcs12
from pki.components.revocation_list import RevocationList
from pki.lifetime import LifetimePolicy
from pki.rollover import Slots
from postseal_core.errors import ConfigError
from tests.support.mocks import Program, run_program
from tests.support.provider import Secret
from tests.support.test_authority import ThrowAwayAuthority

STANDBY, TAKEN_OVER = Slots(1, standby=2), Slots(2, retiring=1)
CROSSED = Slots(2, retiring=1, cross_sign=True)
MADE = ("Certificate", "PrivateKey")
both_ways = pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])


def made(program: Program) -> dict[str, bool]:
    """Return every key and certificate with whether it is protected."""
    return {each.name: each.is_protected for each in program.registrations if each.type.rpartition(":")[2] in MADE}


def certificate(program: Program, name: str) -> dict[str, Any]:
    """Return what a certificate was registered with."""
    return program.one("ClientCertificate" if name == "alice" else "Certificate", name).properties


def issuer(program: Program, name: str) -> dict[str, Any]:
    """Return what the issuer of a certificate was said to be."""
    found: dict[str, Any] = certificate(program, name)["issuer"]
    return found


def chain(*names: str) -> str:
    """Return the certificates of these names, one behind the other."""
    return "".join(f"certificate_pem of {name}" for name in names)


def root(slots: Slots | None = None, **declared: Any) -> CertificateAuthority:
    """Declare a root."""
    return CertificateAuthority("root-ca", common_name="Root", slots=slots, **declared)


def office(authority: CertificateAuthority, slots: Slots | None = None, **declared: Any) -> IntermediateAuthority:
    """Declare an intermediate."""
    return IntermediateAuthority("office-ca", authority=authority, common_name="Office", slots=slots, **declared)


def alice(authority: CertificateAuthority) -> ClientCertificate:
    """Declare a client."""
    return ClientCertificate("alice", authority=authority, email="alice@example.org")


@both_ways
@pytest.mark.parametrize(
    ("slots", "subjects"),
    [
        (Slots(), {"root-ca": "Root"}),
        (STANDBY, {"root-ca": "Root", "root-ca-2": "Root 2"}),
        (TAKEN_OVER, {"root-ca": "Root", "root-ca-2": "Root 2"}),
        (Slots(3, standby=4), {"root-ca-3": "Root 3", "root-ca-4": "Root 4"}),
    ],
)
def test_each_slot_has_a_key_and_a_certificate_of_its_own_name(
    slots: Slots, subjects: Mapping[str, str], *, preview: bool
) -> None:
    """The first slot shows no number; each certificate is signed by itself with the key of its slot."""
    program = run_program(lambda: root(slots), preview=preview)
    assert made(program).keys() == {*subjects, *(f"{name}-key" for name in subjects)}
    for name, common_name in subjects.items():
        properties = certificate(program, name)
        assert (properties["common_name"], properties["profile"]) == (common_name, "root")
        assert preview or properties["private_key_pem"] == Secret(f"privateKeyPem of {name}-key")
        assert "issuer" not in properties
        assert properties["slot"] == f"root-ca/{common_name.removeprefix('Root').strip() or 1}"


@both_ways
@pytest.mark.parametrize(
    ("slots", "unprotected"),
    [(Slots(), set()), (STANDBY, set()), (TAKEN_OVER, {"root-ca", "root-ca-key"}), (Slots(2), set())],
)
def test_everything_is_protected_but_a_retiring_slot(slots: Slots, unprotected: set[str], *, preview: bool) -> None:
    """What retires is deleted by the next change, and the engine must let it go then."""
    protected = made(run_program(lambda: root(slots), preview=preview))
    assert {name for name, is_protected in protected.items() if not is_protected} == unprotected


def test_protection_can_be_switched_off_for_all_slots() -> None:
    """A stack for trying things out can be destroyed."""
    program = run_program(lambda: root(STANDBY, opts=pulumi.ResourceOptions(protect=False)))
    assert set(made(program).values()) == {False}


@pytest.mark.parametrize(
    ("slots", "slot", "signer", "standby_hours"),
    [
        (Slots(), "root-ca/1", "root-ca", None),
        (STANDBY, "root-ca/1", "root-ca", None),
        (TAKEN_OVER, "root-ca/2", "root-ca-2", 336),
        (Slots(2, retiring=1, standby_hours=24), "root-ca/2", "root-ca-2", 24),
        (Slots(2, retiring=1, standby_hours=0), "root-ca/2", "root-ca-2", None),
    ],
)
def test_the_active_slot_signs_and_says_how_long_it_must_have_been_published(
    slots: Slots, slot: str, signer: str, standby_hours: int | None
) -> None:
    """A leaf gets key, chain and standby time of the active slot; the first slot and 0 hours have no rule."""
    found = issuer(run_program(lambda: alice(root(slots))), "alice")
    assert (found["slot"], found["private_key_pem"]) == (slot, Secret(f"privateKeyPem of {signer}-key"))
    assert found["chain_pem"] == chain(signer)
    assert found.get("standby_hours") == standby_hours


@pytest.mark.parametrize(
    ("slots", "is_told"),
    [
        (Slots(2, retiring=1, standby_hours=0), True),
        (Slots(2, retiring=1, standby_hours=1), False),
        (Slots(1, standby=2, standby_hours=0), False),
    ],
)
def test_a_standby_time_of_nothing_is_told_in_every_preview(
    monkeypatch: pytest.MonkeyPatch, slots: Slots, *, is_told: bool
) -> None:
    """A reviewer sees no other sign of it: the rule is not there. The first slot never waits."""
    told: list[str] = []
    monkeypatch.setattr("pulumi.log.warn", lambda message, _resource=None: told.append(message))
    run_program(lambda: root(slots), preview=True)
    assert bool(told) is is_told
    assert all("slot 2 signs whether everybody has its root or not" in line for line in told)


def test_an_intermediate_takes_over_without_a_standby_time() -> None:
    """Its certificate comes with every chain: there is nothing that others must have been given before."""
    program = run_program(lambda: alice(office(root(), TAKEN_OVER)))
    assert issuer(program, "alice")["slot"] == "office-ca/2"
    assert "standby_hours" not in issuer(program, "alice")
    assert {issuer(program, name)["slot"] for name in ("office-ca", "office-ca-2")} == {"root-ca/1"}


def test_the_standby_time_of_a_root_holds_for_the_authority_below_it() -> None:
    """What a root signs itself waits for it; what is further below gets the new chain with it."""
    program = run_program(lambda: alice(office(root(TAKEN_OVER))))
    assert issuer(program, "office-ca")["standby_hours"] == 336
    assert issuer(program, "alice")["chain_pem"] == chain("office-ca", "root-ca-2")
    assert "standby_hours" not in issuer(program, "alice")


@pytest.mark.parametrize(("slots", "roots"), [(STANDBY, (1, 2)), (TAKEN_OVER, (2, 1)), (Slots(2), (2,))])
def test_bundles_hold_the_root_of_every_slot_and_archives_the_active_chain(
    slots: Slots, roots: tuple[int, ...]
) -> None:
    """Intermediates are in chains, never among the trusted."""

    def declare() -> None:
        client = alice(office(root(slots), Slots(1, standby=2)))
        archive = Pkcs12("alice", certificate=client)
        HandOut("all", directory="out", authorities=[client.authority], clients=[client], archives=[archive])

    program = run_program(declare)
    names = {1: "root-ca", 2: "root-ca-2"}
    folders = program.one("HandOut").properties["folders"]
    bundle = chain(*(names[number] for number in roots))
    assert folders["ca"]["ca.pem"]["text"] == folders["clients/alice"]["ca.pem"]["text"] == bundle
    assert program.one("Pkcs12").properties["ca_pem"] == chain("office-ca", names[slots.active])


def test_a_cross_certificate_joins_the_chain_and_stands_above_what_is_below() -> None:
    """The retiring slot certifies the active one's key and name; whoever is below sees it in the chain."""
    program = run_program(lambda: alice(office(root(CROSSED, path_length=2))))
    cross = certificate(program, "root-ca-2-by-root-ca")
    assert (cross["profile"], cross["common_name"], cross["path_length"]) == ("intermediate", "Root 2", 1)
    assert cross["private_key_pem"] == Secret("privateKeyPem of root-ca-2-key")
    assert cross["issuer"] == {
        "slot": "root-ca/1",
        "generation": 1,
        "not_before": "2026-06-01T12:00:00Z",
        "not_after": "2027-06-01T12:00:00Z",
        "chain_pem": chain("root-ca"),
        "private_key_pem": Secret("privateKeyPem of root-ca-key"),
    }
    assert "slot" not in cross
    above = [{"name": "root-ca-2-by-root-ca", "generation": 1}]
    assert issuer(program, "office-ca")["chain_pem"] == chain("root-ca-2", "root-ca-2-by-root-ca")
    assert issuer(program, "office-ca")["above"] == above
    leaf = issuer(program, "alice")
    assert leaf["chain_pem"] == chain("office-ca", "root-ca-2", "root-ca-2-by-root-ca")
    assert leaf["above"] == above
    assert made(program)["root-ca-2-by-root-ca"] is False


def test_every_authority_between_a_leaf_and_its_root_is_named_with_its_generation() -> None:
    """A renewal anywhere in a chain changes what is said to what is below, so that the chain is built anew."""

    def declare() -> None:
        policy = IntermediateAuthority("policy-ca", authority=root(CROSSED), common_name="Policy", path_length=1)
        alice(office(policy))

    program = run_program(declare)
    above = [{"name": "policy-ca", "generation": 1}, {"name": "root-ca-2-by-root-ca", "generation": 1}]
    assert issuer(program, "alice")["above"] == above
    assert issuer(program, "office-ca")["above"] == above[1:]


@pytest.mark.parametrize(
    ("declared", "path_length", "validity_hours"),
    [
        ({}, None, 43_800),
        ({"path_length": 1}, 0, 43_800),
        ({"lifetime": LifetimePolicy(validity_hours=8760)}, None, 8760),
        ({"lifetime": LifetimePolicy(validity_hours=175_200)}, None, 43_800),
    ],
)
def test_a_cross_certificate_fits_below_the_retiring_root(
    declared: Mapping[str, Any], path_length: int | None, validity_hours: int
) -> None:
    """One level less than the root, five years at most, and never declared for longer than the root itself."""
    cross = certificate(run_program(lambda: root(CROSSED, **declared)), "root-ca-2-by-root-ca")
    assert (cross.get("path_length"), cross["validity_hours"]) == (path_length, validity_hours)


REFUSED: Mapping[str, tuple[Callable[[], object], list[str]]] = {
    "contradictions": (
        lambda: root(Slots(2, standby=1, retiring=3)),
        ["authorities.root-ca.slots.standby", "authorities.root-ca.slots.retiring"],
    ),
    "no retiring slot": (lambda: root(Slots(1, cross_sign=True)), ["authorities.root-ca.slots.cross_sign"]),
    "no room": (lambda: root(CROSSED, path_length=0), ["authorities.root-ca.slots.cross_sign"]),
    "an intermediate": (lambda: office(root(), CROSSED), ["authorities.office-ca.slots.cross_sign"]),
    "no room for an intermediate": (lambda: office(root(CROSSED, path_length=1)), ["authorities.office-ca"]),
    "too much room": (
        lambda: office(root(CROSSED, path_length=2), path_length=1),
        ["authorities.office-ca.path_length"],
    ),
    "two levels": (
        lambda: IntermediateAuthority("low-ca", authority=office(root(CROSSED, path_length=2)), common_name="Low"),
        ["authorities.low-ca"],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_slots_that_cannot_work_are_refused_before_they_are_registered(name: str) -> None:
    """Every problem has the path of the declaration, and nothing of that authority reaches the engine."""
    declare, paths = REFUSED[name]
    found: list[ConfigError] = []

    def caught() -> None:
        with pytest.raises(ConfigError) as error:
            declare()
        found.append(error.value)

    program = run_program(caught)
    assert [problem.path for problem in found[0].problems] == paths
    assert not any(name.startswith(paths[0].split(".")[1]) for name in made(program))


@pytest.mark.parametrize(("slots", "is_adopted"), [(STANDBY, True), (TAKEN_OVER, True), (Slots(2), False)])
def test_only_the_first_slot_is_adopted(slots: Slots, *, is_adopted: bool) -> None:
    """A root from elsewhere is rolled over to a key that the engine keeps."""
    old = ThrowAwayAuthority("Root").certificate_pem
    adopted = AdoptedAuthority(old, "<old key>")
    program = run_program(lambda: root(slots, adopt=adopted))
    assert ("root-ca" in made(program)) == is_adopted
    assert "root-ca-key" not in made(program)
    assert "root-ca-2-key" in made(program)
    following = certificate(program, "root-ca-2")
    assert "adopt_certificate_pem" not in following
    assert following["carries_on"] == {"certificate_pem": old, "number": 2}
    if is_adopted:
        assert certificate(program, "root-ca")["adopt_certificate_pem"] == old


def test_a_withdrawal_is_judged_by_every_slot_above_the_clients() -> None:
    """The slots of the whole line are declared, and intermediates depend on the root in each of their slots."""

    def declare() -> None:
        client = alice(office(root(STANDBY), TAKEN_OVER))
        HandOut("all", directory="out", authorities=[client.authority], clients=[client])

    withdrawal = run_program(declare).one("HandOut").properties["withdrawal"]
    assert withdrawal["issuers"] == ["office-ca/1", "office-ca/2", "root-ca/1", "root-ca/2"]
    assert withdrawal["authorities"] == ["office-ca", "root-ca"]
    assert withdrawal["dependents"].keys() == {"office-ca", "office-ca-2", "alice"}


# A slot is distrusted.

STOLEN = Slots(2, distrusted=(1,))


@both_ways
def test_a_distrusted_slot_is_there_without_being_trusted_protected_or_signing(*, preview: bool) -> None:
    """Its certificate is told so, and whatever the authority signs is told which slots are worth nothing."""
    program = run_program(lambda: alice(office(root(STOLEN))), preview=preview)
    assert made(program) == {
        "root-ca": False,
        "root-ca-key": False,
        "root-ca-2": True,
        "root-ca-2-key": True,
        "office-ca": True,
        "office-ca-key": True,
    }
    assert [certificate(program, name).get("is_distrusted") for name in ("root-ca", "root-ca-2")] == [True, None]
    assert issuer(program, "office-ca")["distrusted"] == ["root-ca/1"]
    assert issuer(program, "alice")["distrusted"] == ["root-ca/1"]
    assert issuer(program, "office-ca")["slot"] == "root-ca/2"


def test_trust_bundles_leave_a_distrusted_slot_out() -> None:
    """Hosts and hand-outs take them from here."""
    found: dict[str, Any] = {}
    run_program(lambda: found.update(root(Slots(3, retiring=2, distrusted=(1,))).trusted_pem))
    assert list(found) == ["root-ca-3", "root-ca-2"]


@pytest.mark.parametrize("slots", [STOLEN, STANDBY])
def test_an_adopted_slot_leaves_the_trust_bundles_with_all_its_roots(slots: Slots) -> None:
    """Bundles take the roots of a slot together; a distrusted one still signs a last list with the adopted key."""
    old = ThrowAwayAuthority("Root").certificate_pem
    found: dict[str, Any] = {}
    program = run_program(lambda: found.update(root(slots, adopt=AdoptedAuthority(old, "<old key>")).trusted_pem))
    is_stolen = slots is STOLEN
    assert list(found) == (["root-ca-2"] if is_stolen else ["root-ca", "root-ca-2"])
    assert certificate(program, "root-ca").get("is_distrusted", False) is is_stolen
    assert certificate(program, "root-ca")["private_key_pem"] == Secret("<old key>")
    assert certificate(program, "root-ca-2")["carries_on"] == {"certificate_pem": old, "number": 2}


def test_what_an_authority_signs_is_told_of_the_distrusted_slots_of_others() -> None:
    """A client that moved from one authority to another is still accepted with what the first one signed."""

    def declare() -> None:
        root(STOLEN)
        other = CertificateAuthority("other-ca", common_name="Other")
        alice(other)

    assert issuer(run_program(declare), "alice")["distrusted"] == ["root-ca/1"]
    assert issuer(run_program(lambda: alice(root())), "alice").get("distrusted", []) == []


def test_a_distrusted_slot_signs_a_last_list() -> None:
    """Also a standby that is stolen; so does one that is not, as every slot."""

    def signers(slots: Slots) -> list[str]:
        found: list[str] = []
        run_program(lambda: found.extend(RevocationList("crl", authority=root(slots)).by_slot))
        return found

    assert signers(STOLEN) == ["root-ca-2", "root-ca"]
    assert signers(Slots(1, distrusted=(2,))) == ["root-ca", "root-ca-2"]
    assert signers(STANDBY) == ["root-ca", "root-ca-2"]


def test_one_address_of_lists_is_enough_where_the_other_slot_is_distrusted() -> None:
    """In an emergency nobody has to write `{slot}` first."""
    urls = ["http://pki.example.org/ca.crl"]
    run_program(lambda: root(STOLEN, crl_urls=urls))
    with pytest.raises(ConfigError, match="slots, each of which signs a list of its own"):
        run_program(lambda: root(TAKEN_OVER, crl_urls=urls))


def test_a_slot_is_told_who_cross_signs_it_and_a_distrusted_one_who_is_trusted() -> None:
    """By that a slot is not distrusted while another one vouches for its key."""
    crossed = run_program(lambda: root(CROSSED, path_length=2))
    told = {name: certificate(crossed, name).get("cross_signers", []) for name in ("root-ca", "root-ca-2")}
    assert told == {"root-ca": [], "root-ca-2": ["root-ca/1"]}
    stolen = run_program(lambda: root(Slots(3, retiring=1, distrusted=(2,))))
    assert certificate(stolen, "root-ca-2")["trusted_slots"] == ["root-ca/1", "root-ca/3"]
