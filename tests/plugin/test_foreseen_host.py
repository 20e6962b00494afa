"""What a host would do by the way is told by a preview, and refused by `up`, before anything is changed."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pki.verification import chain_pem
from postfix.host import HostDeclaration, Ownership, ServerSide
from postfix.settings import RelayPolicy, ServerSettings
from postfix.target import Local
from postseal_core.records import encode
from tests.support.host_certificates import admitted_alice, authority, served
from tests.support.plugin_runs import PluginRuns
from tests.support.postfix_instance import Boot, PostfixInstance
from tests.support.provider import Secret
from tests.support.resource_properties import key_pem

pytestmark = [pytest.mark.needs_postfix, pytest.mark.takes_long]

SIDE = ServerSide(ServerSettings(), ("mx1",))
HOST = HostDeclaration("mx1", "mx1.example.org", SIDE, ownership=Ownership.MERGE)
RELAYING = replace(HOST, server=replace(SIDE, settings=ServerSettings(relay=RelayPolicy(restrict_recipients=True))))
LOCAL = "# The administrator's.\ncompatibility_level = 3.6\nmynetworks = 127.0.0.0/8\n"


def running(boot: Boot, tmp_path: Path, main_cf: str = "", **options: Any) -> PostfixInstance:
    """Return a running Postfix of somebody else."""
    rendered = tmp_path / "rendered"
    rendered.mkdir()
    (rendered / "main.cf").write_text(LOCAL + main_cf)
    return boot(rendered, **options)


def declared(instance: PostfixInstance, host: HostDeclaration = HOST, **changes: Any) -> dict[str, Any]:
    """Return a relay on that Postfix that lets alice in."""
    chain = {
        "description": "generation 1",
        "private_key_pem": Secret(key_pem()),
        "chain_pem": chain_pem([served()]),
    }
    return {
        "declaration": encode(host),
        "target": encode(Local(str(instance.config_directory)).record),
        "chains": {host.name: chain},
        "roots": {"mail-ca": chain_pem([authority().certificate])},
        "access": {"smtp": {"clients": {"alice": admitted_alice()}}},
    } | changes


def contents(instance: PostfixInstance) -> Mapping[str, bytes]:
    """Return every file of the configuration."""
    found = {path: path.read_bytes() for path in instance.config_directory.rglob("*") if path.is_file()}
    return {str(path): content for path, content in found.items()}


def told(plugin: PluginRuns, resource: Any, args: Mapping[str, Any]) -> list[str]:
    """Return what a preview says."""
    at = len(plugin.lines)
    plugin.preview(resource, args)
    return plugin.lines[at:]


def refused(plugin: PluginRuns, resource: Any, args: Mapping[str, Any]) -> str:
    """Return with what `up` refuses to make a host."""
    plugin.start_run()
    return plugin.refusal(resource.apply, resource.check(args))


RECIPIENTS = "smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination\n"
R2 = ("listed clients would be refused", "reject_unauth_destination")
# What stands in main.cf; what a preview and a refusal say; the declaration by which it is good.
CASES: Mapping[str, tuple[str, tuple[str, ...], HostDeclaration]] = {
    "recipients": (
        RECIPIENTS,
        (*R2, "restrict_recipients: true", "accept: { listed_refused: ["),
        RELAYING,
    ),
    "a client list": (
        "smtpd_client_restrictions = permit_mynetworks, reject\n",
        ("listed clients would be refused", "smtpd_client_restrictions: reject", "put permit_tls_clientcerts in front"),
        replace(HOST, accept={"listed_refused": ("*",)}),
    ),
    "a reference": (
        "smtpd_tls_CAfile = /etc/ssl/certs/ca-certificates.crt\nsmtp_tls_CAfile = $smtpd_tls_CAfile\n",
        (
            "main.cf: smtp_tls_CAfile: /etc/ssl/certs/ca-certificates.crt -> ",
            "tls/ca.pem",
            "accept: { value_follows: [smtp_tls_CAfile] }",
        ),
        replace(HOST, accept={"value_follows": ("smtp_tls_CAfile",)}),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_must_not_happen_by_the_way_is_told_and_refused(
    plugin: PluginRuns, postfix_instance: Boot, tmp_path: Path, case: str
) -> None:
    """A preview says that `up` will refuse it, and `up` touches nothing; declared or accepted it is carried out."""
    main_cf, words, good = CASES[case]
    instance = running(postfix_instance, tmp_path, main_cf)
    before = contents(instance)
    host = plugin.resource("MailServer", "mx1")
    lines = told(plugin, host, declared(instance))
    warned = [line for line in lines if line.startswith("up will refuse this: ")]
    assert warned
    assert [word for word in words if word not in warned[0]] == []
    message = refused(plugin, host, declared(instance))
    assert [word for word in (*words, "nothing was changed") if word not in message] == []
    assert contents(instance) == before

    places = tuple(f"127.0.0.1:{port}" for port in instance.ports.values())
    accept = {word: places if some == ("*",) else some for word, some in good.accept.items()}
    plugin.up(host, declared(instance, replace(good, accept=accept)))
    assert plugin.lines[-1] == "Postfix was reloaded"
    assert any("`accept` has" in line for line in plugin.lines) == bool(accept)


def test_a_plain_host_is_told_what_changes_and_nothing_is_refused(
    plugin: PluginRuns, postfix_instance: Boot, tmp_path: Path
) -> None:
    """Each parameter that differs, what a listener offers from then on; afterwards a row alone asks nothing."""
    instance = running(postfix_instance, tmp_path)
    host = plugin.resource("MailServer", "mx1")
    lines = told(plugin, host, declared(instance))
    (change,) = [line for line in lines if "main.cf would change: " in line]
    assert "smtpd_tls_ask_ccert: no -> yes" in change
    assert "mydestination" not in change
    assert any("TLS would be offered: none -> may" in line for line in lines)
    assert [line for line in lines if "refuse" in line] == []
    plugin.up(host, declared(instance))
    at = len(plugin.lines)
    plugin.up(host, declared(instance, access={"smtp": {"clients": {}}}))
    assert [line for line in plugin.lines[at:] if "row goes" in line or "rows go" in line]


def test_what_was_so_before_keeps_no_row_on_the_host(
    plugin: PluginRuns, postfix_instance: Boot, tmp_path: Path
) -> None:
    """Somebody has closed the host to listed clients: that is told, and neither a change nor a removal is refused."""
    instance = running(postfix_instance, tmp_path)
    host = plugin.resource("MailServer", "mx1")
    plugin.up(host, declared(instance))
    main_cf = instance.config_directory / "main.cf"
    main_cf.write_text(main_cf.read_text() + RECIPIENTS)
    os.utime(main_cf, (0, 0))
    at = len(plugin.lines)
    plugin.up(host, declared(instance, replace(HOST, parameters={"biff": "yes"})))
    assert [
        line
        for line in plugin.lines[at:]
        if "listed clients are refused already" in line and "restrict_recipients" in line
    ]
    plugin.up(host, declared(instance, access={"smtp": {"clients": {}}}))
    assert plugin.lines[-1] == "Postfix was reloaded"
    # The first client after that is another matter.
    assert "listed clients would be refused" in refused(plugin, host, declared(instance))


def test_addresses_that_the_host_does_not_have_are_refused(
    plugin: PluginRuns, postfix_instance: Boot, tmp_path: Path
) -> None:
    """No server would answer any more; an address of the host is the control."""
    instance = running(postfix_instance, tmp_path, servers={"smtpd": {}})
    master_cf = instance.config_directory / "master.cf"
    master_cf.write_text(master_cf.read_text().replace("127.0.0.1:", ""))
    host = plugin.resource("MailServer", "mx1")
    wrong = replace(HOST, parameters={"inet_interfaces": "127.0.0.1, 192.0.2.199"}, unchecked=("inet_interfaces",))
    assert "no local interface found for 192.0.2.199" in refused(plugin, host, declared(instance, wrong))
    lines = told(plugin, host, declared(instance, replace(wrong, parameters={"inet_interfaces": "localhost"})))
    assert [line for line in lines if "refuse" in line] == []
    assert any(line.startswith("inet_interfaces: Postfix reads this only when it is started") for line in lines)


def test_an_acceptance_that_nothing_needs_is_told(plugin: PluginRuns, postfix_instance: Boot, tmp_path: Path) -> None:
    """It would let through later what nobody thinks of any more."""
    instance = running(postfix_instance, tmp_path)
    host = plugin.resource("MailServer", "mx1")
    lines = told(plugin, host, declared(instance, replace(HOST, accept={"value_follows": ("smtp_tls_CAfile",)})))
    assert "accept.value_follows: nothing needs smtp_tls_CAfile here any more; take it out" in lines


def test_a_main_cf_that_is_a_link_is_told_by_the_preview(
    plugin: PluginRuns, postfix_instance: Boot, tmp_path: Path
) -> None:
    """As `up` says it."""
    instance = running(postfix_instance, tmp_path)
    main_cf = instance.config_directory / "main.cf"
    elsewhere = tmp_path / "checkout.cf"
    main_cf.rename(elsewhere)
    main_cf.symlink_to(elsewhere)
    host = plugin.resource("MailServer", "mx1")
    plugin.start_run()
    checked = host.check(declared(instance))
    assert f"is a symbolic link to {elsewhere}" in plugin.refusal(host.plan, checked)
    assert f"is a symbolic link to {elsewhere}" in refused(plugin, host, declared(instance))


CANNOT_WORK: Mapping[str, tuple[dict[str, str], str]] = {
    "a number": ({"smtpd_client_connection_count_limit": "abc"}, "smtpd_client_connection_count_limit"),
    "a boolean": ({"smtpd_sasl_auth_enable": "maybe"}, "'maybe' is not yes or no"),
    "a restriction": ({"smtpd_sender_restrictions": "no_such_name"}, "no_such_name"),
}


@pytest.mark.parametrize("case", CANNOT_WORK)
def test_a_value_that_postfix_cannot_use_is_refused_before_anything_is_changed(
    plugin: PluginRuns, postfix_instance: Boot, tmp_path: Path, case: str
) -> None:
    """Even one that is named under unchecked; postconf says nothing of it."""
    parameters, words = CANNOT_WORK[case]
    instance = running(postfix_instance, tmp_path)
    before = contents(instance)
    host = plugin.resource("MailServer", "mx1")
    wrong = replace(HOST, parameters=parameters, unchecked=tuple(parameters))
    message = refused(plugin, host, declared(instance, wrong))
    assert words in message
    assert "nothing was changed" in message
    assert contents(instance) == before


def test_a_service_with_a_list_of_its_own_is_named(plugin: PluginRuns, postfix_instance: Boot, tmp_path: Path) -> None:
    """By the option in master.cf that refuses; without it nothing is."""
    instance = running(
        postfix_instance,
        tmp_path,
        servers={"smtpd": {"smtpd_relay_restrictions": "permit_mynetworks,reject"}},
    )
    host = plugin.resource("MailServer", "mx1")
    message = refused(plugin, host, declared(instance))
    assert "by smtpd_relay_restrictions: reject; " in message
    assert "in master.cf has a list of its own: put permit_tls_clientcerts in front there" in message
    lines = told(plugin, host, declared(instance))
    assert any("master.cf says smtpd_relay_restrictions = " in line and "counts here" in line for line in lines)
