"""Read a stack's configuration and the files it names, and register everything it declares."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pulumi
from pulumi.runtime.config import get_config_env, get_config_secret_keys_env

import pki
from pki.third_party_answer import fault_of_binary, pem_of_binary
from postseal.stack.check_adopted_keys import problems_of_adopted_keys
from postseal.stack.check_third_party_keys import problems_of_third_party_keys
from postseal.stack.components import (
    BuiltStack,
    archive_component,
    authority_component,
    client_component,
    crl_component,
    host_component,
    roster_component,
    server_component,
    third_party_client_component,
)
from postseal.stack.config import load_stack, problems_of_namespaces
from postseal.stack.host_order import receivers_of
from postseal.stack.model import Client, Roster, StackConfig
from postseal.stack.parsing import parse_value
from postseal.stack.relays import relays_of_clients, relays_of_roster
from postseal.stack.screening import NO_FILE, FileText, declared_files
from postseal_core.errors import ConfigError, PostsealError, Problem, lines_of_problems
from postseal_core.files.project_file import ProjectFileError, read_project_file

__all__ = ["build_stack", "file_text", "read_configuration", "register_stack"]


def read_configuration() -> StackConfig:
    """Read the stack's configuration; stop the program with every problem in it before anything is registered."""
    prefix = f"{pulumi.get_project()}:"
    values = {key.removeprefix(prefix): value for key, value in get_config_env().items() if key.startswith(prefix)}
    secret_keys = {key.removeprefix(prefix) for key in get_config_secret_keys_env()}
    try:
        _refuse_unrehearsed_clock()
        _refuse_other_namespaces()
        raw = {key: value if key in secret_keys else parse_value(value) for key, value in values.items()}
        files = {name: _read_file(name) for name in declared_files(raw)}
        project = str(_project_above(Path.cwd()))
        config = load_stack(raw, secret_keys, stack_name=pulumi.get_stack(), files=files, project=project)
        _refuse_unusable_keys(config, {key: raw[key] for key in secret_keys if key in raw})
        return config
    except ConfigError as error:
        raise pulumi.RunError(_list_of_problems(error)) from None


def build_stack(config: StackConfig) -> BuiltStack:
    """Register everything that a stack declares."""
    try:
        return register_stack(config)
    except PostsealError as error:
        raise pulumi.RunError(_list_of_problems(error) if isinstance(error, ConfigError) else str(error)) from None


def _refuse_unusable_keys(config: StackConfig, secrets: Mapping[str, object]) -> None:
    problems = [*problems_of_adopted_keys(config, secrets), *problems_of_third_party_keys(config, secrets)]
    if problems:
        raise ConfigError(problems)


def _refuse_unrehearsed_clock() -> None:
    """Refuse `pulumi up` under a set clock before any key is made; the plugin refuses only its own resources."""
    settings = pulumi.Config("postseal")
    clock = settings.get("clock")
    if clock and not pulumi.runtime.is_dry_run() and not settings.get_bool("rehearsal"):
        message = (
            f"is set to {clock}: previews may look at another day, but `pulumi up` changes things only without it "
            "(pulumi config rm postseal:clock) or on a rehearsal stack (pulumi config set postseal:rehearsal true)"
        )
        raise ConfigError([Problem("postseal:clock", message)])


def _refuse_other_namespaces() -> None:
    """Refuse sections under another project's name before their absence causes further problems."""
    misplaced = problems_of_namespaces(list(get_config_env()), pulumi.get_project())
    if misplaced:
        raise ConfigError(misplaced)


def _list_of_problems(error: ConfigError) -> str:
    count = len(error.problems)
    head = "the configuration has a problem" if count == 1 else f"the configuration has {count} problems"
    return "\n".join([f"{head}; nothing was changed:", *(f"  {line}" for line in lines_of_problems(error.problems))])


def _read_file(name: str) -> FileText:
    here = Path.cwd()
    return file_text(lambda: read_project_file(_project_above(here), name, base=here))


