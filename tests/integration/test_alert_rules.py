"""The alert rules, judged by promtool: each fires for its case, none for a stack that is well.

The series are what the real exporter writes. The clock of promtool's tests begins in 1970, so instants are moved there:
an hour before the report is its beginning.
"""

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from pki.model import Validity
from postfix.target import Directory
from postseal.report.inventory import build_inventory
from postseal.report.prometheus import render_prometheus
from tests.support.engine import REPOSITORY
from tests.support.stack_state import (
    NOW,
    certificate,
    day,
    export,
    imported,
    mail_stack,
    member,
    revocation_list,
    roster,
    waiting,
)
from tests.support.stored_hosts import own_certificate, stored_host
from toolchain.promtool import promtool

pytestmark = pytest.mark.needs_promtool

RULES = REPOSITORY / "examples/monitoring/postseal.rules.yml"
GROUP = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]
ALERTS = {each["alert"]: each for each in GROUP if "alert" in each}
ORIGIN, STEP = NOW - timedelta(hours=1), timedelta(minutes=5)
SAMPLE = re.compile(r"(?P<name>postseal_\w+)(?P<labels>\{.*\}) (?P<value>-?[0-9]+)")
FIRED = re.compile(r'alertname="(\w+)".*?severity="(\w+)".*?\n.*?Annotations:\{.*?summary="((?:[^"\\]|\\.)*)"')

Samples = dict[str, int]


def exported(*resources: Any, now: datetime = NOW) -> str:
    """Return the metrics of a stack that holds these resources."""
    inventory = build_inventory(export(*resources), now)
    return render_prometheus(inventory, inventory.items)


def samples_of(metrics: str) -> Samples:
    """Return the value of each series, instants in seconds since `ORIGIN`."""
    found = [match for line in metrics.splitlines() if (match := SAMPLE.fullmatch(line))]
    assert len(found) == sum(not line.startswith("#") for line in metrics.splitlines())
    return {f"{each['name']}{each['labels']}": _moved(each["name"], int(each["value"])) for each in found}


def _moved(name: str, value: int) -> int:
    return value - int(ORIGIN.timestamp()) if name.endswith("_seconds") else value


def well(*more: Any, now: datetime = NOW) -> str:
    """Return the metrics of a stack in which nothing is to be done, and of what is added to it."""
    usual = [
        certificate("other-root", profile="root", not_after=2000, renew_at=1500),
        certificate("mx1", profile="server"),
        certificate("alice", email="alice@example.org"),
        certificate("gone", revoked=-3, not_after=-1),
        imported("www", renew_at=20),
        revocation_list("mail-ca-crl"),
        roster("branches", [member("branch-1"), member("branch-2")]),
        stored_host("mx1", proven_at=day(-20), sighting=own_certificate(Validity(day(-10), day(80)), day(-1))),
        stored_host("mx2", target=Directory("out/mx2").record),
    ]
    return exported(*usual, *more, now=now)


class Alert(NamedTuple):
    """What fires, in its own words."""

    name: str
    severity: str
    summary: str


@dataclass(frozen=True, slots=True)
class Case:
    """One alert with a stack for which it fires, and those that fire with it.

    `names`: what its summary has to name. `after`: how long after the report. `is_gone_after`: when the metrics go.
    """

    alert: str
    metrics: Callable[[], str]
    names: tuple[str, ...]
    beside: frozenset[str] = frozenset()
    after: timedelta = timedelta(hours=2)
    severity: str = "warning"
    is_gone_after: timedelta | None = None


def _late(**dates: Any) -> dict[str, Any]:
    return certificate("mx9", profile="server", **dates)


def _own(validity: Validity, seen: datetime, *faults: str) -> dict[str, Any]:
    return stored_host("mx9", proven_at=day(-1), sighting=own_certificate(validity, seen, *faults))


