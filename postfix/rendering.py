"""Render the parameters, services and files of a host that depend on no certificate.

A preview knows all of this while certificates are still to be made; `postfix.content` renders the rest. All own paths
begin with `$config_directory`, so that a rendered directory works wherever it lies.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from postfix.destination_policies import policy_row
from postfix.host import HostDeclaration, Ownership, ServerSide
from postfix.main_cf import render_whole
from postfix.master_cf import BASE_SERVICES, TLS_PROXY, Service, render_whole_services
from postfix.parameters import LEGACY_CHAIN_FILES
from postfix.receiving_rendering import receiving_parameters, receiving_tables, table_types
from postfix.settings import ClientSettings, Transport, loglevel_text
from postfix.submission_rendering import SUBMISSION_TABLES, submission_services, submission_tables
from postfix.tables import Row, render_source
from postseal_core.files.tree import FileEntry

__all__ = [
    "CA_DIRECTORY",
    "CA_FILE",
    "CLIENT_TABLE",
    "PUBLIC_FILE",
    "SERVED_BY",
    "begins_with_tls",
    "chain_file",
    "client_table",
    "client_tables",
    "render_configuration_files",
    "render_parameters",
    "render_services_of",
    "sending_tables",
    "setting_tables",
    "table_names",
    "table_texts",
    "typed_parameters",
]

CA_FILE = "tls/ca.pem"
# Not below tls/, which only root may enter: daemons read a CApath after they have given up root's rights.
CA_DIRECTORY = "ca"
CLIENT_TABLE = "relay_clientcerts"
_SMTP = "smtp"
_CLIENT_TABLES = MappingProxyType({_SMTP: CLIENT_TABLE, **SUBMISSION_TABLES})
_TRANSPORTS, _POLICIES = "transport", "tls_policy"
_TRANSPORT_MAPS = "transport_maps"
_WRAPPER, _REUSE = "smtp_tls_wrappermode", "smtp_tls_connection_reuse"
_HERE = "$config_directory/"
PUBLIC_FILE = 0o644
_YES_NO = MappingProxyType({True: "yes", False: "no"})
_DANE_LEVELS = frozenset({"dane", "dane-only"})

SERVED_BY: Final = tuple(f"smtpd_tls_{end}" for end in ("chain_files", *LEGACY_CHAIN_FILES))
"""The parameters that say which certificates smtpd(8) serves."""

# What else on a host would decide about certificates and trust; under MERGE it is set to nothing unless it is declared.
# Debian's main.cf, for one, comes with smtpd_tls_cert_file and smtp_tls_CApath.
_RIVALS = ("chain_files", "cert_file", "key_file", "CAfile", "CApath")


def chain_file(certificate_name: str) -> str:
    """Return the path of a certificate's chain file, relative to the configuration directory."""
    return f"tls/{certificate_name}.pem"


def client_table(service: str) -> str | None:
    """Return the name of the table that lists who may relay through a service; None for a service that has none."""
    return _CLIENT_TABLES.get(service)


def client_tables(host: HostDeclaration) -> dict[str, str]:
    """Return, by service, the tables of clients that a host has."""
    has_clients = bool(host.server and host.server.settings.relay.client_certificates)
    return {**({_SMTP: CLIENT_TABLE} if has_clients else {}), **submission_tables(host)}


def _chain_files(names: Sequence[str]) -> str:
    return ", ".join(_HERE + chain_file(name) for name in names)


def _table(host: HostDeclaration, name: str) -> str:
    return f"{host.table_type}:{_HERE}{name}"


def _present(pairs: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in pairs.items() if value}


def _served_files(side: ServerSide) -> str:
    return ", ".join(side.on_host.chain_files) if side.on_host else _chain_files(side.certificates)


