"""The way to an engine: cache, PATH, official release, build from source; stand-ins play `pulumi` and `go`."""

import fcntl
import hashlib
import os
import platform
import sys
import tarfile
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from toolchain import engine
from toolchain.download import release_for
from toolchain.engine import ensure_engine, ensure_plugin
from toolchain.errors import ToolchainError
from toolchain.layout import Layout, locate

ROOT = Path(__file__).parents[2]

PULUMI = """#!/bin/sh
case "$1" in
version) echo "VERSION" ;;
plugin) [ -z "$NO_NETWORK" ] || [ "$6" = --file ] || { echo "error: no network" >&2; exit 1; }
    directory="$PULUMI_HOME/plugins/resource-$4-v$5"
    mkdir -p "$directory" && echo "$*" > "$directory/pulumi-resource-$4" ;;
esac
"""

GO = """#!/bin/sh
case "$1 $2" in
"version ") echo "go version go1.26.8 linux/amd64" ;;
"env GOTOOLCHAIN") echo local ;;
"mod download") mkdir -p "$GOMODCACHE/python/cmd" && echo script > "$GOMODCACHE/python/cmd/pulumi-language-python-exec"
    echo "{\\"Dir\\": \\"$GOMODCACHE\\"}" ;;
build*) while [ "$1" != -o ]; do shift; done
    name=$(basename "$2"); echo "$name" >> "$GO_LOG"
    [ "$name" != "$GO_FAILS_AT" ] || { echo "disk is full" >&2; exit 1; }
    cp "$PULUMI_STAND_IN" "$2" ;;
esac
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """A made-up machine: what is on its PATH, and where its cache and its release host are."""

    directory: Path
    variables: dict[str, str]

    @property
    def layout(self) -> Layout:
        """Where this machine keeps its engine."""
        return locate(ROOT, self.variables)

    @property
    def built(self) -> list[str]:
        """Programs that `go build` was started for, in order."""
        log = self.directory / "go.log"
        return log.read_text().split() if log.exists() else []

    @property
    def plugin(self) -> str:
        """How the tls plugin was installed; empty without one."""
        found = list(self.layout.pulumi_home.glob("plugins/resource-tls-v5.3.1/pulumi-resource-tls"))
        return found[0].read_text() if found else ""

    def install(self, name: str, text: str) -> None:
        """Put a program on this machine's PATH."""
        path = self.directory / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def publish(self, checksum: str = "") -> None:
        """Make the official release reachable."""
        release = release_for(sys.platform, platform.machine(), self.variables["POSTSEAL_ENGINE_URL"])
        if release is None:
            pytest.skip("no release is published for this machine")
        host = self.directory / "host"
        archive = host / release.archive_name
        with tarfile.open(archive, "w:gz") as tar:
            for name in ("pulumi", "pulumi-language-python"):
                tar.add(self.directory / "stand-in", f"pulumi/{name}")
        digest = checksum or hashlib.sha256(archive.read_bytes()).hexdigest()
        (host / "pulumi-3.250.0-checksums.txt").write_text(f"{digest}  {archive.name}\n")

    def ensure(self) -> None:
        """Run the code under test on this machine."""
        ensure_engine(ROOT, self.variables)


@pytest.fixture(name="machine")
def fixture_machine(tmp_path: Path) -> Machine:
    """Return a machine with a shell and nothing else: no pulumi, no go, no network."""
    for name in ("bin", "host"):
        (tmp_path / name).mkdir()
    (tmp_path / "stand-in").write_text(PULUMI.replace("VERSION", "v3.250.0"))
    (tmp_path / "stand-in").chmod(0o755)
    variables = {
        "HOME": str(tmp_path / "home"),
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
        "POSTSEAL_ENGINE_URL": (tmp_path / "host").as_uri(),
        "GO_LOG": str(tmp_path / "go.log"),
        "PULUMI_STAND_IN": str(tmp_path / "stand-in"),
    }
    return Machine(tmp_path, variables)


def test_a_suitable_pulumi_on_the_path_is_used_as_it_is(machine: Machine) -> None:
    """Nothing is fetched or built; only the tls plugin is installed, from its official place."""
    machine.install("pulumi", PULUMI.replace("VERSION", "v3.260.0"))
    machine.install("pulumi-language-python", "")
    machine.install("go", GO)
    machine.ensure()
    assert machine.plugin == "plugin install resource tls 5.3.1\n"
    assert machine.built == []
    assert not machine.layout.engine_bin.exists()


def test_the_official_release_is_fetched_where_the_pulumi_is_too_old(machine: Machine) -> None:
    """The old one stays as it is; the fetched one comes before it on PATH."""
    machine.install("pulumi", PULUMI.replace("VERSION", "v3.100.0"))
    machine.install("pulumi-language-python", "")
    machine.install("go", GO)
    machine.publish()
    machine.ensure()
    assert {path.name for path in machine.layout.engine_bin.iterdir()} == {"pulumi", "pulumi-language-python"}
    assert machine.built == []
    assert machine.plugin


