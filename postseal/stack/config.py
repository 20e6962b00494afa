"""Load a stack file: everything that is wrong with it at once, or a model in which nothing is left to decide."""

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from postseal.stack.authorities import resolve_authorities
from postseal.stack.authority_checks import problems_of_authorities
from postseal.stack.clients import problems_of_clients, resolve_clients
from postseal.stack.files import FileText, declared_files, screen_files
from postseal.stack.host_checks import problems_of_hosts
from postseal.stack.hosts import Certificates, resolve_hosts
from postseal.stack.lifetime_config import problems_of_policies
from postseal.stack.model import StackConfig
from postseal.stack.moves import problems_of_moves
from postseal.stack.problems import without_consequences
from postseal.stack.reading import SECTION_NAMES, DeclaredStack, Found, read_stack
from postseal.stack.rosters import problems_of_rosters, resolve_rosters
from postseal.stack.screening import problems_of_secrets, screen
from postseal.stack.servers import problems_of_servers, resolve_servers
from postseal_core.errors import ConfigError, Problem

__all__ = ["FileText", "StackConfig", "declared_files", "load_stack", "problems_of_namespaces"]


def problems_of_namespaces(keys: Collection[str], project: str) -> list[Problem]:
    """Return which sections stand under the name of another project (`mailpki:clients`), where nobody reads them."""
    parts = [(key, *key.partition(":")[::2]) for key in keys]
    return [
        Problem(key, f"is read by nobody; the name of this project is {project}, so write {project}:{name}")
        for key, namespace, name in parts
        if namespace != project and name in SECTION_NAMES
    ]


def load_stack(
    raw: Mapping[str, Any],
    secret_keys: Collection[str],
    *,
    stack_name: str,
    files: Mapping[str, FileText] = MappingProxyType({}),
) -> StackConfig:
    """Return what a stack file means; fix every problem it names before running again.

    `raw`: the configuration keys of the project's namespace, without it, and their values as parsed from JSON; values
    of secret keys in clear, as the engine hands them to a program. `secret_keys`: those of them that are secret.
    `stack_name` is in default directories (`out/dev`). `files`: what `declared_files` names, as far as it is there.
    The sections are described in docs/stack-file.md.
    Not checked: hosts, and what only the plugin can see (the clock, adopted keys, certificates that exist already).

    Raises:
        ConfigError: everything that is wrong, with paths as `pulumi config set --path` takes them. No message shows
            PEM text or the value of a secret.
    """
    screened = screen(raw, SECTION_NAMES, secret_keys)
    told = [*screened.problems, *problems_of_secrets(raw, screened.sections, SECTION_NAMES, secret_keys)]
    found = Found(unread=set(screened.unread))
    declared = read_stack(screened.sections, screen_files(files, raw, secret_keys), stack_name, found)
    told += without_consequences(found.problems, screened.unread)
    config = _resolve(declared, stack_name)
    # Without a whole section, every reference into it would seem wrong.
    is_complete = not found.unread & set(SECTION_NAMES)
    consequences = without_consequences(_problems(declared, config), _unread(found)) if is_complete else []
    if told or consequences:
        raise ConfigError(dict.fromkeys([*told, *consequences]))
    return config


def _unread(found: Found) -> set[str]:
    """Where one lifetime could not be read, others may seem too long beside its default: all wait for it."""
    is_lifetime = any(path.startswith("lifetime.") or path.endswith(".lifetime") for path in found.unread)
    return found.unread | ({"lifetime"} if is_lifetime else set())


def _resolve(declared: DeclaredStack, stack_name: str) -> StackConfig:
    authorities = resolve_authorities(declared)
    servers = resolve_servers(declared, authorities)
    clients = resolve_clients(declared, authorities)
    rosters = resolve_rosters(declared, authorities)
    hosts = resolve_hosts(declared, Certificates(authorities, servers, clients, rosters))
    return StackConfig(stack_name, declared.out, authorities, servers, clients, rosters, hosts)


def _problems(declared: DeclaredStack, config: StackConfig) -> Iterator[Problem]:
    sections = (declared.authorities, declared.servers, declared.clients, declared.rosters)
    own = [(f"{entry.path}.lifetime", entry.section.lifetime) for section in sections for entry in section.values()]
    yield from problems_of_policies(declared.lifetime, own)
    yield from problems_of_authorities(declared, config.authorities)
    yield from problems_of_servers(declared, config.servers, config.authorities)
    yield from problems_of_clients(declared, config.clients, config.authorities)
    yield from problems_of_rosters(declared, config.rosters, config.authorities)
    yield from problems_of_moves(declared, config.clients, config.rosters)
    certificates = Certificates(config.authorities, config.servers, config.clients, config.rosters)
    yield from problems_of_hosts(declared, config.hosts, certificates)
