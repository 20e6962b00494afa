"""No parameter that is set by its name widens who relays, runs anything, or changes whose files are used."""

from dataclasses import fields, replace
from typing import Any, get_args

import pytest

from postfix.host import HostDeclaration, Ownership, ServerSide
from postfix.parameter_checks import problems_of_parameters
from postfix.parameter_use import REFUSED
from postfix.parameters import known_parameters
from postfix.preflight import problems_of_host
from postfix.receiving import Domains, Maps, Restrictions
from postfix.settings import ServerSettings
from postseal.stack.config import load_stack
from postseal.stack.host_sections import HostSection
from tests.support.stack_files import host, problems_of

HOST = HostDeclaration("mx1", "mx1.example.org", server=ServerSide(ServerSettings(), ("mx1",)))
DANGEROUS = sorted(name for name, each in known_parameters().items() if each.decides in REFUSED)

# Each with a value that does harm; the first word says which harm.
ATTACKS: dict[str, tuple[str, Any]] = {
    "run the daemons of somebody": ("daemon_directory", "/home/mallory/bin"),
    "run the commands of somebody": ("command_directory", "/home/mallory/bin"),
    "load libraries of somebody": ("shlib_directory", "/home/mallory/lib"),
    "run a script of somebody at reload": ("meta_directory", "/home/mallory"),
    "run another sendmail": ("sendmail_path", "/home/mallory/sendmail"),
    "run another openssl": ("openssl_path", "/home/mallory/openssl"),
    "load an engine of OpenSSL": ("tls_config_file", "/home/mallory/openssl.cnf"),
    "load plugins of Cyrus": ("cyrus_sasl_config_path", "/home/mallory"),
    "run a debugger": ("debugger_command", "sh -c 'id > /tmp/x' & sleep 5"),
    "run a command for each mail": ("mailbox_command", "/home/mallory/deliver"),
    "run a command by table": ("mailbox_command_maps", "inline:{alice=/home/mallory/deliver}"),
    "run another shell": ("local_command_shell", "/home/mallory/sh"),
    "run commands from files of users": ("forward_path", "/home/mallory/$user.forward"),
    "run commands from aliases": ("alias_maps", "inline:{root=|/home/mallory/deliver}"),
    "run commands for includes": ("allow_mail_to_commands", "alias, forward, include"),
    "run a wrapper": ("multi_instance_wrapper", "/home/mallory/postmulti"),
    "run an instance of somebody": ("multi_instance_directories", "/home/mallory/postfix"),
    "run a compressor": ("maillog_file_compressor", "/home/mallory/gzip"),
    "run with libraries preloaded": ("import_environment", "LD_PRELOAD=/home/mallory/x.so"),
    "run with libraries handed on": ("export_environment", "LD_PRELOAD=/home/mallory/x.so"),
    "run with the signs of a shell": ("command_expansion_filter", "$;|&`"),
    "write a log into cron": ("maillog_file", "/var/spool/cron/crontabs/root"),
    "write where root looks": ("queue_directory", "/etc"),
    "write below another directory": ("data_directory", "/etc"),
    "write mailboxes elsewhere": ("mail_spool_directory", "/etc/cron.d"),
    "write virtual mailboxes elsewhere": ("virtual_mailbox_base", "/"),
    "write as root": ("virtual_uid_maps", "static:0"),
    "be another owner": ("mail_owner", "mallory"),
    "be another group": ("setgid_group", "mallory"),
    "be root for commands": ("default_privs", "root"),
    "relay for all domains": ("relay_domains", "static:all"),
    "relay for all names": ("relay_domains", ["*"]),
    "relay by a pattern": ("mydestination", "pcre:{{/./ x}}"),
    "relay by a star": ("mydestination", "*"),
    "relay by virtual aliases": ("virtual_alias_domains", "static:all"),
    "relay by virtual aliases by default": ("virtual_alias_maps", "static:all"),
    "relay by virtual mailboxes": ("virtual_mailbox_domains", "regexp:/etc/postfix/all"),
    "relay by a forged address": ("smtpd_authorized_xclient_hosts", "0.0.0.0/0"),
    "relay by a forged log": ("smtpd_authorized_xforward_hosts", "static:all"),
    "relay by a forged proxy": ("smtpd_upstream_proxy_protocol", "haproxy"),
    "relay by a forged proxy before": ("postscreen_upstream_proxy_protocol", "haproxy"),
    "relay as a backup": ("permit_mx_backup_networks", "0.0.0.0/0"),
    "relay for neighbours": ("mynetworks_style", "class"),
    "relay for networks": ("mynetworks", "0.0.0.0/0"),
    "relay below each domain": ("parent_domain_matches_subdomains", "mynetworks relay_domains"),
    "relay by restrictions": ("smtpd_relay_restrictions", "permit"),
    "relay by an earlier list": ("smtpd_recipient_restrictions", "permit"),
    "relay by a class": ("smtpd_restriction_classes", "open"),
    "relay where the policy server is away": ("smtpd_policy_service_default_action", "permit"),
    "relay by percent": ("allow_percent_hack", True),
    "relay by routing": ("allow_untrusted_routing", True),
    "relay by quotes": ("resolve_dequoted_address", False),
    "relay by a rewritten command": ("smtpd_command_filter", "pcre:{{/^RCPT.*/ RSET}}"),
    "relay by an early refusal": ("smtpd_delay_reject", False),
    "relay by any certificate": ("relay_clientcerts", "static:all"),
    "submit as anybody": ("authorized_submit_users", "static:anyone"),
    "submit to qmqpd": ("qmqpd_authorized_clients", "0.0.0.0/0"),
    "submit by other logins": ("smtpd_sasl_service", "cron"),
    "submit by another level": ("compatibility_level", "0"),
    "relay without a name": ("smtpd_sasl_security_options", "noplaintext"),
    "relay without a name over TLS": ("smtpd_sasl_tls_security_options", ""),
    "relay by another judge of logins": ("smtpd_sasl_path", "inet:192.0.2.66:12345"),
    "relay by a socket of somebody": ("smtpd_sasl_path", "/home/mallory/auth"),
    "relay by a path out of the queue": ("smtpd_sasl_path", "private/../../../tmp/auth"),
    "relay by a word behind mydomain": ("mydomain", "example.org static:all"),
    "relay by a name in mydomain": ("mydomain", "$smtpd_banner"),
    "run what stands behind a delimiter": ("recipient_delimiter", "/../../tmp/x"),
    "write to a file in place of an address": ("luser_relay", "/etc/cron.d/x"),
    "run a command in place of an address": ("always_bcc", '"|/home/mallory/deliver"'),
    "read a table within a table": ("canonical_maps", "pipemap:{nosuch:x, static:y}"),
    "make up a name": ("my_networks", "0.0.0.0/0"),
    "use a name from earlier releases": ("virtual_maps", "static:all"),
    "use a service that is not there": ("nobody_destination_concurrency_limit", 1),
}


