"""Load a stack file: return its complete model, or raise all its problems at once."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from postseal.stack.check_authorities import problems_of_authorities
from postseal.stack.check_hosts import problems_of_hosts
from postseal.stack.check_identities import problems_of_identities
from postseal.stack.check_leaves import problems_of_clients, problems_of_implied_servers, problems_of_servers
from postseal.stack.check_moves import problems_of_moves
from postseal.stack.check_places import problems_of_places
from postseal.stack.check_relaying import problems_of_relaying
from postseal.stack.check_requests import problems_of_requests
from postseal.stack.check_rosters import JudgedClients, problems_of_rosters
from postseal.stack.check_third_parties import problems_of_third_parties
from postseal.stack.check_third_party_clients import problems_of_third_party_clients
from postseal.stack.lifetimes import problems_of_policies
from postseal.stack.model import StackConfig
from postseal.stack.reading import SECTION_NAMES, DeclaredStack, Found, read_stack
from postseal.stack.receiving_sections import as_written
from postseal.stack.resolve import (
    implied_servers,
    resolve_authorities,
    resolve_clients,
    resolve_rosters,
    resolve_servers,
    resolve_third_party_clients,
)
from postseal.stack.resolve_hosts import resolve_hosts
from postseal.stack.screening import FileText, problems_of_secrets, screen, screen_files
from postseal_core.errors import ConfigError, Problem
from postseal_core.reading import Raw, without_consequences

__all__ = ["load_stack", "problems_of_namespaces"]


def problems_of_namespaces(keys: Collection[str], project: str) -> list[Problem]:
    """Report sections under the name of another project (`mailpki:clients`), where nobody reads them."""
    parts = [(key, *key.partition(":")[::2]) for key in keys]
    return [
        Problem(key, f"is read by nobody; the name of this project is {project}, so write {project}:{name}")
        for key, namespace, name in parts
        if namespace != project and name in SECTION_NAMES
    ]


def load_stack(
    raw: Raw,
    secret_keys: Collection[str],
    *,
    stack_name: str,
    files: Mapping[str, FileText] = MappingProxyType({}),
    project: str = "",
    judged: JudgedClients | None = None,
) -> StackConfig:
    """Return the model of a stack file; raise all its problems at once.

    `raw`: the configuration keys of the project's namespace, without it, and their values as parsed from JSON; values
    of secret keys in clear, as the engine hands them to a program. `secret_keys`: those of them that are secret.
    `stack_name` is in default directories (`out/dev`). `files`: what `declared_files` names, as far as it is there.
    `project`: the absolute path of the project, by which absolute directories within it are known; empty: not known.
    `judged`: clients that another file has declared before, where several are read.
    The sections are described in docs/stack-file.md.
    Not checked: what only the plugin can see (the clock, adopted keys, certificates that exist already).

    Raises:
        ConfigError: everything that is wrong, with paths as `pulumi config set --path` takes them. No message shows
            PEM text or the value of a secret.
    """
    screened = screen(raw, SECTION_NAMES, secret_keys)
    told = [*screened.problems, *problems_of_secrets(raw, screened.sections, SECTION_NAMES, secret_keys)]
    found = Found(unread=set(screened.unread))
    stack = read_stack(screened.sections, screen_files(files, raw, secret_keys), stack_name, found)
    told += without_consequences(found.problems, screened.unread)
    config = _resolve(stack)
    # Without a whole section, every reference into it would seem wrong.
    is_complete = not found.unread & set(SECTION_NAMES)
    consequences = (
        without_consequences(_problems(stack, config, project, judged or JudgedClients()), _unread(found))
        if is_complete
        else []
    )
    if told or consequences:
        hosts = screened.sections.get("hosts")
        raise ConfigError(dict.fromkeys(as_written(each, hosts) for each in (*told, *consequences)))
    return config


def _unread(found: Found) -> set[str]:
    """Skip all lifetime checks if one lifetime is unreadable: they would compare with a wrong default."""
    is_lifetime = any(path.startswith("lifetime.") or path.endswith(".lifetime") for path in found.unread)
    return found.unread | ({"lifetime"} if is_lifetime else set())


def _resolve(stack: DeclaredStack) -> StackConfig:
    authorities = resolve_authorities(stack)
    config = StackConfig(
        out=stack.out,
        out_take_over=stack.out_take_over,
        has_mail_texts=stack.has_mail_texts,
        authorities=authorities,
        servers=resolve_servers(stack, authorities),
        clients=resolve_clients(stack, authorities),
        rosters=resolve_rosters(stack, authorities),
        hosts={},
        third_party_clients=resolve_third_party_clients(stack),
    )
    return replace(config, hosts=resolve_hosts(stack, config))


def _problems(stack: DeclaredStack, config: StackConfig, project: str, judged: JudgedClients) -> Iterator[Problem]:
    sections = (stack.authorities, stack.servers, stack.clients, stack.rosters)
    own = [(f"{each.path}.lifetime", each.section.lifetime) for section in sections for each in section.values()]
    yield from problems_of_policies(stack.lifetime, own)
    yield from problems_of_authorities(stack, config.authorities)
    yield from problems_of_third_parties(stack, config.authorities)
    yield from problems_of_servers(stack, config)
    yield from problems_of_implied_servers(implied_servers(stack), stack, config)
    yield from problems_of_clients(stack, config)
    yield from problems_of_third_party_clients(stack)
    yield from problems_of_requests(stack, config)
    yield from problems_of_rosters(stack, config, judged)
    yield from problems_of_identities(stack, config)
    yield from problems_of_moves(stack, config)
    yield from problems_of_relaying(stack, config)
    yield from problems_of_hosts(stack, config)
    yield from problems_of_places(stack, config, project)