def _server_parameters(host: HostDeclaration, side: ServerSide) -> dict[str, str]:
    server, relay = side.settings, side.settings.relay
    restrictions = ", ".join(relay.restrictions)
    optional = {
        "smtpd_tls_CAfile": _HERE + CA_FILE if server.ca_file and not server.ca_path else "",
        "smtpd_tls_CApath": _HERE + CA_DIRECTORY if server.ca_path else "",
        "smtpd_tls_req_ccert": "yes" if server.smtpd_tls_req_ccert else "",
        "smtpd_tls_session_cache_database": server.smtpd_tls_session_cache_database,
        "smtpd_tls_auth_only": "yes" if relay.sasl else "",
        "smtpd_sasl_auth_enable": "yes" if relay.sasl else "",
        "relay_clientcerts": _table(host, CLIENT_TABLE) if relay.client_certificates else "",
        "smtpd_recipient_restrictions": restrictions if relay.restrict_recipients else "",
    }
    return {
        "smtpd_tls_security_level": server.smtpd_tls_security_level,
        **({} if host.keeps_server_certificate else {"smtpd_tls_chain_files": _served_files(side)}),
        "smtpd_tls_ask_ccert": _YES_NO[server.asks_for_certificates],
        "smtpd_tls_protocols": server.smtpd_tls_protocols,
        "smtpd_tls_mandatory_protocols": server.smtpd_tls_protocols,
        "smtpd_tls_fingerprint_digest": "sha256",
        "smtpd_tls_received_header": _YES_NO[server.smtpd_tls_received_header],
        "smtpd_tls_loglevel": loglevel_text(server.smtpd_tls_loglevel),
        "mynetworks": " ".join(relay.mynetworks),
        "smtpd_relay_restrictions": restrictions,
        **_present(optional),
    }


def _client_parameters(host: HostDeclaration, client: ClientSettings) -> dict[str, str]:
    optional = {
        "smtp_tls_chain_files": _chain_files(host.client_certificates),
        "smtp_tls_CAfile": client.smtp_tls_CAfile or (_HERE + CA_FILE if client.ca_file else ""),
        "smtp_tls_fingerprint_cert_match": ", ".join(client.smtp_tls_fingerprint_cert_match),
        "smtp_tls_policy_maps": _table(host, _POLICIES) if client.policies else "",
        "smtp_dns_support_level": "dnssec" if _DANE_LEVELS & set(client.levels) else "",
        _TRANSPORT_MAPS: _table(host, _TRANSPORTS) if client.transports else "",
        "relayhost": client.relayhost,
        _WRAPPER: "yes" if client.begins_with_tls else "",
    }
    return {
        "smtp_tls_security_level": client.smtp_tls_security_level,
        "smtp_tls_protocols": client.smtp_tls_protocols,
        "smtp_tls_mandatory_protocols": client.smtp_tls_protocols,
        "smtp_tls_fingerprint_digest": "sha256",
        "smtp_tls_loglevel": loglevel_text(client.smtp_tls_loglevel),
        **_present(optional),
    }


def _rivals(host: HostDeclaration) -> dict[str, str]:
    server, client = host.server, host.client
    sides = (
        ("smtpd_tls", server, bool(server and server.certificates)),
        ("smtp_tls", client, bool(host.client_certificates)),
    )
    rivals = {
        f"{prefix}_{rival}": ""
        for prefix, side, has_chain in sides
        if side
        # Postfix ignores certificates of other kinds of keys beside chain_files, and takes them without.
        for rival in (_RIVALS if has_chain else dict.fromkeys((*_RIVALS, *LEGACY_CHAIN_FILES)))
    }
    kept = SERVED_BY if host.keeps_server_certificate else ()
    return {name: value for name, value in rivals.items() if name not in kept}


def typed_parameters(host: HostDeclaration) -> dict[str, str]:
    """Return the main.cf parameters that the typed settings of a host make, without its free-form ones."""
    parameters = {"myhostname": host.myhostname}
    if host.ownership is Ownership.WHOLE or host.compatibility_level:
        # A main.cf that is not ours has its own level; what depends on it (the digest) is written out below.
        parameters = {"compatibility_level": host.effective_compatibility_level, **parameters}
    if host.server:
        parameters |= _server_parameters(host, host.server)
    if host.client:
        parameters |= _client_parameters(host, host.client.settings)
    return parameters | _receiving(host, parameters.get(_TRANSPORT_MAPS, ""))


def _receiving(host: HostDeclaration, transports: str) -> dict[str, str]:
    """Return what the receiving keys make; the table of transports is asked before a declared transport_maps."""
    parameters = receiving_parameters(host)
    if transports and parameters.get(_TRANSPORT_MAPS):
        parameters[_TRANSPORT_MAPS] = f"{transports}, {parameters[_TRANSPORT_MAPS]}"
    elif transports:
        parameters[_TRANSPORT_MAPS] = transports
    return parameters