@pytest.mark.parametrize(("name", "value"), ATTACKS.values(), ids=ATTACKS)
def test_a_stack_file_does_no_harm_by_name(name: str, value: Any) -> None:
    """It is refused under its own path, before anything is registered."""
    told = problems_of(host(settings={name: value}))
    assert [problem.path for problem in told] == [f"hosts.mx1.settings.{name}"]


@pytest.mark.parametrize("name", DANGEROUS)
@pytest.mark.parametrize("value", ["", "x"])
def test_a_program_does_no_harm_by_name(name: str, value: str) -> None:
    """Whatever the value: of parameters that decide who relays, what is run or whose files are used, none passes."""
    told = problems_of_host(replace(HOST, parameters={name: value}))
    assert f"parameters.{name}" in {problem.path for problem in told}


@pytest.mark.parametrize("name", DANGEROUS)
def test_a_message_says_what_to_do_instead(name: str) -> None:
    """It names the key that says it, or how to have the parameter all the same."""
    (problem,) = problems_of(host(settings={name: "x"}))
    key = known_parameters()[name].key
    assert (f"this host's {key} decides it" if key else f"name {name} under unchecked") in problem.message


@pytest.mark.parametrize("ownership", Ownership)
def test_what_is_named_as_unchecked_is_taken(ownership: Ownership) -> None:
    """No host becomes one that cannot be declared."""
    parameters = {name: "whatever it is" for name in DANGEROUS if name not in _written(ownership)}
    merged = replace(HOST, ownership=ownership, parameters=parameters | {"my_own": "x"})
    assert problems_of_host(replace(merged, unchecked=(*parameters, "my_own"))) == []


def _written(ownership: Ownership) -> set[str]:
    """Return the parameters that the renderer itself writes for the host."""
    always = {"myhostname", "mynetworks", "relay_clientcerts", "smtpd_relay_restrictions"}
    return always | ({"compatibility_level"} if ownership is Ownership.WHOLE else set())


@pytest.mark.parametrize(
    ("name", "value"),
    [("mynetworks", "0.0.0.0/0"), ("smtpd_relay_restrictions", "permit"), ("relay_clientcerts", "static:all")],
)
def test_what_the_host_itself_writes_stays_refused(name: str, value: str) -> None:
    """Even where it is named as unchecked, two values for one parameter are one too many."""
    told = problems_of_host(replace(HOST, parameters={name: value}, unchecked=(name,)))
    assert [problem.path for problem in told] == [f"parameters.{name}"]


