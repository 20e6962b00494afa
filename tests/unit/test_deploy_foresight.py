"""What the program on a host says when it is to foresee, with a Postfix that is played, and how that is read."""

import io
import os
import re
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from postfix.deploy.bundle import request
from postfix.deploy.foresight_form import answers_in, archive_of, read_said
from postfix.deploy.program import program_path
from postfix.effective.captures import CALLS
from postfix.effective.visitors import AUTHORITIES, CHAIN, PAIR, Answer, Asked, Question
from postseal_core.errors import DeployError
from postseal_core.files.tree import FileEntry
from tests.support.played_host import PlayedHost, play

pytestmark = pytest.mark.takes_long

MAIN_CF = FileEntry("main.cf", b"# the administrator's\n", 0o644)
SCRATCH = "/tmp/postseal-foresee."  # noqa: S108  # where the program makes its directory
TEXT = Path(program_path()).read_text()
SHELLS = [["dash"], ["bash", "--posix"], ["busybox", "ash"]]
# Says what it was asked; a value with a tab, and one in Latin-1.
POSTCONF = r"""#!/bin/sh
case $* in
    *queue_directory) echo /nonexistent ;;
    *-n) printf 'asked = %s\nlatin = \351\ttab\n' "$2" ;;
    *-m) echo hash; echo 'a warning' >&2 ;;
    *-F) exit 3 ;;
    *) echo "main_cf = $(tr '\n' ';' <"$2/main.cf")" ;;
esac
"""
# Answers slowly for slow:, dies for hash:, and has two rows otherwise.
POSTMAP = r"""#!/bin/sh
for last; do :; done
case $last in
    slow:*) sleep 30 ;;
    hash:*) echo 'postmap: fatal: open database x.db: No such file' >&2; exit 1 ;;
    static:*) exit 0 ;;
    odd:*) exit 75 ;;
esac
while read -r key; do case $key in alice | bob) printf '%s\tsecret value\n' "$key" ;; esac; done
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[PlayedHost]:
    """Return a host with a main.cf of somebody else, and commands that answer."""
    played = play(tmp_path)
    played.write(MAIN_CF)
    for name, text in (("postconf", POSTCONF), ("postmap", POSTMAP)):
        (tmp_path / "bin" / name).write_text(text)
    (tmp_path / "bin/id").unlink()
    # Other tests look at hosts meanwhile.
    assert TEXT.count(SCRATCH) == 1
    played.program = str(tmp_path / "program")
    Path(played.program).write_text(TEXT.replace(SCRATCH, f"{tmp_path}/scratch."))
    yield played
    played.stop()


def scratch_directories(host: PlayedHost) -> list[str]:
    """Return the directories that runs of the program have made and not removed."""
    return [path.name for path in host.place.glob("scratch.*")]


def ask(host: PlayedHost, archive: bytes) -> bytes:
    """Return what the program says."""
    return host.ask_program(request("foresee", host.root, "-", archive))


@pytest.mark.needs_root
@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_both_views_are_told_in_any_bytes_and_nothing_is_touched(host: PlayedHost, shell: list[str]) -> None:
    """Under each shell: the files of the host as they are, and those that were sent, with tabs and Latin-1."""
    if not shutil.which(shell[0]):
        pytest.skip(f"{shell[0]} is not here")
    host.shell = str(host.place / "shell")
    Path(host.shell).write_text(f'#!/bin/sh\nexec {shutil.which(shell[0])} {" ".join(shell[1:])} "$@"\n')
    Path(host.shell).chmod(0o755)
    before = host.present(["main.cf", ".postseal/"])
    said = read_said(ask(host, archive_of({"main.cf": b"new\n", "master.cf": b"smtp inet\n"})), host.root)
    assert said.live.all_parameters.stdout == "main_cf = # the administrator's;\n"
    assert said.live.written_parameters.stdout == f"asked = {host.root}\nlatin = \udce9\ttab\n"
    assert (said.live.map_types.stdout, said.live.map_types.stderr) == ("hash\n", "a warning\n")
    assert (said.live.service_fields.returncode, said.live.map_types.returncode) == (3, 0)
    assert said.staged is not None
    assert said.staged.all_parameters.stdout == "main_cf = new;\n"
    assert said.staged.root == host.root != said.staged.directory
    assert "127.0.0.1" in said.addresses
    assert said.is_running is None
    assert host.present(["main.cf", ".postseal/"]) == before
    assert scratch_directories(host) == []


@pytest.mark.needs_root
def test_questions_are_answered_and_what_does_not_answer_in_time_is_unknown(host: PlayedHost) -> None:
    """A table that opens, one that does not, one behind a server that is silent; values stay on the host."""
    Path(host.program).write_text(TEXT.replace("probe_seconds=5\n", "probe_seconds=1\n"))
    names = ("key", "chain", "other", "both", "two", "swapped", "spoilt")
    key, chain, other, both, two, swapped, spoilt = (host.place / f"{name}.pem" for name in names)
    made = ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=x", "-out", str(chain)]
    for path in (other, key):
        subprocess.run([*made, "-keyout", str(path)], check=True, capture_output=True)
    spoilt.write_text(chain.read_text().replace("M", "N"))
    both.write_text(key.read_text() + chain.read_text())
    two.write_text(both.read_text() * 2)
    swapped.write_text(chain.read_text() + key.read_text())
    expected = {
        Question(Asked.LOOKUP, "texthash:/a table", "alice"): Answer.YES,
        Question(Asked.LOOKUP, "texthash:/a table", "carol"): Answer.NO,
        Question(Asked.LOOKUP, "hash:/x", "alice"): Answer.BROKEN,
        Question(Asked.LOOKUP, "slow:/x", "alice"): Answer.UNKNOWN,
        Question(Asked.LOOKUP, "odd:/x", "alice"): Answer.UNKNOWN,
        Question(Asked.LOADS, str(both), CHAIN): Answer.YES,
        Question(Asked.LOADS, str(two), CHAIN): Answer.YES,
        Question(Asked.LOADS, f"{key} {chain}", CHAIN): Answer.YES,
        Question(Asked.LOADS, f"{both} {other} {chain}", CHAIN): Answer.BROKEN,
        Question(Asked.LOADS, f"{chain} {key}", CHAIN): Answer.BROKEN,
        Question(Asked.LOADS, str(swapped), CHAIN): Answer.BROKEN,
        Question(Asked.LOADS, f"{key} {spoilt}", CHAIN): Answer.BROKEN,
        Question(Asked.LOADS, str(chain), CHAIN): Answer.BROKEN,
        Question(Asked.LOADS, str(host.place), CHAIN): Answer.BROKEN,
        Question(Asked.LOADS, "relative.pem", CHAIN): Answer.UNKNOWN,
        Question(Asked.LOADS, str(chain), PAIR, str(key)): Answer.YES,
        Question(Asked.LOADS, str(swapped), PAIR, str(swapped)): Answer.YES,
        Question(Asked.LOADS, str(chain), PAIR, str(other)): Answer.BROKEN,
        Question(Asked.LOADS, str(chain), PAIR, "/nonexistent"): Answer.BROKEN,
        Question(Asked.LOADS, str(chain), AUTHORITIES): Answer.YES,
        Question(Asked.LOADS, str(key), AUTHORITIES): Answer.BROKEN,
        Question(Asked.LOADS, str(spoilt), AUTHORITIES): Answer.BROKEN,
        Question(Asked.READABLE, str(key), "root"): Answer.YES,
        Question(Asked.READABLE, "/nonexistent", "root"): Answer.BROKEN,
        Question(Asked.READABLE, "/etc/passwd", "daemon"): Answer.YES,
        Question(Asked.READABLE, str(key), "daemon"): Answer.NO,
        Question(Asked.READABLE, str(key), "nobody-is-called-so"): Answer.UNKNOWN,
        Question(Asked.CIPHERS, "HIGH:!aNULL"): Answer.YES,
        Question(Asked.CIPHERS, "no-such-cipher"): Answer.NO,
        Question(Asked.LOGIN, f"{host.place}/none", "dovecot"): Answer.NO,
        Question(Asked.LOGIN, "inet:127.0.0.1:1", "dovecot"): Answer.UNKNOWN,
        Question(Asked.LOGIN, "x", "another"): Answer.UNKNOWN,
    }
    asked = {"live": [*expected], "staged": [Question(Asked.LOOKUP, "texthash:/a table", "bob")]}
    output = ask(host, archive_of({"main.cf": b"new\n"}, asked))
    answers = answers_in(output, asked, host.root)
    assert answers["live"] == expected
    assert answers["staged"] == {asked["staged"][0]: Answer.YES}
    assert b"secret value" not in output
    assert b"PRIVATE" not in output


@pytest.mark.needs_root
def test_a_program_that_is_told_to_end_leaves_no_directory(host: PlayedHost) -> None:
    """While a table keeps it waiting."""
    asked = {"live": [Question(Asked.LOOKUP, "slow:/x", "alice")]}
    archive = archive_of({"main.cf": b"new\n"}, asked)
    command, environment = [host.shell, host.program], {"PATH": host.search_path}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin
        process.stdin.write(request("foresee", host.root, "-", archive))
        process.stdin.close()
        deadline = time.monotonic() + 10
        while not scratch_directories(host) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert scratch_directories(host)
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(20) != 0
    assert scratch_directories(host) == []


@pytest.mark.needs_root
def test_what_did_not_arrive_whole_is_refused(host: PlayedHost) -> None:
    """As a bundle is; the whole is the control."""
    whole = request("foresee", host.root, "-", archive_of({"main.cf": b"new\n"}))
    with pytest.raises(DeployError, match="did not arrive whole"):
        read_said(host.ask_program(whole[:-5000]), host.root)
    assert read_said(host.ask_program(whole), host.root).staged


@pytest.mark.needs_root
@pytest.mark.parametrize("place", ["main.cf", "q/0.keys", "q"])
@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_link_or_a_device_among_the_questions_is_refused(host: PlayedHost, place: str, kind: bytes) -> None:
    """So whoever may run the program does not have it read, and tell, a key elsewhere."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        member = tarfile.TarInfo(place)
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    output = ask(host, buffer.getvalue())
    assert b"fault\tbundle\tit " in output
    assert b"root" not in output
    assert scratch_directories(host) == []