def file_text(read: Callable[[], bytes]) -> FileText:
    """Return the text of a file that a stack file names, or why it cannot be read; DER and PKCS#7 as PEM."""
    try:
        content = read()
        text = pem_of_binary(content) or content.decode("utf-8")
        return FileText(text.replace("\r\n", "\n").replace("\r", "\n"))
    except FileNotFoundError:
        return NO_FILE
    except UnicodeDecodeError as error:
        return FileText(fault=fault_of_binary(error.object))
    except ProjectFileError as error:
        return FileText(fault=str(error))


def _project_above(here: Path) -> Path:
    """Return the directory of Pulumi.yaml, which is above the program's own where that has a `main`."""
    root = pulumi.get_root_directory()
    return Path(root) if root and here.is_relative_to(root) else here


def register_stack(config: StackConfig) -> BuiltStack:
    """Register everything that a stack declares.

    Raises:
        PostsealError: an argument or what comes of several is refused; a ConfigError has all problems.
    """
    built = BuiltStack()
    for name, authority in config.authorities.items():
        built.authorities[name] = authority_component(authority, built.authorities)
    for name, server in config.servers.items():
        built.servers[name] = server_component(server, built.authorities)
    _add_clients(config, built)
    for name, client in config.third_party_clients.items():
        built.third_party_clients[name] = third_party_client_component(client)
    for name, authority in config.authorities.items():
        if authority.crl:
            built.revocation_lists[name] = crl_component(authority, authority.crl, config, built)
    _hand_out(config, built)
    for name, receivers in receivers_of(config.hosts).items():
        host = config.hosts[name]
        built.hosts[name] = host_component(host, built, receivers)
        if host.serves_its_own:
            built.served_on_host.add(name)
    return built


def _add_clients(config: StackConfig, built: BuiltStack) -> None:
    """Register clients and rosters, previous owners of moving certificates before new ones."""
    _add_single_clients([each for each in config.clients.values() if not each.take_over_from], built)
    for name, roster in config.rosters.items():
        built.rosters[name] = roster_component(roster, built.authorities, built.clients)
    _add_single_clients([each for each in config.clients.values() if each.take_over_from], built)


def _add_single_clients(clients: Iterable[Client], built: BuiltStack) -> None:
    for client in clients:
        built.clients[client.name] = client_component(client, built.authorities, built.rosters)
        if client.pkcs12:
            built.archives[client.name] = archive_component(client.pkcs12, built.clients[client.name])


def _hand_out(config: StackConfig, built: BuiltStack) -> None:
    pki.HandOut(
        "hand-out",
        directory=config.out,
        authorities=list(built.authorities.values()),
        clients=list(built.clients.values()),
        archives=list(built.archives.values()),
        servers=[built.servers[name] for name, server in config.servers.items() if server.is_handed_out],
        requests=[each for each in built.servers.values() if isinstance(each, pki.ThirdPartyServerCertificate)],
        revocation_lists=list(built.revocation_lists.values()),
        mail_texts=config.has_mail_texts,
        relays=relays_of_clients(config),
        take_over=config.out_take_over,
    )
    for roster in config.rosters.values():
        if roster.handed_out:
            _hand_out_roster(roster, config, built)


def _hand_out_roster(roster: Roster, config: StackConfig, built: BuiltStack) -> None:
    component = built.rosters[roster.name]
    if component.awaits:
        return
    clients = [component.client(name) for name in roster.handed_out]
    pki.HandOut(
        f"{roster.name}-hand-out",
        directory=f"{config.out}/rosters/{roster.name}",
        authorities=[],
        clients=clients,
        clients_below="",
        mail_texts=config.has_mail_texts,
        relays=dict.fromkeys((each.name for each in clients), relays_of_roster(config, roster.name)),
        take_over=roster.replaced_files,
        opts=pulumi.ResourceOptions(parent=component),
    )
    archives = roster.archives
    leaving = {each.name for each in config.clients.values() if each.take_over_from == roster.name}
    built.roster_passphrases.update(
        {each.name: each.passphrase for each in clients if each.name in archives and each.name not in leaving}
    )