def render_parameters(host: HostDeclaration) -> dict[str, str]:
    """Return all main.cf parameters of a host, unexpanded; needs no certificate.

    Under `MERGE`, parameters that rival the declared certificates and roots are set to nothing. Not checked here: see
    `preflight.problems_of_host`.
    """
    own = {**typed_parameters(host), **host.parameters}
    return (
        own
        if host.ownership is Ownership.WHOLE
        else own | {name: value for name, value in _rivals(host).items() if name not in own}
    )


def _transport_service(transport: Transport, *, others_begin_with_tls: bool) -> Service:
    level, wrapped = transport.smtp_tls_security_level, transport.begins_with_tls
    match = {f"smtp_tls_{level}_cert_match": ", ".join(transport.match)} if transport.match else {}
    options = {
        "syslog_name": f"postfix/{transport.name}",
        "smtp_tls_chain_files": _chain_files([transport.certificate] if transport.certificate else []),
        "smtp_tls_security_level": level,
        **match,
        **({_WRAPPER: _YES_NO[wrapped]} if wrapped or others_begin_with_tls else {}),
        # A resumed session keeps the certificate it began with, and that may be another transport's.
        "smtp_tls_session_cache_database": "",
    }
    return Service(transport.name, "unix", "smtp", options=tuple(options.items()))


def render_services_of(host: HostDeclaration) -> tuple[Service, ...]:
    """Return the services of master.cf that are ours: under `MERGE` only those beside its own; needs no certificate."""
    base = BASE_SERVICES if host.ownership is Ownership.WHOLE else ()
    proxy = (TLS_PROXY,) if base and _reuses_connections(host) else ()
    wrapped = begins_with_tls(host)
    own = (*base, *proxy, *submission_services(host))
    return (*own, *(_transport_service(each, others_begin_with_tls=wrapped) for each in host.transports))


def _reuses_connections(host: HostDeclaration) -> bool:
    """Return whether smtp(8) keeps TLS connections, which only tlsproxy(8) can hold for it."""
    policies = host.client.settings.policies if host.client else ()
    return host.parameters.get(_REUSE) == "yes" or any(each.connection_reuse for each in policies)


def begins_with_tls(host: HostDeclaration) -> bool:
    """Return whether main.cf has smtp(8) begin with TLS at once, in all mail that no transport takes."""
    return host.parameters.get(_WRAPPER) == "yes" or bool(host.client and host.client.settings.begins_with_tls)


def setting_tables(host: HostDeclaration) -> dict[str, list[Row]]:
    """Return the tables that a declaration alone makes, by name."""
    return {**sending_tables(host), **receiving_tables(host)}


def sending_tables(host: HostDeclaration) -> dict[str, list[Row]]:
    """Return the tables of transports and policies, by name; a table that would be empty is left out."""
    client = host.client.settings if host.client else ClientSettings()
    tables = {
        _TRANSPORTS: [
            Row(destination, f"{each.name}:{each.next_hop}")
            for each in client.transports
            for destination in each.destinations
        ],
        _POLICIES: [policy_row(policy) for policy in client.policies],
    }
    return {name: rows for name, rows in tables.items() if rows}


def table_names(host: HostDeclaration) -> tuple[str, ...]:
    """Return the tables of a host, relative paths of their sources.

    With any table type but `texthash`, postmap(1) has to compile each before Postfix starts or reloads.
    """
    return (*client_tables(host).values(), *setting_tables(host))


def table_texts(host: HostDeclaration) -> frozenset[str]:
    """Return how main.cf names each table of a host whose rows are declared."""
    types = table_types(host)
    return frozenset(f"{types.get(name, host.table_type)}:{_HERE}{name}" for name in table_names(host))


def render_configuration_files(host: HostDeclaration) -> tuple[FileEntry, ...]:
    """Return the files that need no certificate: tables of settings, and under `WHOLE` main.cf and master.cf.

    Under `MERGE` main.cf and master.cf depend on what the host has: see `main_cf.merge` and `master_cf.merge_services`.

    Raises:
        ConfigError: something in the declaration would not stay one definition, service or row.
    """
    texts = {name: render_source(rows) for name, rows in setting_tables(host).items()}
    if host.ownership is Ownership.WHOLE:
        texts["main.cf"] = render_whole(render_parameters(host))
        texts["master.cf"] = render_whole_services(render_services_of(host))
    return tuple(FileEntry(name, text.encode(), PUBLIC_FILE) for name, text in sorted(texts.items()))