@pytest.mark.needs_root
@pytest.mark.parametrize("name", ["dynamicmaps.cf", "q/dynamicmaps.cf", "q/0.keys/dynamicmaps.cf", "x/main.cf", ".x/y"])
def test_no_other_file_comes_with_the_questions(host: PlayedHost, name: str) -> None:
    """So a main.cf that is asked about names no library that was sent with it; without one it is answered."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("main.cf"))
        archive.addfile(tarfile.TarInfo(name))
    assert b"it holds other files than questions" in ask(host, buffer.getvalue())
    assert read_said(ask(host, archive_of({"main.cf": b"x = y\n"})), host.root).staged


def test_the_program_asks_postconf_what_is_read() -> None:
    """Each call by the name of its field."""
    found = re.findall(r'^    capture "\$1" "\$2" (\w+)(.*)$', TEXT, re.MULTILINE)
    assert {name: tuple(options.split()) for name, options in found} == dict(CALLS)


@pytest.mark.parametrize("output", [b"", b"directory\tlive\t/x\n", b"end\tunknown\ncomplete\n", b"complete\n"])
def test_an_output_that_tells_nothing_is_an_error(output: bytes) -> None:
    """Nobody takes it for a host on which nothing happens."""
    with pytest.raises(DeployError):
        read_said(output, "/etc/postfix")
