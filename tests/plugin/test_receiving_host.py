"""What a host receives, as the plugin shows it to a reviewer, and on a Postfix of somebody else."""

from dataclasses import replace
from pathlib import Path

import pytest

from postfix.host import Ownership
from postfix.receiving import DomainList, Domains, LookupTable, Maps, Restrictions
from postfix.target import Local
from postseal_core.records import encode
from tests.plugin.test_host_to_directory import HOST, declared, written
from tests.support.plugin_runs import PluginRuns
from tests.support.postfix_instance import Boot
from tests.support.provider import CheckFailedError

OF_PARTNER = replace(HOST, domains=Domains(relay_domains=DomainList(("partner.example",))))
ALIASES = replace(HOST, maps=Maps(virtual_alias_maps=(LookupTable({"info@example.org": "alice"}, "hash"),)))
GREYLIST = Restrictions(
    smtpd_recipient_restrictions=(
        "permit_mynetworks",
        "permit_tls_clientcerts",
        "reject_unauth_destination",
        "postseal_greylist",
    ),
    classes={"postseal_greylist": ("check_policy_service inet:127.0.0.1:10023",)},
)


def test_a_reviewer_reads_domains_rows_and_what_nobody_has_checked(plugin: PluginRuns, tmp_path: Path) -> None:
    """Each change has lines of its own, and the files are written."""
    host = plugin.resource("MailServer", "mx1")
    plugin.up(host, declared(tmp_path))
    assert plugin.up(host, declared(tmp_path, OF_PARTNER)) == {
        "main_cf.relay_domains": "add",
        "to_review": "add",
        "reload": "add",
    }
    assert "relay_domains = partner.example" in (tmp_path / "main.cf").read_text()
    unknown = Domains(relay_domains=DomainList((), (LookupTable(unknown_table="ldap:/etc/postfix/domains.cf"),)))
    changes = plugin.up(host, declared(tmp_path, replace(HOST, domains=unknown)))
    assert changes["unknown_tables"] == "add"
    assert (
        plugin.up(host, declared(tmp_path, ALIASES)).items()
        >= {
            "tables": "add",
            "main_cf.virtual_alias_maps": "add",
        }.items()
    )
    assert written(tmp_path)["virtual_alias_maps"].endswith(b"info@example.org alice\n")
    plugin.up(host, declared(tmp_path))
    assert "virtual_alias_maps" not in written(tmp_path)


def test_a_reviewer_reads_what_rows_of_a_setting_may_do(plugin: PluginRuns, tmp_path: Path) -> None:
    """Of a table that only `settings` name, when it comes, when it is another one, and when it goes."""
    host = plugin.resource("MailServer", "mx1")
    plugin.up(host, declared(tmp_path))
    checks = {**HOST.parameters, "header_checks": "regexp:/etc/postfix/x"}
    seen = {"main_cf.header_checks": "add", "unknown_tables": "add", "to_review": "add", "reload": "add"}
    assert plugin.up(host, declared(tmp_path, replace(HOST, parameters=checks))) == seen
    assert host.inputs["unknown_tables"] == {"header_checks[0]": "regexp:/etc/postfix/x"}
    assert "hand it to a filter" in host.inputs["to_review"]["header_checks[0]"]
    other = {**checks, "header_checks": "tcp:127.0.0.1:99"}
    assert set(plugin.up(host, declared(tmp_path, replace(HOST, parameters=other)))) == {
        *("main_cf.header_checks", 'unknown_tables["header_checks[0]"]', 'to_review["header_checks[0]"]', "reload"),
    }
    gone = plugin.up(host, declared(tmp_path))
    assert gone == {
        "main_cf.header_checks": "delete",
        "unknown_tables": "delete",
        "to_review": "delete",
        "reload": "add",
    }


def test_what_opens_a_host_fails_the_check_of_the_plugin_too(plugin: PluginRuns, tmp_path: Path) -> None:
    """Whoever registers the resource, and with whatever SDK."""
    host = plugin.resource("MailServer", "mx1")
    open_relay = replace(HOST, domains=Domains(mydestination=DomainList(("static:all",))))
    with pytest.raises(CheckFailedError, match=r"domains\.mydestination\.names\[0\]"):
        host.check(declared(tmp_path, open_relay))


@pytest.mark.needs_postfix
@pytest.mark.takes_long
def test_tables_and_classes_come_and_go_on_a_running_postfix(
    plugin: PluginRuns, postfix_instance: Boot, tmp_path: Path
) -> None:
    """Somebody else's values come back; a table of ours that was edited is as declared after the next run."""
    (tmp_path / "main.cf").write_text("compatibility_level = 3.6\nvirtual_alias_maps = inline:{x@y.test=z}\n")
    instance = postfix_instance(tmp_path)
    before = instance.postconf("-n")
    merged = replace(ALIASES, ownership=Ownership.MERGE, restrictions=GREYLIST)
    inputs = declared(tmp_path, merged, target=encode(Local(str(instance.config_directory)).record))
    host = plugin.resource("MailServer", "mx1")
    plugin.up(host, inputs)
    conf = str(instance.config_directory)
    table = f"hash:{conf}/virtual_alias_maps"
    assert instance.command("postmap", "-c", conf, "-q", "info@example.org", table).stdout == "alice\n"
    after = instance.postconf("-xn")
    assert f"virtual_alias_maps = {table}" in after
    assert "postseal_greylist = check_policy_service inet:127.0.0.1:10023" in after
    assert plugin.up(host, inputs) == {}
    source = instance.config_directory / "virtual_alias_maps"
    source.write_text("info@example.org mallory\n")
    assert plugin.up(host, inputs) == {"changed_outside": "update"}
    assert "mallory" not in source.read_text()
    host.delete()
    assert instance.postconf("-n") == before
    assert not [*instance.config_directory.glob("virtual_alias_maps*")]
