"""References are filled in as postconf(1) itself does, for main.cf and for what a service overrides."""

import os
import time
from pathlib import Path
from subprocess import run

import pytest

from postfix.effective.captures import CALLS, Captures, HostConfiguration, Said, configuration_of
from postfix.effective.expansion import Values

pytestmark = pytest.mark.needs_postfix

MAIN_CF = """
compatibility_level = 3.6
greet = ${a? {t} : {u}}|${a?{ t }:{u}}|${nobody:zz}|${nobody?yy}|$a.b|$(a)|$$a|${a?x y}
a = ${{x} == {x} ? {yes} : { no }}
level = ${{$compatibility_level} <level {3.6} ? {old} : {new}}
numbers = ${{ 10 } < {9} ? {lt} : {ge}}|${{10} < {9} ? {lt} : {ge}}|${{a}<{b}?{lt}:{ge}}
nested = ${a?{${level}}}${{a} != {b} ? {ne}}
mydestination = $greet $level $numbers $nested
smtp_tls_CAfile = $smtpd_tls_CAfile
"""
MASTER_CF = """
smtp       inet n - y - - smtpd
submission inet n - y - - smtpd
  -o { smtpd_tls_CAfile = /own.pem }
  -o smtp_tls_CAfile=$smtpd_tls_CAfile
  -o { mydestination = $nested ${smtpd_tls_CAfile?{$level}} }
"""
# Postfix keeps these raw: they are filled in for each session, or differ in each process.
KEPT_RAW = {
    *("default_rbl_reply", "forward_path", "process_id", "postscreen_expansion_filter", "postscreen_reject_footer"),
}


def said(directory: Path, *options: str) -> Said:
    """Ask postconf about a directory."""
    done = run(["postconf", "-c", directory, *options], capture_output=True, text=True, check=False)
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Write a configuration, old enough to be read at once."""
    for name, text in (("main.cf", MAIN_CF), ("master.cf", MASTER_CF)):
        (tmp_path / name).write_text(text)
        os.utime(tmp_path / name, (time.time() - 5,) * 2)
    return tmp_path


def read(directory: Path) -> HostConfiguration:
    """Make the five calls."""
    root = str(directory)
    outputs = {name: said(directory, *options) for name, options in CALLS.items()}
    return configuration_of(Captures(directory=root, root=root, **outputs))


def printed(text: str) -> dict[str, str]:
    """Return names and values, blanks as one."""
    pairs = (line.partition("=")[::2] for line in text.splitlines())
    return {name.strip(): " ".join(value.split()) for name, value in pairs}


def test_every_parameter_is_expanded_as_postconf_expands_it(directory: Path) -> None:
    """All that postconf knows, defaults included."""
    found = read(directory)
    values = Values(found.parameters)
    expected = printed(said(directory, "-x").stdout)
    differing = {name for name, value in expected.items() if " ".join(values[name].split()) != value}
    assert len(expected) > 800
    assert differing - KEPT_RAW == set()
    assert values.unexpandable == []


def test_what_a_service_overrides_is_expanded_against_its_own_options(directory: Path) -> None:
    """`postconf -Px` expands rightly, but names overridden parameters only."""
    found = read(directory)
    service = found.service("submission", "inet")
    assert service is not None
    values = Values({**found.parameters, **service.options})
    expected = printed(said(directory, "-Px").stdout)
    assert {f"submission/inet/{name}": " ".join(values[name].split()) for name in service.options} == expected
    assert values["smtp_tls_CAfile"] == "/own.pem"
    assert Values(found.parameters)["smtp_tls_CAfile"] == ""
