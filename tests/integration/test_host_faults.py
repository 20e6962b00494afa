"""Faults of a real host: other shells, commands and machines that die, clocks that lie, files that cannot be replaced.

After each the service answers as before or as declared, the next run succeeds, and nothing is left. A kill before every
step is enumerated under /bin/sh in test_host_program.py; here a third of the steps, chosen by a seed, is killed under
bash and another third under busybox ash, as all of them under each would take minutes. Full disks are in
test_full_disks.py, clients that come meanwhile in test_rotation_under_load.py.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from postfix.deploy.transaction import Reloading
from postseal_core.errors import DeployError
from tests.support.loopback import greeting, until
from tests.support.relay import BOB, NEW, OLD, SERVERS, SHELLS, Relay, declared, failure_of
from tests.support.watching import KeyWatch

pytestmark = [pytest.mark.needs_postfix, pytest.mark.needs_openssl, pytest.mark.takes_long]

SEED = 20261126
AS_BEFORE = "nothing was changed|all files are as they were before, and Postfix answers as it did"


@pytest.fixture
def relay(started: Relay) -> Iterator[Relay]:
    """Return it as OLD says; without a trial run, so that the running service is the first to meet a fault."""
    is_usual(started)
    if started.instance.master_pid() is None:
        start(started)
    started.up(OLD)
    assert started.is_old()
    started.session.forget()
    yield started
    is_usual(started)


def is_usual(relay: Relay) -> None:
    """Have the host's own commands run, uncut."""
    relay.session.use("/bin/sh")
    relay.session.has_trial = False
    relay.session.before()
    for path in commands_of(relay).iterdir():
        if path.name != "sh":
            path.unlink()


def commands_of(relay: Relay) -> Path:
    """Return the directory whose commands are found first."""
    return Path(relay.session.search_path.partition(":")[0])


def play(relay: Relay, command: str, script: str) -> None:
    """Have another command in the place of one, under its name; `$real` is the host's own."""
    path = commands_of(relay) / command
    path.write_text(f"#!/bin/sh\nreal={shutil.which(command)}\n{script}\n")
    path.chmod(0o755)


def is_well(relay: Relay, *, is_new: bool) -> bool:
    """Whether all is as OLD or NEW says and nothing else is there."""
    return (relay.is_new() if is_new else relay.is_old()) and relay.leftovers() == []


def steps_of(relay: Relay) -> list[str]:
    """Return the steps of a change there and of none back."""
    relay.session.forget()
    relay.up(NEW)
    steps = relay.session.steps
    relay.up(OLD)
    return steps


def third(steps: list[str], number: int) -> list[str]:
    """Return one of three parts of some steps, which hold all of them together."""
    mixed = sorted(set(steps))
    random.Random(SEED).shuffle(mixed)
    return mixed[number::3]


@pytest.mark.parametrize(("shell", "number"), [("bash", 1), ("busybox", 2)])
def test_a_kill_under_another_shell_is_made_good_by_the_next_run(relay: Relay, shell: str, number: int) -> None:
    """There and back by turns; between the two runs somebody is served, and no stranger relays."""
    path = SHELLS[shell]
    if path is None:
        pytest.skip(f"{shell} is not here")
    steps = steps_of(relay)
    assert sorted(each for part in range(3) for each in third(steps, part)) == sorted(set(steps))
    relay.session.use(path)
    wrong = {}
    for turn, step in enumerate(third(steps, number)):
        desired = OLD if turn % 2 else NEW
        relay.session.before(step)
        failure_of(lambda to=desired: relay.up(to))  # type: ignore[misc]
        relay.session.before()
        served, _, _, is_open = relay.state()
        relay.up(desired)
        if served is None or is_open or not is_well(relay, is_new=desired is NEW):
            wrong[step] = served, relay.state(), relay.leftovers()
    assert wrong == {}
    relay.up(OLD)
    relay.session.has_trial = True
    relay.session.before("trying")
    failure_of(lambda: relay.up(NEW))
    relay.session.before()
    relay.up(NEW)
    assert is_well(relay, is_new=True)


