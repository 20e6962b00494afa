"""The command `postseal`: arguments, exit codes, files, and the engine it asks."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from postseal.cli import RENDERERS, main
from postseal.report.engine import EngineError, export_stack
from postseal.version import VERSION
from tests.support.stack_state import NOW, certificate, damaged, export, mail_stack, waiting

FINE = export(certificate("mx1"))
DUE = export(certificate("mx1", renew_at=-1))
EXPIRED = export(certificate("mx1", not_after=-1, renew_at=-2), waiting("p"))
CLOCK = f"{NOW:%Y-%m-%dT%H:%M:%SZ}"


def run(*arguments: str) -> int:
    """Run the command; a usage error leaves through SystemExit."""
    try:
        return main(arguments)
    except SystemExit as leaving:
        return int(str(leaving.code))


def saved(directory: Path, state: object) -> str:
    """Return the path of a file that holds a state."""
    path = directory / "export.json"
    path.write_text(json.dumps(state))
    return str(path)


@pytest.mark.parametrize(("state", "code"), [(FINE, 0), (DUE, 1), (EXPIRED, 2)])
def test_exit_code_is_the_verdict(state: object, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A scheduler can act on 0, 1 and 2 without reading the report."""
    assert run("report", "--file", saved(tmp_path, state), "--now", CLOCK) == code
    assert "mx1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "code"),
    [(("--state", "waiting"), 1), (("--name", "nobody"), 0), (("--soon", "0", "--kind", "imported"), 0)],
)
def test_exit_code_judges_what_is_selected(more: tuple[str, ...], code: int, tmp_path: Path) -> None:
    """A filter leaves out what it hides from the verdict as well."""
    assert run("report", "--file", saved(tmp_path, EXPIRED), "--now", CLOCK, *more) == code


