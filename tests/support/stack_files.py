"""Stack files for tests: those of the repository, a small good one, and what is wrong with one."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from postseal.stack.config import load_stack
from postseal.stack.model import StackConfig
from postseal.stack.screening import FileText, declared_files
from postseal_core.errors import ConfigError, Problem

__all__ = ["client", "host", "load_repository_stack", "problems_of", "roster", "stack"]

REPOSITORY = Path(__file__).parents[2]
NAMESPACE = "mail-pki:"


def load_repository_stack(stack_name: str) -> StackConfig:
    """Load a stack file of the repository, which has no secrets before somebody sets them."""
    text = (REPOSITORY / f"stacks/Pulumi.{stack_name}.yaml").read_text(encoding="utf-8")
    config: dict[str, Any] = yaml.safe_load(text)["config"]
    raw = {key.removeprefix(NAMESPACE): value for key, value in config.items() if key.startswith(NAMESPACE)}
    files = {name: FileText((REPOSITORY / name).read_text(encoding="utf-8")) for name in declared_files(raw)}
    return load_stack(raw, [], stack_name=stack_name, files=files)


def stack(**sections: Any) -> dict[str, Any]:
    """Return a good stack file, with whole sections replaced by those given; None takes one out."""
    base: dict[str, Any] = {
        "authority": {"common_name": "Example Mail CA"},
        "clients": {"alice": {"email": "alice@example.org"}, "bob": {"email": "bob@example.org"}},
        "hosts": {"mx1": {"myhostname": "mx1.example.org", "relay_clients": ["alice"]}},
    }
    return {name: value for name, value in (base | sections).items() if value is not None}


def client(**fields: Any) -> dict[str, Any]:
    """Return a good stack file whose client alice has further fields."""
    return stack(clients={"alice": {"email": "alice@example.org"} | fields})


def host(**fields: Any) -> dict[str, Any]:
    """Return a good stack file whose host mx1 has further fields, and a server that may be a client too."""
    servers = {
        "mx2": {"dns_names": ["mx2.example.org"], "also_client": True},
        "web": {"dns_names": ["web.example.org"]},
    }
    return stack(servers=servers, hosts={"mx1": {"myhostname": "mx1.example.org"} | fields})


def roster(**fields: Any) -> dict[str, Any]:
    """Return a good stack file with a roster of one client, anna, that has further fields; None takes one out."""
    staff = {"clients": {"anna": {"email": "anna@example.org"}}} | fields
    return stack(rosters={"staff": {name: value for name, value in staff.items() if value is not None}})


def problems_of(
    raw: Mapping[str, Any], secret_keys: Collection[str] = (), files: Mapping[str, str | FileText] | None = None
) -> list[Problem]:
    """Return everything that loading the file complains about; nothing for a good one. `files`: texts by name."""
    contents = {name: FileText(each) if isinstance(each, str) else each for name, each in (files or {}).items()}
    try:
        load_stack(raw, secret_keys, stack_name="test", files=contents)
    except ConfigError as error:
        return list(error.problems)
    return []