def test_a_stack_file_says_what_is_unchecked() -> None:
    """Both the parameter and its name under `unchecked` reach the declaration."""
    declared = host(settings={"mailbox_command": "/usr/bin/procmail"}, unchecked=["mailbox_command"])
    stack = load_stack(declared, [], stack_name="test")
    declaration = stack.hosts["mx1"].declaration
    assert declaration.unchecked == ("mailbox_command",)
    assert declaration.parameters == {"mailbox_command": "/usr/bin/procmail"}


def test_nothing_is_unchecked_that_nobody_sets() -> None:
    """A reviewer would look for it in vain, and it would be there when somebody sets it later."""
    told = problems_of(host(unchecked=["mailbox_command"]))
    assert [problem.path for problem in told] == ["hosts.mx1.unchecked"]


def test_an_unchecked_value_still_stays_on_its_line() -> None:
    """Otherwise it would be two parameters, one of which nobody has named."""
    settings = {"mailbox_command": "x\nrelay_domains = static:all"}
    told = problems_of(host(settings=settings, unchecked=["mailbox_command"]))
    assert [problem.path for problem in told] == ["hosts.mx1.settings.mailbox_command"]


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("smtpd_helo_requird", "smtpd_helo_required"),
        ("message_sise_limit", "message_size_limit"),
        ("Message_Size_Limit", "message_size_limit"),
        ("relay_domain", "relay_domains"),
        ("smpt_destination_rate_delay", None),
    ],
)
def test_a_misspelt_name_is_told_with_the_nearest(misspelt: str, meant: str | None) -> None:
    """Postfix would ignore it without a word."""
    (problem,) = problems_of(host(settings={misspelt: "1"}))
    assert problem.path == f"hosts.mx1.settings.{misspelt}"
    assert (f"did you mean {meant}?" in problem.message) is bool(meant)


@pytest.mark.parametrize("service", ["smtp", "relay", "local", "virtual", "lmtp", "to-hub"])
def test_parameters_of_services_that_are_there_are_known(service: str) -> None:
    """Those of Postfix itself, and the host's own transports."""
    transports = {"to-hub": {"destinations": ["example.net"], "next_hop": "[mx.example.net]"}}
    declared = {"settings": {f"{service}_destination_concurrency_limit": 5}, "transports": transports}
    assert problems_of(host(**declared)) == []
    declared["settings"] = {f"{service}_destination_concurrency_limit": "many"}
    assert [problem.path for problem in problems_of(host(**declared))] == [
        f"hosts.mx1.settings.{service}_destination_concurrency_limit"
    ]


def test_a_host_that_keeps_its_master_cf_may_have_any_service() -> None:
    """Nobody knows its names before the host is asked; the value is judged all the same."""
    target = {"local": "/etc/postfix"}
    assert problems_of(host(settings={"policyd-spf_time_limit": "3600s"}, target=target)) == []
    (problem,) = problems_of(host(settings={"policyd-spf_time_limit": "soon"}, target=target))
    assert problem.path == "hosts.mx1.settings.policyd-spf_time_limit"


def test_every_key_that_messages_name_exists() -> None:
    """And each typed list of domains, table and restriction list is the key of its parameter."""
    keys = {name: each.key for name, each in known_parameters().items() if each.key}
    assert {name: key for name, key in keys.items() if not _is_key(key)} == {}
    typed = {
        name: f"{section}.{name}"
        for section, record in (("domains", Domains), ("maps", Maps), ("restrictions", Restrictions))
        for name in (each.name for each in fields(record))
        if known_parameters().get(name)
    }
    assert {name: keys.get(name) for name in typed} == typed


def _is_key(key: str) -> bool:
    """Return whether a host of the stack file has a key, by its path."""
    section, _, inner = key.partition(".")
    field = HostSection.model_fields.get(section)
    return field is not None and (not inner or inner in _keys_within(field.annotation))


def _keys_within(annotation: Any) -> set[str]:
    """Return the keys of the section that a field may hold."""
    return {name for each in get_args(annotation) for name in getattr(each, "model_fields", {})}


@pytest.mark.parametrize("name", ["debug_peer_list", "masquerade_domains", "inet_interfaces", "fast_flush_domains"])
@pytest.mark.parametrize("value", ["/etc/shadow", "192.0.2.1, !/etc/shadow"])
def test_a_list_that_would_be_read_from_a_file_is_refused(name: str, value: str) -> None:
    """Postfix shows lines of such a file in its log."""
    (problem,) = problems_of_parameters({name: value})
    assert "is read as a file of the host" in str(problem)
