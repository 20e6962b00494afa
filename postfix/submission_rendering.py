"""Services of master.cf for mail programs, and the tables of who may submit there by certificate.

Each has complete restriction lists of its own: those of main.cf are about mail from everywhere, and a list that is
forgotten there refuses who is let in by another one (postconf(5), smtpd_relay_restrictions).
"""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from postfix.host import HostDeclaration
from postfix.master_cf import Service
from postfix.settings import Submission, SubmissionName

__all__ = ["SUBMISSION_TABLES", "submission_services", "submission_tables"]

SUBMISSION_TABLES: Final = MappingProxyType({name: f"{name}_clientcerts" for name in ("submission", "submissions")})
"""The table of each service that lists who may submit, by the name of the service."""

_LOGINS_OWN_ADDRESSES: Final = "reject_authenticated_sender_login_mismatch"
_YES_NO: Final = MappingProxyType({True: "yes", False: "no"})


def submission_tables(host: HostDeclaration) -> dict[str, str]:
    """Return, by service, the tables of clients that a host's services for mail programs have."""
    return {
        name: SUBMISSION_TABLES[name]
        for name, service in (host.server.submission if host.server else {}).items()
        if service.client_certificates and name in SUBMISSION_TABLES
    }


def submission_services(host: HostDeclaration) -> Iterator[Service]:
    """Yield the services for mail programs, in the order of their ports' names."""
    tables = submission_tables(host)
    for name, service in sorted((host.server.submission if host.server else {}).items()):
        table = f"{host.table_type}:$config_directory/{tables[name]}" if name in tables else ""
        options = _options(name, service, table, has_logins=bool(host.maps.smtpd_sender_login_maps))
        yield Service(name, "inet", "smtpd", private="n", options=tuple(options.items()))


def _options(name: SubmissionName, service: Submission, table: str, *, has_logins: bool) -> dict[str, str]:
    restrictions = ", ".join(service.restrictions)
    return {
        "syslog_name": f"postfix/{name}",
        "smtpd_tls_wrappermode": _YES_NO[name == "submissions"],
        "smtpd_tls_security_level": "encrypt",
        "smtpd_tls_ask_ccert": _YES_NO[service.client_certificates],
        # Whoever only logs in has no certificate; the restrictions say who needs one.
        "smtpd_tls_req_ccert": "no",
        "smtpd_tls_auth_only": "yes",
        "smtpd_sasl_auth_enable": _YES_NO[service.sasl],
        # Without it whoever asks for the mechanism ANONYMOUS has logged in.
        "smtpd_sasl_tls_security_options": "noanonymous",
        "relay_clientcerts": table,
        # A refusal at once would come before the login.
        "smtpd_delay_reject": "yes",
        "smtpd_client_restrictions": ", ".join(service.client_restrictions),
        "smtpd_helo_restrictions": "",
        "smtpd_sender_restrictions": _LOGINS_OWN_ADDRESSES if service.sasl and has_logins else "",
        "smtpd_relay_restrictions": restrictions,
        "smtpd_recipient_restrictions": restrictions,
        "smtpd_data_restrictions": "",
        "smtpd_end_of_data_restrictions": "",
        # Mail filters tell by it what is from our own users, to sign it.
        "milter_macro_daemon_name": "ORIGINATING",
    }
