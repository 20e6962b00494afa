"""What the doctor sees: an engine of our own making, files, variables; never a traceback, never a secret."""

import json
import os
import signal
import stat
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from postseal.cli import main
from postseal.doctor import gathering
from postseal.doctor.facts import Facts, Passphrase
from postseal.doctor.gathering import gather_facts

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SCRIPT = """#!/bin/sh
case "$1" in
    version) echo v3.260.1 ;;
    whoami) echo '{{"user": "me", "url": "{url}"}}' ;;
    stack) cat <<'END'
{export}
END
    exit {code} ;;
esac
"""
EXPORT = {
    "deployment": {
        "manifest": {"time": "2026-11-25T08:00:00.123456789+01:00"},
        "secrets_providers": {"type": "passphrase", "state": {"salt": "v1:x"}},
        "resources": [{"modified": "2026-11-25T07:30:00Z"}, {"modified": "never"}, 7],
    }
}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave nothing of the caller's own settings, and no engine on PATH."""
    for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE", "POSTSEAL_PULUMI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")


def with_engine(directory: Path, export: object = EXPORT, *, url: str = "file:///absent/state", code: int = 0) -> None:
    """Make a project, and put a program `pulumi` on PATH that answers like the engine."""
    (directory / "Pulumi.yaml").touch()
    (directory / "bin").mkdir()
    program = directory / "bin/pulumi"
    program.write_text(SCRIPT.format(export=json.dumps(export), url=url, code=code))
    program.chmod(0o755)


def facts(directory: Path) -> Facts:
    """Return what is seen of a project in this directory."""
    return gather_facts("prod", directory, NOW)


def test_an_engine_is_asked_for_its_version_its_login_and_the_state(tmp_path: Path) -> None:
    """The newest instant is that of the last run, or of a resource."""
    with_engine(tmp_path)
    seen = facts(tmp_path)
    assert (seen.engine.version, seen.engine.path) == ("3.260.1", str(tmp_path / "bin/pulumi"))
    assert (seen.stack.backend_url, seen.stack.secrets_provider, seen.stack.error) == (
        "file:///absent/state",
        "passphrase",
        "",
    )
    assert seen.stack.newest == datetime(2026, 11, 25, 7, 30, tzinfo=UTC)


def test_a_machine_without_an_engine_is_looked_at_all_the_same(tmp_path: Path) -> None:
    """Nothing is asked of an engine then; packages, files and users are seen."""
    seen = facts(tmp_path)
    assert (seen.engine.path, seen.stack.error, seen.passphrase) == ("", "", Passphrase.NOWHERE)
    assert seen.plugins.sdk
    assert seen.plugins.declared_path == ""
    assert seen.others is not None


@pytest.mark.parametrize(
    "export",
    [
        pytest.param([], id="list"),
        pytest.param(7, id="number"),
        pytest.param("text", id="text"),
        pytest.param({"deployment": []}, id="no deployment"),
        pytest.param({"deployment": {"resources": {}, "manifest": 1}}, id="no manifest"),
    ],
)
def test_a_state_that_says_nothing_is_no_traceback(export: object, tmp_path: Path) -> None:
    """Whatever an engine prints."""
    with_engine(tmp_path, export)
    seen = facts(tmp_path)
    assert (seen.stack.secrets_provider, seen.stack.newest) == ("", None)


@pytest.mark.parametrize("password", ["hu[sh", "hu\u2100sh", "hu/sh", "hu@sh", "hu?sh"])
def test_an_address_that_cannot_be_read_ends_in_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    """Libraries quote in theirs what they cannot read, and with it the password."""
    with_engine(tmp_path, code=1)
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"postgres://me:{password}@db/states")
    seen = facts(tmp_path)
    assert seen.stack.error
    assert not {"hu", "sh", password} & {*seen.stack.backend_url.replace(":", "/").split("/")}


def test_a_state_that_cannot_be_read_says_so_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither what the engine answers nor where the state is shows the password of a database."""
    with_engine(tmp_path, code=1)
    program = tmp_path / "bin/pulumi"
    answer = "cannot open postgres://me:hush-hush@db/states"
    program.write_text(program.read_text().replace("exit 1", f"echo '{answer}' >&2; exit 1"))
    monkeypatch.setenv("PULUMI_BACKEND_URL", "postgres://me:hush-hush@db/states?sslmode=hush-hush")
    seen = facts(tmp_path)
    assert "cannot open postgres://db/states" in seen.stack.error
    assert seen.stack.backend_url == "postgres://db/states"
    assert "hush" not in str(seen)


def test_modes_of_state_passphrase_and_out_directory_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The passphrase itself is never read."""
    for name, mode in (("state", 0o750), ("out", 0o777)):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(mode)
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("hush-hush")
    passphrase.chmod(0o640)
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"{(tmp_path / 'state').as_uri()}?metadata=skip")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", str(passphrase))
    seen = facts(tmp_path)
    places: list[Any] = [seen.state_directory, seen.passphrase_file, seen.out_directory]
    assert [stat.filemode(place.mode) for place in places] == ["?rwxr-x---", "?rw-r-----", "?rwxrwxrwx"]
    assert "can be written by everybody" in places[2].complaint
    assert all(place.is_own for place in places)
    assert "hush" not in str(seen)


