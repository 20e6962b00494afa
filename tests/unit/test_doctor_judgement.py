"""What the doctor makes of each fact, and how it says so."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from postseal.doctor.check_versions import fits
from postseal.doctor.document import render_findings, render_findings_json
from postseal.doctor.facts import Engine, Facts, LocalUser, Passphrase, Place, Plugins, Stack
from postseal.doctor.findings import Finding, Severity, has_fault
from postseal.doctor.judgement import judge

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
BIN = "/srv/mail/.venv/bin"
PLUGINS = Plugins(
    sdk="3.250.0",
    tls_package="5.3.1",
    wanted=("pulumi<4,>=3.250", "pulumi-tls<5.4,>=5.3.1"),
    tls_plugins=("5.3.1",),
    declared_path=BIN,
    has_declared_plugin=True,
    own_path=BIN,
)
STACK = Stack(backend_url="file:///srv/state", secrets_provider="passphrase", newest=NOW - timedelta(days=1))
WELL = Facts(
    system="linux",
    now=NOW,
    project_file=Place(path="/srv/mail/Pulumi.yaml", mode=0o644),
    engine=Engine(path="/usr/bin/pulumi", version="3.250.0"),
    plugins=PLUGINS,
    stack=STACK,
    passphrase=Passphrase.FILE,
    passphrase_file=Place(path="/srv/passphrase", mode=0o600),
    state_directory=Place(path="/srv/state", mode=0o700),
    out_directory=Place(path="out", mode=0o755),
    others=(),
)
ALICE = LocalUser(name="alice", can_log_in=True, has_processes=False)
POSTFIX = LocalUser(name="postfix", can_log_in=False, has_processes=True)


def test_all_is_well_where_all_is_well() -> None:
    """A finding for each topic, none with anything to mend."""
    findings = judge(WELL)
    assert {finding.severity for finding in findings} == {Severity.OK}
    assert [finding.topic for finding in findings] == [
        *("engine", "packages", "packages", "tls plugin", "project", "postseal plugin", "state", "passphrase"),
        *("state directory", "out directory", "other users", "logs", "interrupts", "clock"),
    ]
    assert not any(finding.why or finding.fix for finding in findings)


OK, WARNING, FAULT, CANNOT_TELL = Severity
CASES = [
    ("engine", {"engine": Engine()}, FAULT, "there is no program"),
    ("engine", {"engine": Engine(path="/x/pulumi")}, CANNOT_TELL, "does not tell its version"),
    ("engine", {"engine": Engine(path="/x/pulumi", version="3.249.9")}, FAULT, "expected <4,>=3.250"),
    ("engine", {"engine": Engine(path="/x/pulumi", version="4.0.0")}, FAULT, "Pulumi 4.0.0"),
    ("engine", {"engine": Engine(path="/x/pulumi", version="3.251.0-dev")}, OK, "3.251.0-dev"),
    ("packages", {"plugins": replace(PLUGINS, sdk="")}, FAULT, "pulumi is not installed"),
    ("packages", {"plugins": replace(PLUGINS, tls_package="5.4.0")}, FAULT, "pulumi-tls 5.4.0"),
    ("tls plugin", {"plugins": replace(PLUGINS, tls_plugins=())}, WARNING, "no tls plugin 5.3.1"),
    ("tls plugin", {"plugins": replace(PLUGINS, tls_plugins=("5.3.0",))}, WARNING, "there is 5.3.0"),
    ("postseal plugin", {"plugins": replace(PLUGINS, declared_path="")}, WARNING, "does not say where"),
    ("postseal plugin", {"plugins": replace(PLUGINS, has_declared_plugin=False)}, FAULT, "no pulumi-resource-postseal"),
    ("postseal plugin", {"plugins": replace(PLUGINS, own_path="/usr/bin")}, CANNOT_TELL, "this command in /usr/bin"),
    ("state", {"stack": replace(STACK, error="no stack named 'prod' found")}, FAULT, "cannot be read"),
    ("state", {"engine": Engine()}, CANNOT_TELL, "file:///srv/state"),
    ("passphrase", {"passphrase": Passphrase.ENVIRONMENT}, WARNING, "in the environment"),
    ("passphrase", {"passphrase": Passphrase.NOWHERE}, FAULT, "no passphrase"),
    (
        "passphrase",
        {"passphrase": Passphrase.NOWHERE, "stack": replace(STACK, secrets_provider="")},
        CANNOT_TELL,
        "no passphrase",
    ),
    ("passphrase", {"stack": replace(STACK, secrets_provider="cloud")}, OK, "provider cloud"),
    ("passphrase", {"passphrase_file": Place(path="/p", mode=None)}, FAULT, "there is no file /p"),
    ("passphrase", {"passphrase_file": Place(path="/p", mode=0o640)}, FAULT, "mode 0640"),
    ("passphrase", {"passphrase_file": Place(path="/p", mode=0o604)}, FAULT, "mode 0604"),
    ("passphrase", {"passphrase_file": Place(path="/p", mode=0o400)}, OK, "mode 0400"),
    ("passphrase", {"passphrase_file": Place(path="/p", mode=0o600, is_own=False)}, FAULT, "another user"),
    ("state directory", {"state_directory": Place(path="/s", mode=0o755)}, WARNING, "mode 0755"),
    ("state directory", {"state_directory": Place(path="/s", mode=0o770)}, FAULT, "mode 0770"),
    ("state directory", {"state_directory": Place(path="/s", mode=0o700, is_own=False)}, FAULT, "another user"),
    ("state directory", {"state_directory": Place(path="/s", mode=None)}, OK, "not there yet"),
    ("out directory", {"out_directory": Place(path="out", mode=0o777, complaint="run chmod o-w")}, FAULT, "into out"),
    ("out directory", {"out_directory": Place(path="out", mode=None, complaint="above it")}, FAULT, "into out"),
    ("out directory", {"out_directory": Place(path="out", mode=0o775)}, OK, "mode 0775"),
    ("out directory", {"out_directory": Place(path="out", mode=0o700)}, OK, "mode 0700"),
    ("other users", {"others": (POSTFIX, ALICE)}, WARNING, "alice, postfix can connect"),
    ("other users", {"others": None}, CANNOT_TELL, "cannot be listed"),
    ("other users", {"others": (ALICE,), "is_private_network": True}, OK, "network of its own"),
    ("other users", {"others": (ALICE,), "is_private_network": False}, WARNING, "alice"),
    ("logs", {"log_switches": ("PULUMI_DEBUG_GRPC",)}, FAULT, "PULUMI_DEBUG_GRPC is set"),
    ("interrupts", {"is_interrupt_ignored": True}, WARNING, "SIGINT is ignored"),
    ("clock", {"stack": replace(STACK, newest=NOW + timedelta(minutes=3))}, WARNING, "written at 2026-11-26T12:03:00Z"),
    ("clock", {"stack": replace(STACK, newest=NOW + timedelta(minutes=2))}, OK, "after the last run"),
    ("clock", {"stack": replace(STACK, newest=None)}, CANNOT_TELL, "it is 2026-11-26T12:00:00Z"),
]


@pytest.mark.parametrize(
    ("topic", "change", "severity", "words"), CASES, ids=[f"{each[0]}: {each[3]} {each[2]}" for each in CASES]
)
def test_each_fact_is_judged(topic: str, change: dict[str, object], severity: Severity, words: str) -> None:
    """What is not well says why it matters, and how to mend it where that can be said."""
    found = [
        finding
        for finding in judge(replace(WELL, **change))  # type: ignore[arg-type]
        if finding.topic == topic and words in finding.what
    ]
    assert [finding.severity for finding in found] == [severity]
    if severity in (WARNING, FAULT):
        assert found[0].why
        assert found[0].fix


def test_a_directory_without_a_project_is_one_fault() -> None:
    """Nothing else follows from it: what Pulumi.yaml would say of the plugin, what the engine would say of a stack."""
    nowhere = replace(WELL, project_file=Place(path="/srv/Pulumi.yaml", mode=None), stack=Stack())
    nowhere = replace(nowhere, plugins=replace(PLUGINS, declared_path=""))
    assert [(each.topic, each.what) for each in judge(nowhere) if each.severity in (FAULT, WARNING)] == [
        ("project", "there is no Pulumi.yaml in /srv")
    ]


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        ("pulumi stack export failed: error: no stack named 'prod' found", "run `pulumi stack init prod`, or "),
        ("error: no stack named 'a;b' found", "run `pulumi stack init 'a;b'`, or "),
        ("error: no stack selected; please use `pulumi stack select`", "name the stack with --stack, "),
    ],
)
def test_a_stack_that_is_not_there_is_made_by_a_command_that_is_named(error: str, fix: str) -> None:
    """With its name, so that the line can be copied."""
    (found,) = (each for each in judge(replace(WELL, stack=Stack(error=error))) if each.topic == "state")
    assert found.fix.startswith(fix)
    assert "pulumi stack init" in found.fix


def test_only_a_fault_is_a_fault() -> None:
    """Warnings, and what cannot be told, leave the exit code at 0."""
    assert not has_fault([Finding("x", severity, "y") for severity in (OK, WARNING, CANNOT_TELL)])
    assert has_fault([Finding("x", OK, "y"), Finding("x", FAULT, "y")])


def test_many_users_are_counted() -> None:
    """Persons first, five names in all."""
    others = (*(replace(POSTFIX, name=f"daemon{number}") for number in range(9)), ALICE)
    (finding,) = (each for each in judge(replace(WELL, others=others)) if each.topic == "other users")
    assert finding.what == "alice, daemon0, daemon1, daemon2, daemon3 and 5 more can connect to the engine"
    (elsewhere,) = (
        each for each in judge(replace(WELL, others=others, system="darwin")) if each.topic == "other users"
    )
    assert "also to the plugin" in elsewhere.why


@pytest.mark.parametrize(
    ("version", "requirement", "is_fit"),
    [
        ("3.250.0", "<4,>=3.250", True),
        ("3.249.0", "<4,>=3.250", False),
        ("3.250", ">=3.250.0", True),
        ("4", "<4,>=3.250", False),
        ("3.1000.0", "<4,>=3.250", True),
        ("3.250.0", "==3.250", True),
        ("3.250.1", "==3.250", False),
        ("3.250.0", "", True),
    ],
)
def test_versions_are_compared_number_by_number(version: str, requirement: str, *, is_fit: bool) -> None:
    """Not as texts, and a number that is left out is 0."""
    assert fits(version, requirement) is is_fit


def test_a_text_and_a_document() -> None:
    """The same findings; the text ends with a count, the document says whether there is a fault."""
    findings = [
        Finding("clock", OK, "it is noon"),
        Finding("logs", FAULT, "x is set", "keys in clear", "run `unset x`"),
    ]
    assert render_findings(findings) == (
        "ok           clock: it is noon\n"
        "fault        logs: x is set\n"
        "             why: keys in clear\n"
        "             fix: run `unset x`\n"
        "\n"
        "1 ok, 1 fault\n"
    )
    document = json.loads(render_findings_json(findings))
    assert (document["version"], document["fault"], len(document["findings"])) == (1, True, 2)
    assert document["findings"][1] == {
        "topic": "logs",
        "severity": "fault",
        "what": "x is set",
        "why": "keys in clear",
        "fix": "run `unset x`",
    }