CASES = [
    Case("PostsealReportStale", well, ("prod", "1d 13h"), after=timedelta(hours=37)),
    Case("PostsealReportGone", well, ("prod",), after=timedelta(hours=8), is_gone_after=timedelta(hours=2)),
    Case("PostsealReportGone", lambda: "", ("certificates is gone",), after=timedelta(hours=3)),
    Case("PostsealReportFromTheFuture", lambda: well(now=day(1)), ("prod",)),
    Case(
        "PostsealCertificateExpired",
        lambda: well(_late(not_before=-365, not_after=-1, renew_at=-100)),
        ("server", "mx9", "prod"),
        severity="critical",
    ),
    Case(
        "PostsealClientsExpired",
        lambda: well(certificate("ann", not_before=-365, not_after=-1, renew_at=-100, email="ann@example.org")),
        ("1 client", "prod"),
        severity="critical",
    ),
    Case(
        "PostsealClientsExpired",
        lambda: well(roster("staff", [member("a", not_after=-1), member("b", not_after=-1), member("c")])),
        ("2 client", "roster staff"),
        severity="critical",
    ),
    Case(
        "PostsealCertificateEndsSoon",
        lambda: well(_late(not_before=-365, not_after=10, renew_at=-100)),
        ("mx9", "9d 22h"),
        frozenset({"PostsealCertificateOverdue"}),
        severity="critical",
    ),
    Case(
        "PostsealClientsEndSoon",
        lambda: well(certificate("ann", not_before=-365, not_after=10, renew_at=-100, email="ann@example.org")),
        ("1 client",),
        frozenset({"PostsealClientsOverdue"}),
        severity="critical",
    ),
    Case(
        "PostsealCertificateOverdue",
        lambda: well(_late(not_before=-200, not_after=165, renew_at=-3)),
        ("server", "mx9", "3d 2h"),
    ),
    Case(
        "PostsealCertificateOverdue",
        lambda: well(_own(Validity(day(-77), day(13)), day(13 - 14 + 0.5)), _late(renew_at=50)),
        ("on_host", "mx9"),
        after=timedelta(hours=30),
    ),
    Case(
        "PostsealClientsOverdue",
        lambda: well(roster("staff", [member("a", renew_at=-3), member("b", renew_at=-1)])),
        ("1 client", "roster staff"),
    ),
    Case(
        "PostsealOldGenerationStillAccepted",
        lambda: well(certificate("ann", previous=(-3,), email="ann@example.org", not_before=-20)),
        ("1 old", "prod"),
    ),
    Case(
        "PostsealWaiting",
        lambda: well(waiting("partner")),
        ("partner",),
        after=timedelta(hours=73),
        beside=frozenset({"PostsealReportStale"}),
    ),
    Case(
        "PostsealRevocationListExpired",
        lambda: well(revocation_list("old-crl", this_update=-30, next_update=-1, renew_at=-10)),
        ("old-crl",),
        severity="critical",
    ),
    Case(
        "PostsealRevocationListOverdue",
        lambda: well(revocation_list("old-crl", this_update=-30, next_update=5, renew_at=-2)),
        ("old-crl", "2d 2h"),
    ),
    Case(
        "PostsealHostCertificateFault",
        lambda: well(_own(Validity(day(-10), day(80)), day(-1), "/etc/ssl/mx9.pem is not there")),
        ("mx9",),
        severity="critical",
    ),
    Case("PostsealHostCertificateNotSeen", lambda: well(_own(Validity(day(-85), day(5)), day(-40))), ("mx9",)),
    Case("PostsealHostCertificateNotSeen", lambda: well(_own(Validity(day(-91), day(-1)), day(-2))), ("mx9",)),
    Case(
        "PostsealHostProofOld",
        lambda: well(stored_host("mx9", proven_at=day(-181))),
        ("mx9", "181d 2h"),
        severity="info",
    ),
    Case("PostsealHostNeverProven", lambda: well(stored_host("mx9")), ("mx9", "prod")),
]