def test_a_passphrase_in_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the engine takes it; an empty one is one."""
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", "/nowhere")
    assert facts(tmp_path).passphrase is Passphrase.ENVIRONMENT


@pytest.mark.parametrize(
    "project", ["", "[", "plugins: 7", "plugins: {providers: [{name: other, path: x}]}", "plugins: {providers: [7]}"]
)
def test_a_project_file_of_any_kind_is_no_traceback(project: str, tmp_path: Path) -> None:
    """It names no plugin then."""
    (tmp_path / "Pulumi.yaml").write_text(project)
    assert facts(tmp_path).plugins.declared_path == ""


def test_without_a_project_the_engine_is_not_asked_for_its_state(tmp_path: Path) -> None:
    """It would say so in its own words; a directory above that has one is one of the project, as for the engine."""
    with_engine(tmp_path, code=1)
    (tmp_path / "Pulumi.yaml").unlink()
    (tmp_path / "below").mkdir()
    seen = facts(tmp_path / "below")
    assert (seen.project_file.path, seen.project_file.mode) == (str(tmp_path / "below/Pulumi.yaml"), None)
    assert seen.stack.error == ""
    (tmp_path / "Pulumi.yaml").write_text("plugins: {providers: [{name: postseal, path: bin}]}")
    seen = facts(tmp_path / "below")
    assert seen.project_file.path == str(tmp_path / "Pulumi.yaml")
    assert seen.plugins.declared_path == str(tmp_path / "bin")
    assert seen.stack.error


def test_the_plugin_that_the_project_names_is_looked_for(tmp_path: Path) -> None:
    """Relative to the project; there it is or it is not."""
    (tmp_path / "Pulumi.yaml").write_text("plugins: {providers: [{name: postseal, path: bin}]}")
    assert not facts(tmp_path).plugins.has_declared_plugin
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/pulumi-resource-postseal").touch()
    seen = facts(tmp_path).plugins
    assert (seen.has_declared_plugin, seen.declared_path) == (True, str(tmp_path / "bin"))


def test_ignored_interrupts_and_logs_in_clear_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both come from whoever starts the engine."""
    monkeypatch.setenv("PULUMI_DEBUG_GRPC", "x")
    assert facts(tmp_path).log_switches == ("PULUMI_DEBUG_GRPC",)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job runs tests with it ignored
    try:
        assert not facts(tmp_path).is_interrupt_ignored
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        assert facts(tmp_path).is_interrupt_ignored
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_command_says_it_in_text_and_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A fault is exit code 1; wrong usage is 3, as for the other commands."""
    assert main(["doctor", "--directory", str(tmp_path)]) == 1
    assert "fault        engine: there is no program `pulumi`" in capsys.readouterr().out
    assert main(["doctor", "--directory", str(tmp_path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["fault"] is True
    with pytest.raises(SystemExit) as leaving:
        main(["doctor", "--fix"])
    assert leaving.value.code == 3


@pytest.mark.parametrize(
    ("script", "version"),
    [
        ("#!/bin/sh\necho v3.260.1", "3.260.1"),
        ("#!/bin/sh\necho v3.260.1; exit 1", ""),
        ("#!/bin/sh\nexec sleep 300", ""),
        ("#!/absent/interpreter\n", ""),
    ],
    ids=["one that answers", "one that fails", "one that hangs", "one that cannot be run"],
)
def test_an_engine_that_does_not_answer_is_there_without_a_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, version: str
) -> None:
    """It is named all the same, for the reader to look at."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/pulumi"
    program.write_text(script)
    program.chmod(0o755)
    if "sleep" in script:
        monkeypatch.setattr(gathering, "_SECONDS", 0.3)
    seen = facts(tmp_path)
    assert (seen.engine.path, seen.engine.version) == (str(program), version)


def test_packages_that_are_not_installed_have_no_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a checkout that was never installed; with them installed, versions and what is wanted are seen."""
    seen = facts(tmp_path).plugins
    assert seen.sdk
    assert [each for each in seen.wanted if each.startswith("pulumi")]

    def absent(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr(gathering, "version", absent)
    monkeypatch.setattr(gathering, "requires", absent)
    seen = facts(tmp_path).plugins
    assert (seen.sdk, seen.tls_package, seen.wanted) == ("", "", ())


@pytest.mark.parametrize(
    ("changed", "newest"),
    [
        (datetime(2026, 11, 25, 22, tzinfo=UTC), datetime(2026, 11, 25, 22, tzinfo=UTC)),
        (datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 25, 7, 30, tzinfo=UTC)),
    ],
    ids=["after the last run", "before it"],
)
def test_a_directory_of_states_tells_when_it_was_changed(tmp_path: Path, changed: datetime, newest: datetime) -> None:
    """The newest instant counts, to find a clock that was set back since."""
    state = tmp_path / "state"
    state.mkdir()
    os.utime(state, (changed.timestamp(), changed.timestamp()))
    with_engine(tmp_path, url=state.as_uri())
    seen = facts(tmp_path)
    assert seen.state_directory is not None
    assert seen.stack.newest == newest
