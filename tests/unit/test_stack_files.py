"""The stack files of the repository are good, and show how environments differ."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pki.pkcs12 import Pkcs12Profile
from postfix.preflight import problems_of_host
from postseal.stack.config import load_stack
from postseal.stack.model import StackConfig
from postseal.stack.reading import SECTION_NAMES

STACKS = Path(__file__).parents[2] / "stacks"
REFERENCE = Path(__file__).parents[2] / "docs/stack-file.md"
NAMESPACE = "mail-pki:"


def read(stack_name: str) -> dict[str, Any]:
    """Return the project's configuration of a stack file as the engine would hand it over."""
    text = (STACKS / f"Pulumi.{stack_name}.yaml").read_text(encoding="utf-8")
    config: dict[str, Any] = yaml.safe_load(text)["config"]
    return {key.removeprefix(NAMESPACE): value for key, value in config.items() if key.startswith(NAMESPACE)}


def load(stack_name: str) -> StackConfig:
    """Load a stack file, which has no secrets before somebody sets them."""
    return load_stack(read(stack_name), [], stack_name=stack_name)


@pytest.mark.parametrize("stack_name", ["dev", "staging", "prod"])
def test_a_stack_of_the_repository_has_no_problems(stack_name: str) -> None:
    """Neither the file nor any of its hosts, and each host has a directory of its own."""
    config = load(stack_name)
    assert [problems_of_host(host.declaration) for host in config.hosts.values()] == [[]] * len(config.hosts)
    assert len({host.target.path for host in config.hosts.values()}) == len(config.hosts)


def test_dev_is_small_and_may_be_thrown_away() -> None:
    """One unprotected authority that can sign no other, three clients, one host in a directory."""
    config = load("dev")
    (authority,) = config.authorities.values()
    assert (authority.declaration.path_length, authority.is_protected) == (0, False)
    assert authority.declaration.name_constraints.permitted_dns == ("example.org",)
    assert (list(config.clients), list(config.hosts)) == (["alice", "bob", "relay2"], ["mx1"])


def test_environments_differ_in_what_their_files_say() -> None:
    """Staging renews within days, production within months; production hides nothing from old mail programs."""
    staging, prod = load("staging"), load("prod")
    assert list(staging.authorities) == list(prod.authorities) == ["root", "issuing"]
    assert staging.clients["alice"].lifetime.validity_hours < prod.clients["alice"].lifetime.overlap_hours
    bob = prod.clients["bob"].pkcs12
    assert bob is not None
    assert bob.profile is Pkcs12Profile.LEGACY


def test_the_reference_names_every_section() -> None:
    """A section that is not in docs/stack-file.md does not exist for its readers."""
    reference = REFERENCE.read_text(encoding="utf-8")
    assert [name for name in SECTION_NAMES if f"`{name}`" not in reference] == []