@pytest.mark.parametrize("checksum", ["", "0" * 64])
def test_without_a_release_that_can_be_trusted_all_parts_are_built(machine: Machine, checksum: str) -> None:
    """The order is quickest first, the plugin is installed from the build, and the build leaves nothing else."""
    machine.install("go", GO)
    if checksum:
        machine.publish(checksum)
    machine.ensure()
    assert machine.built == ["pulumi-language-python", "pulumi", "pulumi-resource-tls"]
    assert "--file" in machine.plugin
    assert os.access(machine.layout.engine_bin / "pulumi-language-python-exec", os.X_OK)
    assert list((machine.layout.engine / "building").iterdir()) == []


def test_a_mirror_without_encryption_ends_the_run(machine: Machine) -> None:
    """It is a mistake to mend: nothing is fetched, and no build of twelve minutes begins instead."""
    machine.install("go", GO)
    machine.variables["POSTSEAL_ENGINE_URL"] = "http://mirror.example"
    with pytest.raises(ToolchainError, match="expected https:// or file://"):
        machine.ensure()
    assert machine.built == []


def test_a_second_run_does_nothing_and_says_nothing(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    """`make setup` stays quick and quiet once the engine is there."""
    machine.install("go", GO)
    machine.ensure()
    capsys.readouterr()
    built = machine.built
    machine.ensure()
    assert machine.built == built
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("fails_at", ["pulumi", "pulumi-resource-tls"])
def test_a_build_that_fails_keeps_its_finished_parts_and_goes_on_from_there(machine: Machine, fails_at: str) -> None:
    """The message ends with what go said; the next run builds only what is missing."""
    machine.install("go", GO)
    machine.variables.update({"GO_FAILS_AT": fails_at, "NO_NETWORK": "1"})
    with pytest.raises(ToolchainError, match="disk is full"):
        machine.ensure()
    del machine.variables["GO_FAILS_AT"]
    machine.ensure()
    assert machine.built.count("pulumi-language-python") == 1
    assert machine.built.count(fails_at) == 2
    assert machine.plugin


def test_a_plugin_that_cannot_be_fetched_is_built(machine: Machine) -> None:
    """The plugins may be out of reach where a pulumi is installed already."""
    machine.install("pulumi", PULUMI.replace("VERSION", "v3.260.0"))
    machine.install("pulumi-language-python", "")
    machine.install("go", GO)
    machine.variables["NO_NETWORK"] = "1"
    machine.ensure()
    assert machine.built == ["pulumi-resource-tls"]
    assert "--file" in machine.plugin


def test_a_machine_with_no_way_to_an_engine_is_told_all_that_was_tried(machine: Machine) -> None:
    """One message names the three ways, why each failed, and what to install."""
    with pytest.raises(ToolchainError) as caught:
        machine.ensure()
    text = str(caught.value)
    assert "pulumi on PATH: there is none on PATH" in text
    assert "official release: file:///" in text
    assert "build from source: there is no go on PATH" in text


def test_a_second_build_at_the_same_time_waits_and_says_so(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two terminals, one build: the second finds the engine finished and builds nothing."""
    machine.install("go", GO)
    said: list[str] = []
    is_waiting = threading.Event()

    def listen(text: str) -> None:
        said.append(text)
        is_waiting.set()

    monkeypatch.setattr(engine, "say", listen)
    layout = machine.layout
    layout.engine.mkdir(parents=True)
    with (layout.engine / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = threading.Thread(target=machine.ensure)
        second.start()
        assert is_waiting.wait(timeout=30)
        layout.engine_bin.mkdir()
        for name in ("pulumi", "pulumi-language-python"):
            (layout.engine_bin / name).write_text(PULUMI)
            (layout.engine_bin / name).chmod(0o755)
    second.join(timeout=30)
    assert "another run" in said[0]
    assert machine.built == []
    assert machine.plugin


def test_a_plugin_of_a_peer_is_fetched_once_or_said_to_be_out_of_reach(machine: Machine) -> None:
    """Only its official place is asked: what a benchmark compares with is nothing that anybody else needs."""
    machine.install("pulumi", PULUMI.replace("VERSION", "v3.250.0"))
    away = {**machine.variables, "NO_NETWORK": "1"}
    assert ensure_plugin(ROOT, away, "command", "1.2.1") == "error: no network"
    assert ensure_plugin(ROOT, machine.variables, "command", "1.2.1") is None
    assert ensure_plugin(ROOT, away, "command", "1.2.1") is None
    assert machine.built == []
    assert machine.plugin == ""