def test_a_caller_that_is_killed_interrupts_nothing(relay: Relay) -> None:
    """With its whole process group, as a plugin or an engine may be; what it began is committed."""
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        relay.session.before("swap:2", f"kill -9 -{os.getpid()}; sleep 1")
        with suppress(BaseException):
            relay.up(NEW)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    work = relay.instance.config_directory / ".postseal"
    assert until(lambda: "publish" in relay.session.steps and not (work / "results/.running").exists(), 20)
    assert is_well(relay, is_new=True)
    relay.session.before()
    relay.up(NEW)
    assert is_well(relay, is_new=True)


def crash(relay: Relay, *, keeps_staged: bool) -> None:
    """Kill all of Postfix at once, as at a loss of power, and clear what does not outlive it."""
    pid = relay.instance.master_pid()
    assert pid is not None
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for each in (pid, *map(int, children)):
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    assert until(lambda: relay.instance.master_pid() is None, 5)
    for path in (relay.instance.queue_directory / "pid").iterdir():
        path.unlink()
    if not keeps_staged:
        shutil.rmtree(relay.instance.config_directory / ".postseal/tx", ignore_errors=True)


def start(relay: Relay) -> None:
    """Start Postfix as the machine does, with whatever is there."""
    relay.instance.command("postfix", "-c", relay.session.root, "start")
    assert until(lambda: greeting(relay.instance.port, has_tls=False), 10)


CRASHES = {
    ("journal", True, True),
    ("swap:3", True, False),
    ("swap:3", False, True),
    ("reload", True, True),
    ("reload", False, False),
    ("finish", True, False),
    ("finish", False, True),
}


def test_after_everything_was_killed_the_next_run_ends_right(relay: Relay) -> None:
    """Before the journal, half-way, before the reload and committed; Postfix started before the next run, or after."""
    for turn, (step, keeps_staged, is_started) in enumerate(sorted(CRASHES)):
        desired = OLD if turn % 2 else NEW
        relay.session.before(step)
        failure_of(lambda to=desired: relay.up(to))  # type: ignore[misc]
        crash(relay, keeps_staged=keeps_staged)
        relay.session.before()
        if is_started:
            start(relay)
            served, _, _, is_open = relay.state()
            assert served in {each.fingerprint_sha256 for each in SERVERS}, step
            assert not is_open
        relay.up(desired)
        if relay.instance.master_pid() is None:
            start(relay)
        assert is_well(relay, is_new=desired is NEW), step
        assert relay.up(desired).reloading is Reloading.NOT_NEEDED


@pytest.mark.parametrize("name", ["main.cf", "relay_clientcerts", "relay_clientcerts.db", "tls/mx1.pem", "tls"])
def test_what_cannot_be_replaced_leaves_all_as_it_was(relay: Relay, name: str) -> None:
    """Somebody made a file, or the directory of keys, immutable; all that was swapped before it is put back."""
    path = relay.instance.config_directory / name
    before = relay.content()
    desired = declared(SERVERS[1], BOB, smtpd_helo_required="no")
    if relay.instance.command("chattr", "+i", str(path)).returncode:
        pytest.skip("files cannot be made immutable here")
    try:
        said = failure_of(lambda: relay.up(desired, served=SERVERS[1]))
    finally:
        relay.instance.command("chattr", "-i", str(path))
    assert re.search(AS_BEFORE, said), said
    assert name in said
    assert relay.content() == before
    assert is_well(relay, is_new=False)
    relay.up(desired, served=SERVERS[1])
    assert is_well(relay, is_new=True)


def outcome_of(relay: Relay) -> str | None:
    """Deploy NEW; return the sentence of a failure, None after a success."""
    try:
        relay.up(NEW)
    except DeployError as error:
        return str(error)
    return None


