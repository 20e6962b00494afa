"""A disk that is full: from the start with ever more room, or filled before any one step; and one that is read-only."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from postseal_core.errors import DeployError
from tests.support.relay import NEW, OLD, SERVERS, Relay, failure_of, relay_below
from tests.support.watching import KeyWatch

pytestmark = [
    pytest.mark.needs_postfix,
    pytest.mark.needs_openssl,
    pytest.mark.needs_mounts,
    pytest.mark.takes_long,
]

KIB = 1024
ROOM_KIB = 1024
AS_BEFORE = "nothing was changed|all files are as they were before, and Postfix answers as it did"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    """Return a relay whose configuration lies in a file system of its own."""
    directory = tmp_path_factory.mktemp("relay")
    with relay_below(directory) as relay:
        conf = relay.instance.config_directory
        relay.instance.stop()
        shutil.copytree(conf, directory / "kept")
        size = f"mode=755,size={ROOM_KIB}k"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(conf)], check=True)
        try:
            shutil.copytree(directory / "kept", conf, dirs_exist_ok=True)
            relay.instance.start()
            yield relay
            relay.instance.stop()
        finally:
            subprocess.run(["umount", "-l", str(conf)], check=True)


@pytest.fixture
def relay(started: Relay) -> Relay:
    """Return it as OLD says, with room; without a trial run, whose own writes are tried in a test of their own."""
    started.session.has_trial = False
    started.session.before()
    remount(started, f"size={ROOM_KIB}k")
    started.up(OLD)
    assert started.is_old()
    started.session.forget()
    return started


def remount(relay: Relay, option: str) -> None:
    """Change the file system below a running service."""
    conf = str(relay.instance.config_directory)
    subprocess.run(["mount", "-o", f"remount,{option}", conf], check=True)


def used_kib(relay: Relay) -> int:
    """Return how much is in use."""
    disk = os.statvfs(relay.instance.config_directory)
    return (disk.f_blocks - disk.f_bfree) * disk.f_frsize // KIB


def failure(relay: Relay) -> str | None:
    """Deploy NEW; return the sentence of a failure, None after a success."""
    try:
        relay.up(NEW)
    except DeployError as error:
        return str(error)
    return None


@pytest.mark.parametrize("has_trial", [False, True])
def test_with_whatever_room_there_is_all_is_as_before_or_as_declared(relay: Relay, *, has_trial: bool) -> None:
    """A little more each time until it is enough, so that it is full at every write; no key is ever open to others."""
    before, conf = relay.content(), relay.instance.config_directory
    relay.session.has_trial = has_trial
    relay.session.before()
    refused = 0
    with KeyWatch(conf, keys=SERVERS) as watch:
        for free_kib in range(0, 480, 24 if has_trial else 12):
            remount(relay, f"size={used_kib(relay) + free_kib}k")
            said = failure(relay)
            remount(relay, f"size={ROOM_KIB}k")
            if said is None:
                break
            refused += 1
            assert re.search(AS_BEFORE, said), said
            assert re.search("cannot be written below|[Nn]o space (is )?left", said), said
            assert relay.content() == before
            assert relay.leftovers() == [], free_kib
            assert relay.is_old()
    assert said is None
    assert refused > 2
    assert relay.is_new()
    assert relay.leftovers() == []
    assert watch.found == set()


def test_a_disk_that_is_full_from_any_step_on_is_borne(relay: Relay) -> None:
    """There and back by turns: the end that is told is the end that is there, and the next run succeeds."""
    relay.up(NEW)
    steps, conf = relay.session.steps, relay.session.root
    fill = f"mount -o remount,size=$(df -k --output=used '{conf}' | sed -n '2s/ //gp')k '{conf}'"
    ends = {}
    for turn, step in enumerate(steps):
        desired, is_wanted = (NEW, relay.is_new) if turn % 2 else (OLD, relay.is_old)
        before = relay.is_old if turn % 2 else relay.is_new
        relay.session.before(step, fill)
        try:
            relay.up(desired)
            ends[step] = "committed"
            assert is_wanted(), step
        except DeployError as error:
            ends[step] = str(error)
            assert "cut off" not in ends[step], step
            assert before() or is_wanted(), (step, ends[step])
            if re.search(AS_BEFORE, ends[step]):
                assert before(), step
        relay.session.before()
        remount(relay, f"size={ROOM_KIB}k")
        relay.up(desired)
        assert is_wanted(), step
        assert relay.leftovers() == [], step
    assert ends["unpack"] != "committed"
    # From the journal on there is room for all that is left to do.
    after = steps[steps.index("open") :]
    assert {step: ends[step] for step in after} == dict.fromkeys(after, "committed")


def test_a_file_system_that_is_read_only_is_refused(relay: Relay) -> None:
    """Nothing is changed, and once it can be written to, the next run succeeds."""
    before = relay.content()
    remount(relay, "ro")
    try:
        said = failure_of(lambda: relay.up(NEW))
    finally:
        remount(relay, "rw")
    assert str(Path(relay.session.root)) in said
    assert relay.content() == before
    assert relay.is_old()
    relay.up(NEW)
    assert relay.is_new()
    assert relay.leftovers() == []
