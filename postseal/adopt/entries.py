"""The entry of a host in the stack file, made of what is in force on it; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pki.name_syntax import fault_of_host
from postfix.audit.host_view import HostView
from postfix.effective.listeners import TlsLevel
from postfix.host import public_names_of
from postfix.list_items import split_list
from postfix.networks import fault_of_network, network_of, problems_of_width
from postfix.on_host import files_of, sources_of
from postfix.parameters import known_parameters
from postfix.rendering import CLIENT_TABLE, SERVED_BY
from postfix.settings import RelayPolicy, ServerSettings
from postfix.sighting import chains_in
from postseal.adopt.clients import ListedClients
from postseal_core.wording import shown

__all__ = ["Draft", "draft_of"]

_NETWORKS: Final = "mynetworks"
_PERMIT_NETWORKS: Final = "permit_mynetworks"
_RELAYING: Final = ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")
_LEVEL: Final = "smtpd_tls_security_level"
_ASK: Final = "smtpd_tls_ask_ccert"
_PROTOCOLS: Final = ("smtpd_tls_mandatory_protocols", "smtpd_tls_protocols")
_TRUST: Final = ("smtpd_tls_CAfile", "smtpd_tls_CApath")
_STANDS_FOR_IPV4: Final = "stand for IPv4"
_DEFAULTS: Final = ServerSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An entry, what it leaves out or changes, and what keeps it from reproducing the host."""

    entry: Mapping[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()


def draft_of(view: HostView, clients: ListedClients, *, is_sasl: bool) -> Draft:
    """Return the entry of a host.

    Args:
        view: The host, with all that was wanted.
        clients: The clients that it lists.
        is_sasl: Whether users who log in relay by the list of main.cf.
    """
    obstacles = [*clients.obstacles]
    name = view.main["myhostname"]
    if "myhostname" not in view.configuration.written and view.record.is_copy:
        obstacles.append("myhostname is not in main.cf, and this machine is another one: run it on the host")
    elif fault := fault_of_host(name):
        obstacles.append(f"myhostname = {shown(name)}: {fault}")
    sources = sources_of({each: view.main[each] for each in SERVED_BY})
    if not sources:
        obstacles.append("main.cf names no server certificate; give the host one, or declare a server for it")
    networks, remarks, faults = _networks(view)
    server, said = _server(view, clients)
    entry: dict[str, Any] = {
        "myhostname": name,
        "certificate": {"keep": True},
        **_public_names(view, name),
        "trust": {"authorities": []},
        "relay": {**({"sasl": True} if is_sasl else {}), **networks},
        **({"extra_relay_clients": [dict(each) for each in clients.entries]} if clients.entries else {}),
        **server,
        **({"table_type": clients.table_type} if clients.table_type not in ("", "texthash") else {}),
        "target": _target(view, clients),
    }
    return Draft(entry=entry, remarks=(*clients.remarks, *remarks, *said), obstacles=(*obstacles, *faults))


def _target(view: HostView, clients: ListedClients) -> dict[str, Any]:
    taken = {"take_over": [CLIENT_TABLE]} if clients.is_at_our_place and clients.entries else {}
    return {"local": view.record.root, "ownership": "merge", **taken}


def _networks(view: HostView) -> tuple[dict[str, list[str]], list[str], list[str]]:
    """Return the networks as the stack file has them, what is left out, and what it cannot have."""
    plain: list[str] = []
    remarks, obstacles = [], []
    words = [word.lower() for name in _RELAYING for word in split_list(view.main[name])]
    if _PERMIT_NETWORKS not in words:
        if any(view.has_step(each, _PERMIT_NETWORKS) for each in view.listeners):
            obstacles.append(
                f"{_PERMIT_NETWORKS} stands in other lists only; the stack file lets networks relay, or none"
            )
        remarks.append(f"{_NETWORKS}: no list lets these networks relay, so it will be empty")
        return {"networks": []}, remarks, obstacles
    for network in split_list(view.main[_NETWORKS]):
        fault = fault_of_network(network)
        if fault is None:
            plain.append(network)
        elif _STANDS_FOR_IPV4 in fault:
            remarks.append(f"{_NETWORKS}: {network}, which matches no client")
        elif "another spelling of " in fault:
            plain.append(fault.partition("another spelling of ")[2].partition(";")[0])
        else:
            obstacles.append(f"{_NETWORKS}: {network} {fault}")
    plain = [each for each in dict.fromkeys(plain) if not _is_within(each, plain)]
    wide = {
        plain[int(each.path.partition("[")[2].rstrip("]"))] for each in problems_of_width(plain) if "[" in each.path
    }
    networks = {"networks": [each for each in plain if each not in wide]}
    if wide:
        networks["wide_networks"] = [each for each in plain if each in wide]
    usual = networks == {"networks": [*RelayPolicy().networks]}
    return ({} if usual else networks), remarks, obstacles


def _is_within(network: str, others: list[str]) -> bool:
    """Return whether another network of a list holds this one, so that it need not be named."""
    one = network_of(network)
    known = (network_of(each) for each in others if each != network)
    return one is not None and any(
        each is not None and each.version == one.version and one.subnet_of(each)  # type: ignore[arg-type]
        for each in known
    )


def _server(view: HostView, clients: ListedClients) -> tuple[dict[str, Any], list[str]]:
    """Return `settings` and `unchecked`, and what they change."""
    settings: dict[str, Any] = {}
    remarks: list[str] = []
    level = _level(view)
    if level is TlsLevel.NONE:
        remarks.append(f"{_LEVEL}: none; TLS will be offered (may)")
    if level is TlsLevel.ENCRYPT:
        settings[_LEVEL] = "encrypt"
    if not clients.entries and view.main.is_yes(_ASK):
        settings[_ASK] = True
    mandatory, optional = (view.main[name] for name in _PROTOCOLS)
    if mandatory and mandatory != _DEFAULTS.smtpd_tls_protocols:
        settings["smtpd_tls_protocols"] = mandatory
    if mandatory.split() != optional.split():
        remarks.append(
            f"smtpd_tls_protocols: {optional or 'all'}; both lists of protocols will be {mandatory or 'all'}"
        )
    settings |= _plain(view)
    trust = {name: view.configuration.written[name] for name in _TRUST if view.configuration.written.get(name)}
    settings |= trust
    unchecked = {"unchecked": [*trust]} if trust else {}
    return {**({"settings": settings} if settings else {}), **unchecked}, remarks


def _level(view: HostView) -> TlsLevel:
    levels = {"may": TlsLevel.MAY, "encrypt": TlsLevel.ENCRYPT, "verify": TlsLevel.ENCRYPT, "secure": TlsLevel.ENCRYPT}
    if level := view.main[_LEVEL].lower():
        return levels.get(level, TlsLevel.NONE)
    if view.main.is_yes("smtpd_enforce_tls"):
        return TlsLevel.ENCRYPT
    return TlsLevel.MAY if view.main.is_yes("smtpd_use_tls") else TlsLevel.NONE


def _plain(view: HostView) -> Iterator[tuple[str, Any]]:
    """Yield what is reproduced as it is, where it is not what would be declared anyway."""
    if not view.main.is_yes("smtpd_tls_received_header"):
        yield "smtpd_tls_received_header", False
    level = view.main["smtpd_tls_loglevel"]
    if level in ("0", "2", "3", "4"):
        yield "smtpd_tls_loglevel", int(level)
    elif len(flags := split_list(level.lower())) > 1 and set(flags) <= set(
        known_parameters()["smtpd_tls_loglevel"].allowed
    ):
        yield "smtpd_tls_loglevel", flags


def _public_names(view: HostView, myhostname: str) -> dict[str, Any]:
    """Return the names that clients connect to, where the certificates that are served have other ones."""
    sources = sources_of({each: view.main[each] for each in SERVED_BY})
    files = {path: view.file(path) for path in files_of(sources)}
    known = {path: file for path, file in files.items() if file and not file.fault and not file.is_hidden}
    if len(known) != len(files) or not sources:
        return {}
    chains = [chain for source in sources for chain in chains_in(source, known)[0]]
    names = public_names_of(myhostname, [chain.seen.dns_names for chain in chains]) if chains else ()
    return {"public_names": [*names]} if names else {}