def test_a_filter_that_leaves_nothing_does_not_say_that_nothing_expires(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A reader learns that the filters are the reason; a stack without certificates says so in other words."""
    for state, sentence in ((FINE, "nothing that expires matches the filters"), (export(), "nothing here expires")):
        run("report", "--file", saved(tmp_path, state), "--now", CLOCK, "--state", "expired")
        assert sentence in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("report", "--kind", "mailbox"),
        ("report", "--now", "soon"),
        ("forecast",),
        ("report", "--file", "a", "--stack", "b"),
    ],
)
def test_wrong_usage_leaves_with_three(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 means expired, so that wrong usage must not use it."""
    assert run(*arguments) == 3
    assert "usage: postseal" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot read"),
        ("{", "is no JSON"),
        ("{}", "this is not a stack's state"),
        (
            json.dumps(export(*(damaged(certificate(f"c{index}"), not_after="x") for index in range(30)))),
            "and 10 more problems",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_one_clean_message(
    content: str | None, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is wrong with the file, the user reads a sentence and no traceback."""
    path = tmp_path / "export.json"
    if content is not None:
        path.write_text(content)
    assert run("report", "--file", str(path)) == 3
    error = capsys.readouterr().err
    assert error.startswith("postseal: ")
    assert words in error


@pytest.mark.parametrize("name", RENDERERS)
def test_the_page_about_the_report_has_every_format(name: str) -> None:
    """In the table that says what each is for."""
    page = (Path(__file__).parents[2] / "docs/report.md").read_text("utf-8")
    assert f"\n| `{name}` | " in page, "add a row to the table of formats in docs/report.md"


@pytest.mark.parametrize("name", RENDERERS)
def test_every_format_can_be_written_to_a_file(name: str, tmp_path: Path) -> None:
    """The file is complete, readable by others, and nothing else is left beside it."""
    source, target = saved(tmp_path, mail_stack()), tmp_path / "report.out"
    target.write_text("old")
    assert run("report", "--file", source, "--now", CLOCK, "--format", name, "--output", str(target)) == 2
    assert "alice" in target.read_text("utf-8")
    assert target.stat().st_mode & 0o777 == 0o644
    assert sorted(path.name for path in tmp_path.iterdir()) == ["export.json", "report.out"]


def test_a_place_that_cannot_be_written_is_a_clean_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing directory is named; the report does not pretend to have been written."""
    assert run("report", "--file", saved(tmp_path, FINE), "--output", str(tmp_path / "no" / "report")) == 3
    assert "cannot write below" in capsys.readouterr().err


def test_output_that_is_a_directory_leaves_nothing_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After a failed rename the temporary file is gone."""
    (tmp_path / "report").mkdir()
    assert run("report", "--file", saved(tmp_path, FINE), "--output", str(tmp_path / "report")) == 3
    assert "cannot write" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["export.json", "report"]


@pytest.mark.parametrize("form", ["table", "json"])
def test_forecast_looks_as_far_as_it_is_told(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A date stands for its first second; what is due later is left out."""
    path = saved(tmp_path, FINE)
    for until, is_there in (("2027-04-15", False), ("2027-04-16", True)):
        assert run("forecast", "--file", path, "--now", CLOCK, "--until", until, "--format", form) == 0
        assert ("mx1" in capsys.readouterr().out) is is_there


def engine(directory: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Put a program in the place of `pulumi`."""
    program = directory / "engine"
    program.write_text(f"#!{sys.executable}\nimport sys, os, json\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("POSTSEAL_PULUMI", str(program))


def test_without_a_file_the_engine_is_asked_in_the_projects_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stack's state comes from `pulumi stack export`, which is never asked to show secrets."""
    saved(tmp_path, DUE)
    engine(tmp_path, monkeypatch, "print(open('export.json').read()); json.dump(sys.argv[1:], open('asked', 'w'))")
    assert run("report", "--stack", "prod", "--directory", str(tmp_path), "--now", CLOCK) == 1
    assert "mx1" in capsys.readouterr().out
    assert json.loads((tmp_path / "asked").read_text()) == ["stack", "export", "--non-interactive", "--stack", "prod"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("sys.exit('error: no stack named prod found')", "failed with exit code 1: error: no stack named prod found"),
        ("sys.exit(4)", "failed with exit code 4: no message"),
        ("print('welcome')", "is no JSON"),
    ],
)
def test_what_the_engine_answers_is_passed_on(
    body: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failure of the engine is told with its own words and exit code 3."""
    engine(tmp_path, monkeypatch, body)
    assert run("report", "--directory", str(tmp_path)) == 3
    assert words in capsys.readouterr().err


def test_an_answer_that_quotes_the_address_of_the_state_shows_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Backends take passwords as user information and as options, and the engine quotes the address."""
    url = "postgres://mail:hunter2@db.example.org/state?password=sesame7"
    engine(tmp_path, monkeypatch, f"import sys; sys.exit('cannot open {url}: refused')")
    monkeypatch.setenv("PULUMI_BACKEND_URL", url)
    assert run("report", "--directory", str(tmp_path)) == 3
    said = capsys.readouterr().err
    assert "failed with exit code 1" in said
    assert not [secret for secret in ("hunter2", "sesame7") if secret in said]


def test_a_missing_engine_is_told_with_the_ways_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there is no `pulumi`, a saved export still works."""
    monkeypatch.setenv("POSTSEAL_PULUMI", "no-such-engine")
    assert run("report") == 3
    assert "put it on PATH, set POSTSEAL_PULUMI, or give --file" in capsys.readouterr().err


def test_an_engine_that_does_not_answer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hanging engine does not hang the monitoring."""
    engine(tmp_path, monkeypatch, "import time; time.sleep(60)")
    with pytest.raises(EngineError, match=r"did not answer within 0\.2 seconds"):
        export_stack("", tmp_path, timeout_seconds=0.2)


def test_a_reader_that_has_seen_enough_is_no_error_message(tmp_path: Path) -> None:
    """A pipe whose reader has gone ends the command quietly."""
    path = saved(tmp_path, FINE)
    with subprocess.Popen(
        [sys.executable, "-m", "postseal.cli", "report", "--file", path, "--now", CLOCK],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 3


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """`postseal --version` needs no command."""
    assert run("--version") == 0
    assert capsys.readouterr().out == f"postseal {VERSION}\n"


@pytest.mark.parametrize("name", RENDERERS)
def test_every_format_is_documented(name: str) -> None:
    """A row of the table in docs/report.md says what it is for."""
    page = (Path(__file__).parents[2] / "docs/report.md").read_text(encoding="utf-8")
    assert f"\n| `{name}` |" in page