@pytest.mark.parametrize("way", ["kill -9 $$", '$real "$@" >/dev/null 2>&1; kill -11 $$'])
def test_a_postmap_that_is_killed_is_noticed_whenever_it_is(relay: Relay, way: str) -> None:
    """At each call in turn, until none is left to be killed: that run is the control."""
    before = relay.content()
    count = commands_of(relay).parent / "postmap-calls"
    for killed in range(1, 12):
        count.unlink(missing_ok=True)
        dies = f"echo >>'{count}'; [ $(wc -l <'{count}') -ne {killed} ] || {{ {way}; }}"
        play(relay, "postmap", f'{dies}\nexec $real "$@"')
        said = outcome_of(relay)
        if said is None:
            break
        assert re.search(AS_BEFORE, said), said
        assert relay.content() == before
        assert relay.leftovers() == []
    calls = len(count.read_text().splitlines())
    assert calls == killed - 1
    assert calls > 1
    assert is_well(relay, is_new=True)


SECONDS_OF_TEN_YEARS = 315_360_000
HOT_SECONDS = 3


@pytest.mark.parametrize("seconds", [0, SECONDS_OF_TEN_YEARS, -SECONDS_OF_TEN_YEARS])
def test_a_clock_that_is_wrong_stalls_nothing(relay: Relay, seconds: int) -> None:
    """Postfix waits for files of this very second, so that none is put in place; dates of files are wrong, too."""
    play(relay, "date", f'case $* in +%s) echo $(($($real +%s) + {seconds})) ;; *) exec $real "$@" ;; esac')
    for path in relay.instance.config_directory.iterdir():
        if path.name != ".postseal":
            moment = time.time() + seconds
            os.utime(path, (moment, moment))
    desired = declared(SERVERS[1], BOB, kind="texthash", smtpd_helo_required="no")
    relay.up(desired, served=SERVERS[1])
    main_cf, table = (relay.instance.config_directory / name for name in ("main.cf", "relay_clientcerts"))
    assert not is_hot(main_cf)
    assert not is_hot(table)
    assert is_well(relay, is_new=True)
    assert relay.up(desired, served=SERVERS[1]).reloading is Reloading.NOT_NEEDED
    os.utime(main_cf)
    assert is_hot(main_cf)
    is_usual(relay)
    relay.up(OLD)
    assert is_well(relay, is_new=False)


def is_hot(path: Path) -> bool:
    """Whether a file looked as if somebody was just writing it, when it came to its place."""
    status = path.stat()
    return abs(status.st_ctime - status.st_mtime) < HOT_SECONDS


def test_no_key_is_ever_open_to_others(relay: Relay) -> None:
    """Not in a file of any mode, an argument or an environment, under each shell; each of the three would be seen."""
    conf, keys = relay.instance.config_directory, (SERVERS[0], SERVERS[1])
    relay.session.has_trial = True
    for turn, shell in enumerate(filter(None, SHELLS.values())):
        relay.session.use(shell)
        relay.session.before()
        with KeyWatch(conf, keys=keys) as watch:
            relay.up(OLD if turn % 2 else NEW)
        assert watch.found == set()
        assert watch.rounds > 20
    line = SERVERS[0].private_key_pem.splitlines()[2]
    seen = controls(conf, line, keys)
    assert seen == [{f"{conf}/open 604"}, {"cmdline of sh"}, {"environ of sleep"}]


def controls(conf: Path, line: str, keys: tuple[object, ...]) -> list[set[str]]:
    """Return what is found of a key in an open file, an argument and an environment."""
    (conf / "open").write_text(line)
    (conf / "open").chmod(0o604)
    found = [while_it_goes(conf, keys, ["sleep", "1"])]
    (conf / "open").unlink()
    found.append(while_it_goes(conf, keys, ["sh", "-c", "sleep 1; :", line]))
    found.append(while_it_goes(conf, keys, ["sleep", "1"], LINE=line))
    return found


def while_it_goes(conf: Path, keys: tuple[object, ...], command: list[str], **environment: str) -> set[str]:
    """Return what is found while a command runs."""
    with KeyWatch(conf, keys=keys) as watch:  # type: ignore[arg-type]
        subprocess.run(command, env={"PATH": os.environ["PATH"], **environment}, check=True)
    return watch.found
