"""What only signing used to refuse is told before anything is made: the issuer's own subject, a lifetime beyond it."""

from collections.abc import Callable
from typing import Any

import pytest

import pki
from pki.constraints import limits_of_certificate, problems_under_limits
from pki.model import Profile, Subject, SubjectAltNames
from tests.support.declarations import ca, mistake_of
from tests.support.mocks import run_program
from tests.support.specimens import declare, make_authority
from tests.support.stack_files import problems_of, stack

CA: dict[str, Any] = {"common_name": "mx1.example.org"}
SLOTS = {"active": 1, "standby": 2}


def path_of_sole_problem(raw: dict[str, Any], words: str) -> str:
    """Return where the one problem of a stack file is told."""
    (problem,) = problems_of(raw)
    assert words in problem.message
    return problem.path


def only(**sections: Any) -> dict[str, Any]:
    """Return a stack file of an authority called as a mail host, and these sections."""
    return stack(**({"authority": CA, "clients": None, "hosts": None} | sections))


@pytest.mark.parametrize(
    ("sections", "path"),
    [
        ({"servers": {"mx1": {"dns_names": ["mx1.example.org"]}}}, "servers.mx1.dns_names[0]"),
        (
            {"servers": {"mx1": {"dns_names": ["mx1.example.org"], "common_name": "MX1.example.org"}}},
            "servers.mx1.common_name",
        ),
        ({"hosts": {"mx1": {"myhostname": "mx1.example.org"}}}, "hosts.mx1.myhostname"),
        ({"clients": {"mx1": {"dns_names": ["mx1.example.org"]}}}, "clients.mx1.dns_names[0]"),
        (
            {"rosters": {"all": {"clients": {"mx1": {"dns_names": ["mx1.example.org"]}}}}},
            "rosters.all.clients.mx1.dns_names[0]",
        ),
        (
            {
                "authority": {"common_name": "Some CA", "slots": SLOTS},
                "clients": {"one": {"email": "a@example.org", "common_name": "some  ca 2"}},
            },
            "clients.one.common_name",
        ),
    ],
)
def test_a_leaf_with_its_issuers_subject_is_told_in_the_stack_file(sections: dict[str, Any], path: str) -> None:
    """Of any slot, and without case: verifiers would take it for a certificate that signs itself."""
    found = [problem for problem in problems_of(only(**sections)) if "signs itself" in problem.message]
    assert {problem.path for problem in found} == {path}
    assert all(problem.message.endswith("give one of the two another common_name") for problem in found)


def test_a_leaf_with_another_part_in_its_subject_is_another_one() -> None:
    """Its organization tells it apart."""
    servers = {"mx1": {"dns_names": ["mx1.example.org"], "organization": "Example"}}
    assert not [each for each in problems_of(only(servers=servers)) if "signs itself" in each.message]


PROGRAMS: dict[str, Callable[[pki.CertificateAuthority], object]] = {
    "servers.mx1.common_name": lambda above: pki.ServerCertificate(
        "mx1", authority=above, dns_names=["mx1.example.org"]
    ),
    "clients.alice.common_name": lambda above: pki.ClientCertificate(
        "alice", authority=above, email="a@example.org", common_name="MX1.example.org"
    ),
    "authorities.office.common_name": lambda above: pki.IntermediateAuthority(
        "office", authority=above, common_name="mx1.example.org"
    ),
    "rosters.staff.clients.mx1.common_name": lambda above: pki.ClientRoster(
        "staff", authority=above, clients={"mx1": {"dns_names": ["mx1.example.org"]}}
    ),
}


@pytest.mark.parametrize(("path", "program"), PROGRAMS.items(), ids=PROGRAMS)
def test_a_program_is_told_before_anything_is_registered(
    path: str, program: Callable[[pki.CertificateAuthority], object]
) -> None:
    """Also where the authority is made in the same run, and a preview has no certificate of it."""
    error = mistake_of(lambda: program(ca(common_name="mx1.example.org", path_length=1)), preview=True)
    assert [problem.path for problem in error.problems] == [path]
    run_program(lambda: program(ca(common_name="Another CA", path_length=1)))


SHORT = pki.LifetimePolicy(validity_hours=48)
LONG = pki.LifetimePolicy(validity_hours=72)
TOO_LONG: dict[str, Callable[[pki.CertificateAuthority], object]] = {
    "servers.mx1.validity_hours": lambda above: pki.ServerCertificate(
        "mx1", authority=above, dns_names=["mx1.example.org"], lifetime=LONG
    ),
    "clients.alice.validity_hours": lambda above: pki.ClientCertificate(
        "alice", authority=above, email="a@example.org", lifetime=LONG
    ),
    "authorities.office.validity_hours": lambda above: pki.IntermediateAuthority(
        "office", authority=above, common_name="Office", lifetime=LONG
    ),
    "rosters.staff.validity_hours": lambda above: pki.ClientRoster(
        "staff", authority=above, clients={"a": {"email": "a@example.org"}}, lifetime=LONG
    ),
    "rosters.staff.clients.a.validity_hours": lambda above: pki.ClientRoster(
        "staff", authority=above, clients={"a": {"email": "a@example.org", "validity_hours": 72}}, lifetime=SHORT
    ),
}


@pytest.mark.parametrize(("path", "program"), TOO_LONG.items(), ids=TOO_LONG)
def test_a_lifetime_beyond_the_issuers_is_told_in_programs(
    path: str, program: Callable[[pki.CertificateAuthority], object]
) -> None:
    """Where it is written, not at the renewal a year later."""
    error = mistake_of(lambda: program(ca(lifetime=SHORT, path_length=1)))
    assert [problem.path for problem in error.problems] == [path]
    run_program(lambda: program(ca(lifetime=LONG, path_length=1)))


@pytest.mark.parametrize(
    ("common_name", "is_same"), [("Specimen CA", True), ("SPECIMEN  ca", True), ("Specimen", False)]
)
def test_a_certificate_of_an_authority_is_compared_likewise(common_name: str, *, is_same: bool) -> None:
    """Of one that exists, the plugin knows what is signed in its name."""
    issuer = make_authority(subject=Subject("Specimen CA", "Example"))
    leaf = declare(
        Profile.CLIENT,
        subject=Subject(common_name, "Example"),
        alt_names=SubjectAltNames(email_addresses=("a@example.org",)),
    )
    found = problems_under_limits(leaf, [limits_of_certificate(issuer.certificate)])
    assert [problem.path for problem in found] == (["common_name"] if is_same else [])
