"""Text of main.cf and master.cf for a private instance on loopback; pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

__all__ = [
    "RECEIVING_SIDE",
    "SENDING_SIDE",
    "Moved",
    "drop_parameters",
    "indexed_tables",
    "loopback_settings",
    "move_services",
    "overlay_main_cf",
    "sending_to",
    "smtp_transport",
    "smtpd_service",
    "standard_services",
]

# An installation's other instances and its resolver are no business of a private one.
DROPPED = frozenset(
    {"multi_instance_name", "multi_instance_enable", "multi_instance_directories", "disable_dns_lookups"},
)

RECEIVING_SIDE: Mapping[str, str] = {"default_transport": "discard:", "local_transport": "discard:"}
SENDING_SIDE: Mapping[str, str] = {
    "mynetworks": "127.0.0.0/8",
    "smtpd_relay_restrictions": "permit_mynetworks, reject",
    "soft_bounce": "yes",
    "smtp_tls_loglevel": "1",
}

# name, private, chrooted where y, wakeup, maxproc, command: what receiving and delivering over SMTP needs
STANDARD_SERVICES = """
pickup   unix n - {chroot} 60    1 pickup
cleanup  unix n - {chroot} -     0 cleanup
qmgr     unix n - n        300   1 qmgr
tlsmgr   unix - - {chroot} 1000? 1 tlsmgr
rewrite  unix - - {chroot} -     - trivial-rewrite
bounce   unix - - {chroot} -     0 bounce
defer    unix - - {chroot} -     0 bounce
trace    unix - - {chroot} -     0 bounce
proxymap unix - - n        -     - proxymap
anvil    unix - - {chroot} -     1 anvil
scache   unix - - {chroot} -     1 scache
smtp     unix - - {chroot} -     - smtp
error    unix - - {chroot} -     - error
retry    unix - - {chroot} -     - error
discard  unix - - {chroot} -     - discard
"""
POSTLOG = "postlog unix-dgram n - n - 1 postlogd\n"


@dataclass(frozen=True, slots=True)
class Moved:
    """A master.cf whose inet services listen on loopback, and the port of each by its first name."""

    text: str
    ports: Mapping[str, int]


def loopback_settings(work: str) -> dict[str, str]:
    """Return what keeps an instance to itself below the directory `work`; loopback is no trusted network there."""
    return {
        "inet_interfaces": "127.0.0.1",
        "inet_protocols": "ipv4",
        "mynetworks": "192.0.2.254/32",
        "alias_maps": "",
        "alias_database": "",
        "smtp_dns_support_level": "disabled",
        "smtp_host_lookup": "native",
        "queue_directory": f"{work}/spool",
        "data_directory": f"{work}/data",
        "maillog_file": f"{work}/log/mail.log",
        "maillog_file_prefixes": work,
    }


def sending_to(routes: Mapping[str, str]) -> dict[str, str]:
    """Return the overrides of a sending side that delivers each domain to `transport:[127.0.0.1]:port`."""
    table = ", ".join(f"{{{domain} = {next_hop}}}" for domain, next_hop in routes.items())
    return {**SENDING_SIDE, "transport_maps": f"inline:{{ {table} }}"}


def overlay_main_cf(text: str, settings: Mapping[str, str | None]) -> str:
    """Return main.cf with `settings` in place of whatever it says about them; None keeps what it says."""
    replaced = {name: value for name, value in settings.items() if value is not None}
    kept = drop_parameters(text, DROPPED | replaced.keys())
    return kept + "".join(f"{name} = {value}\n" for name, value in replaced.items())


def drop_parameters(text: str, names: Iterable[str]) -> str:
    """Return main.cf without the logical lines that set one of `names` (postconf(5), "general format")."""
    dropped = set(names)
    return "".join(line for line in _logical_lines(text) if line.partition("=")[0].strip() not in dropped)


def _logical_lines(text: str) -> Iterator[str]:
    """Yield each logical line with its continuations; comments and blank lines may stand inside one."""
    pending = ""
    for line in text.splitlines():
        starts_one = bool(line.strip()) and line[0] not in "# \t"
        if starts_one and pending:
            yield pending
            pending = ""
        pending += f"{line}\n"
    if pending:
        yield pending


def standard_services(*, is_chrooted: bool) -> str:
    """Return a master.cf without smtpd that is enough to receive and to deliver over SMTP."""
    return STANDARD_SERVICES.format(chroot="y" if is_chrooted else "n")


def smtpd_service(name: str, settings: Mapping[str, str], *, is_chrooted: bool) -> str:
    """Return the master.cf line of an SMTP server called `name`, in the log as well."""
    return f"{name} inet n - {'y' if is_chrooted else 'n'} - - smtpd{_options(name, settings)}\n"


def smtp_transport(name: str, settings: Mapping[str, str], *, is_chrooted: bool) -> str:
    """Return the master.cf line of an SMTP client called `name`, in the log as well."""
    return f"{name} unix - - {'y' if is_chrooted else 'n'} - - smtp{_options(name, settings)}\n"


def _options(name: str, settings: Mapping[str, str]) -> str:
    named = {"syslog_name": f"postfix/{name}", **settings}
    return "".join(f"\n  -o {{ {parameter} = {value} }}" for parameter, value in named.items())


def move_services(text: str, ports: Iterator[int]) -> Moved:
    """Move each inet service to the next of `ports` on 127.0.0.1, and add the log service if there is none."""
    moved: dict[str, int] = {}

    def to_free_port(match: re.Match[str]) -> str:
        service = match["service"].rpartition(":")[2]
        moved[service] = next(ports)
        return f"127.0.0.1:{moved[service]}{match['rest']}"

    lines = re.sub(r"^(?P<service>[^#\s]\S*)(?P<rest>\s+inet\s)", to_free_port, text, flags=re.MULTILINE)
    has_postlog = re.search(r"^postlog\s", text, flags=re.MULTILINE)
    return Moved(lines if has_postlog else lines + POSTLOG, moved)


def indexed_tables(postconf_output: str, config_directory: str) -> frozenset[tuple[str, str, bool]]:
    """Return (type, path, holds_files) of each indexed table of the configuration that lies in its own directory.

    `postconf_output` is what `postconf -xn` and `postconf -xP` print. `holds_files` is true for SNI tables, whose
    values are names of files that `postmap -F` reads.
    """
    found = set()
    for line in postconf_output.splitlines():
        holds_files = "tls_server_sni_maps" in line.partition("=")[0]
        for kind, path in re.findall(r"\b(hash|btree|lmdb|cdb):(/[^\s,}]+)", line):
            if path.startswith(f"{config_directory}/"):
                found.add((kind, path, holds_files))
    return frozenset(found)
