"""The stack files of the repository are good, and show how environments differ."""

import re
from pathlib import Path

import pytest

from pki.model import Pkcs12Profile
from postfix.preflight import problems_of_host
from postfix.target import Directory
from postseal.stack.host_sections import HostSection
from postseal.stack.reading import SECTION_NAMES
from postseal.stack.sections import (
    AuthoritySection,
    ClientSection,
    CrlSection,
    RosterSection,
    ServerSection,
    SlotsSection,
)
from postseal_core.reading import Section
from tests.support.stack_files import load_repository_stack

REFERENCE = Path(__file__).parents[2] / "docs/stack-file.md"


@pytest.mark.parametrize("stack_name", ["dev", "staging", "prod"])
def test_a_stack_of_the_repository_has_no_problems(stack_name: str) -> None:
    """Neither the file nor any of its hosts, and each host has a directory of its own."""
    config = load_repository_stack(stack_name)
    assert [problems_of_host(host.declaration) for host in config.hosts.values()] == [[]] * len(config.hosts)
    assert len({host.target.path for host in config.hosts.values()}) == len(config.hosts)


def test_dev_is_small_and_may_be_thrown_away() -> None:
    """One unprotected authority that can sign no other, three clients, one host in a directory."""
    config = load_repository_stack("dev")
    (authority,) = config.authorities.values()
    assert (authority.declaration.path_length, authority.is_protected) == (0, False)
    assert authority.declaration.name_constraints.permitted_dns == ("example.org",)
    assert (list(config.clients), list(config.hosts)) == (["alice", "bob", "relay2"], ["mx1"])


def test_environments_differ_in_what_their_files_say() -> None:
    """Staging renews within days, production within months; production hides nothing from old mail programs."""
    staging, prod = load_repository_stack("staging"), load_repository_stack("prod")
    assert list(staging.authorities) == list(prod.authorities) == ["root", "issuing"]
    assert staging.clients["alice"].lifetime.validity_hours < prod.clients["alice"].lifetime.overlap_hours
    bob = prod.clients["bob"].pkcs12
    assert bob is not None
    assert bob.profile is Pkcs12Profile.LEGACY


def test_prod_has_a_roster_from_a_file_and_a_revocation_list_and_touches_no_postfix() -> None:
    """All of the staff is handed out and may relay; whoever brings the stack up anywhere writes directories only."""
    config = load_repository_stack("prod")
    staff, issuing = config.rosters["staff"], config.authorities["issuing"]
    assert (staff.handed_out, config.hosts["mx1"].relaying.rosters) == (
        tuple(row.name for row in staff.rows),
        ("staff",),
    )
    assert issuing.crl is not None
    assert issuing.crl_urls
    assert {type(host.target) for host in config.hosts.values()} == {Directory}


def test_staging_shows_the_first_step_of_a_rollover() -> None:
    """The next root is published while the first one signs."""
    slots = load_repository_stack("staging").authorities["root"].slots
    assert (slots.active, slots.standby, slots.retiring) == (1, 2, None)


def test_the_reference_names_every_section() -> None:
    """A section that is not in docs/stack-file.md does not exist for its readers."""
    reference = REFERENCE.read_text(encoding="utf-8")
    assert [name for name in SECTION_NAMES if f"`{name}`" not in reference] == []


@pytest.mark.parametrize(
    "section", [AuthoritySection, SlotsSection, CrlSection, ServerSection, ClientSection, RosterSection, HostSection]
)
def test_the_reference_names_every_key(section: type[Section]) -> None:
    """So does a key; each stands there as it is written in the file."""
    words = set(re.findall(r"[a-z_0-9]+", REFERENCE.read_text(encoding="utf-8")))
    assert [name for name in section.model_fields if name not in words] == []
