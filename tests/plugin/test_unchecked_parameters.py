"""Parameters that nothing has judged, as the plugin shows them to a reviewer."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.plugin.test_host_to_directory import HOST, declared
from tests.support.plugin_runs import PluginRuns
from tests.support.provider import CheckFailedError

COMMAND = {"mailbox_command": "/usr/bin/procmail"}


def test_a_reviewer_reads_which_parameters_are_unchecked(plugin: PluginRuns, tmp_path: Path) -> None:
    """Beside main.cf it has a line of its own: when it comes, when its value changes, and when it goes."""
    host = plugin.resource("MailServer", "mx1")
    plugin.up(host, declared(tmp_path))
    taken = declared(tmp_path, replace(HOST, parameters={**HOST.parameters, **COMMAND}, unchecked=tuple(COMMAND)))
    assert plugin.up(host, taken) == {"main_cf.mailbox_command": "add", "unchecked": "add", "reload": "add"}
    assert host.inputs["unchecked"] == COMMAND
    assert "mailbox_command = /usr/bin/procmail" in (tmp_path / "main.cf").read_text()
    other = {**HOST.parameters, "mailbox_command": "/opt/other"}
    changed = declared(tmp_path, replace(HOST, parameters=other, unchecked=tuple(COMMAND)))
    assert plugin.up(host, changed) == {
        "main_cf.mailbox_command": "update",
        "unchecked.mailbox_command": "update",
        "reload": "add",
    }
    assert plugin.up(host, declared(tmp_path)) == {
        "main_cf.mailbox_command": "delete",
        "unchecked": "delete",
        "reload": "add",
    }


def test_what_runs_a_command_fails_the_check_of_the_plugin_too(plugin: PluginRuns, tmp_path: Path) -> None:
    """Whoever registers the resource, and with whatever SDK."""
    host = plugin.resource("MailServer", "mx1")
    with pytest.raises(CheckFailedError, match=r"parameters\.mailbox_command"):
        host.check(declared(tmp_path, replace(HOST, parameters=COMMAND)))
