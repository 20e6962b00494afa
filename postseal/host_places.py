"""Which host a command is about: one that a stack file declares, or one elsewhere by its address."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

import yaml

from postfix.ssh_access import PROGRAM_PATH, SSH_PORT, Sudo, problems_of_ssh
from postfix.target import DEPLOY_USER, ETC_POSTFIX, Local, Ssh, TargetKind
from postseal.stack.host_sections import TargetSection
from postseal.stack.words import expanded
from postseal_core.errors import ConfigError, Problem, refuse
from postseal_core.reading import Section, join_path, read_section
from postseal_core.wording import shown

__all__ = ["ssh_target_of", "target_in"]

_HOSTS: Final = ":hosts"
_ADDRESS: Final = re.compile(
    r"ssh://(?:(?P<user>[^@/:]+)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^@/:\[\]?#]+)(?::(?P<port>[0-9]{1,5}))?(?P<path>/[^?#]*)?"
)
_NOTATION: Final = "ssh://postseal@mx1.example.org:22/etc/postfix"


class _HostPlace(Section):
    """What a command needs to know of a host: where it is."""

    target: Annotated[TargetSection, expanded("directory")] | None = None


def target_in(text: str, name: str, file_name: str) -> Local | Ssh:
    """Return where a host is that a stack file declares.

    `text`: the stack file. Nothing else of it is read, so a mistake elsewhere in it keeps nobody from the host. Raises
    ConfigError where the file is none, or does not say it.
    """
    hosts = _hosts(text, file_name)
    if name not in hosts:
        known = ", ".join(sorted(map(str, hosts))) or "none"
        raise ConfigError([Problem(file_name, f"has no host {shown(name)}; its hosts: {known}")])
    said = hosts[name] if isinstance(hosts[name], Mapping) else {}
    path = join_path(("hosts", name))
    reading = read_section({"target": said.get("target")}, _HostPlace, path)
    refuse(reading.problems)
    section = reading.section.target or TargetSection()
    if section.ssh:
        return section.ssh.target
    if section.local:
        return Local(section.local)
    message = f"{TargetKind.DIRECTORY} is no running Postfix; this needs a target `local` or `ssh`"
    raise ConfigError([Problem(f"{path}.target", message)])


def ssh_target_of(address: str, *, host_key: str, identity_file: str, sudo: str, program: str = PROGRAM_PATH) -> Ssh:
    """Return a host by its address, `ssh://USER@HOST:PORT/DIRECTORY`.

    User, port and directory may be left out: postseal, 22 and /etc/postfix. `host_key`: the key that it has to show,
    one a line, also with `host_key:` in front as `postseal host-key` prints it. `identity_file`: the key of the user;
    empty asks the agent. `sudo`: `program`, `shell`, `none`, or empty for what fits the user. `program`: where the
    program lies there. Raises ConfigError with everything that is wrong.
    """
    found = _ADDRESS.fullmatch(address)
    if not found:
        raise ConfigError([Problem("HOST", f"got {shown(address)}, expected {_NOTATION}")])
    target = Ssh(
        found["host"].strip("[]"),
        host_key=re.sub(r"(?m)^host_key:\s*", "", host_key),
        user=found["user"] or DEPLOY_USER,
        port=int(found["port"] or SSH_PORT),
        identity_file=identity_file,
        sudo=Sudo(sudo) if sudo else None,
        program=program,
        path=(found["path"] or "").rstrip("/") or ETC_POSTFIX,
    )
    refuse(Problem(f"--{each.path.replace('_', '-')}", each.message) for each in problems_of_ssh(target.access))
    return target


def _hosts(text: str, file_name: str) -> Mapping[Any, Any]:
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigError([Problem(file_name, "is no YAML")]) from None
    config = document.get("config") if isinstance(document, Mapping) else None
    found = [value for key, value in config.items() if str(key).endswith(_HOSTS)] if isinstance(config, Mapping) else []
    if len(found) != 1 or not isinstance(found[0], Mapping):
        raise ConfigError([Problem(file_name, "declares no hosts; expected `hosts` of a Postseal project in it")])
    return found[0]