def judged(directory: Path, metrics: str, after: timedelta, is_gone_after: timedelta | None = None) -> set[Alert]:
    """Return what fires some time after the report.

    promtool tells what fires where something else was expected: so something that never is is expected of each alert.
    """
    stays = int((is_gone_after or after) / STEP)
    test = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "5m",
        "tests": [
            {
                "interval": "5m",
                "input_series": [
                    {"series": name, "values": f"_x{int((NOW - ORIGIN) / STEP) - 1} {value}x{stays}"}
                    for name, value in samples_of(metrics).items()
                ],
                "alert_rule_test": [
                    {
                        "eval_time": f"{int((NOW - ORIGIN + after) / timedelta(minutes=1))}m",
                        "alertname": name,
                        "exp_alerts": [{"exp_labels": {"never": "true"}}],
                    }
                    for name in ALERTS
                ],
            }
        ],
    }
    path = directory / "rules.test.yml"
    path.write_text(yaml.safe_dump(test), encoding="utf-8")
    done = run_promtool("test", "rules", str(path))
    assert done.returncode == 1, done
    assert done.stderr.count("alertname: ") == len(ALERTS), done
    return {Alert(*found) for found in FIRED.findall(done.stderr)}


def run_promtool(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run promtool with a text as its input."""
    program = promtool(REPOSITORY, os.environ)
    return subprocess.run(
        [str(program), *arguments], input=given, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("case", CASES, ids=[f"{number} {case.alert}" for number, case in enumerate(CASES)])
def test_an_alert_fires_for_its_case_and_for_nothing_else(case: Case, tmp_path: Path) -> None:
    """Its summary names who is meant; what is well beside it in the same stack stays silent."""
    fired = judged(tmp_path, case.metrics(), case.after, case.is_gone_after)
    assert {each.name for each in fired} == {case.alert} | case.beside
    (alert,) = (each for each in fired if each.name == case.alert)
    assert alert.severity == case.severity
    assert all(name in alert.summary for name in case.names), alert


def test_every_alert_has_a_case() -> None:
    """A rule that nobody has seen fire may never do so."""
    assert {case.alert for case in CASES} == set(ALERTS)


@pytest.mark.parametrize("hours", [1, 24, 35])
def test_a_stack_that_is_well_is_silent(hours: int, tmp_path: Path) -> None:
    """Until the next report is late; with a revoked certificate that has expired, and a directory nobody can prove."""
    assert judged(tmp_path, well(), timedelta(hours=hours)) == set()


def test_the_rules_use_what_the_exporter_writes(tmp_path: Path) -> None:
    """No rule waits for a metric that nobody writes; promtool has no complaint about either file."""
    metrics = well(*mail_stack()["deployment"]["resources"][3:], _own(Validity(day(-10), day(80)), day(-1), "a fault"))
    written = {name.partition("{")[0] for name in samples_of(metrics)}
    used = {name for each in GROUP for name in re.findall(r"\bpostseal_\w+", each["expr"])}
    assert used <= written
    checked = run_promtool("check", "metrics", given=metrics)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    rules = run_promtool("check", "rules", str(RULES))
    assert rules.returncode == 0, rules
    broken = tmp_path / "broken.yml"
    broken.write_text(RULES.read_text().replace("time() -", "time( -", 1))
    assert run_promtool("check", "rules", str(broken)).returncode != 0
    assert run_promtool("check", "metrics", given=metrics.replace("_seconds", "_milliseconds")).returncode != 0


def test_each_alert_says_what_to_do_and_where_to_read_on() -> None:
    """A summary, a description, and a heading of the page that is there."""
    page = (REPOSITORY / "docs/monitoring.md").read_text(encoding="utf-8")
    titles = [line.strip("# ") for line in page.splitlines() if line.startswith("#")]
    headings = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
    for rule in ALERTS.values():
        annotations = rule["annotations"]
        assert annotations["summary"]
        assert annotations["description"].endswith(".")
        path, _, heading = annotations["runbook"].partition("#")
        assert (path, heading in headings) == ("docs/monitoring.md", True), annotations["runbook"]
