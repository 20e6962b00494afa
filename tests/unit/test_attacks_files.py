"""A stack file names files; whatever it names, only plain files of the project are read, and nothing else is shown."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pulumi
import pytest

from postseal.stack.build import read_configuration
from postseal_core.bounds import LARGEST_FILE_BYTES
from postseal_core.files.project_file import ProjectFileError, read_project_file
from tests.support.stack_files import roster, stack

NEEDLE = "correct-horse-battery"
OUTSIDE = "lies outside of the project"
NO_FILE = "is no regular file"
HIDDEN = "is or lies in something hidden"


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a project directory, in which the program runs, beside a directory of others."""
    here = tmp_path / "project"
    (here / "stacks").mkdir(parents=True)
    (tmp_path / "project-of-others").mkdir()
    (tmp_path / "project-of-others/secret.csv").write_text(f"{NEEDLE}\n", encoding="utf-8")
    (tmp_path / "project-of-others/staff.csv").write_text("name,email\nanna,anna@example.org\n", encoding="utf-8")
    (here / ".pulumi").mkdir()
    (here / ".pulumi/passphrase").write_text(f"{NEEDLE}\n", encoding="utf-8")
    monkeypatch.chdir(here)
    monkeypatch.setattr(pulumi, "get_project", lambda: "mail-pki")
    monkeypatch.setattr(pulumi, "get_stack", lambda: "dev")
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(here))
    return here


def told(monkeypatch: pytest.MonkeyPatch, file: str, *, as_chain: bool = False) -> str:
    """Return what a preview says of a stack file that names a file."""
    raw = roster(clients=None, file=file)
    if as_chain:
        server = {"dns_names": ["mx1.example.org"], "third_party": {"signed_chain_file": file}}
        raw = stack(servers={"web": server})
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({f"mail-pki:{key}": json.dumps(each) for key, each in raw.items()}))
    monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", "[]")
    try:
        read_configuration()
    except pulumi.RunError as error:
        return str(error)
    return ""


def _link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(path))


MADE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a link to another project": (_link("../../project-of-others/secret.csv"), OUTSIDE),
    "a link to a good roster elsewhere": (_link("../../project-of-others/staff.csv"), OUTSIDE),
    "a link to a system file": (_link("/etc/passwd"), OUTSIDE),
    "a link to the passphrase of the state": (_link("../.pulumi/passphrase"), HIDDEN),
    "a link to a link": (_link("second"), OUTSIDE),
    "a link to itself": (_link("staff.csv"), "cannot be read"),
    "a link to a device": (_link("/dev/zero"), OUTSIDE),
    "a link to the program's own files": (_link("/proc/self/environ"), OUTSIDE),
    "a link to an opened file": (_link("/dev/stdin"), OUTSIDE),
    "a pipe": (_pipe, NO_FILE),
    "a socket": (_socket, "cannot be read"),
    "a directory": (Path.mkdir, NO_FILE),
    "a link to a directory": (_link("."), NO_FILE),
    "a link to the project": (_link(".."), OUTSIDE),
    "a large file": (lambda path: path.write_bytes(b"x" * (LARGEST_FILE_BYTES + 1)), "is larger than 16 MiB"),
    "a file of zeros without an end": (lambda path: os.truncate(_touched(path), 2**40), "is larger than 16 MiB"),
    "no text": (lambda path: path.write_bytes(b"\xff\xfe\x00"), "is no UTF-8 text"),
    "a passphrase": (lambda path: path.write_text(NEEDLE, encoding="utf-8"), "line 1"),
}


def _touched(path: Path) -> Path:
    path.touch()
    return path


@pytest.fixture
def _in_time() -> Iterator[None]:
    """Open what hangs: a pipe that nobody writes to would be waited for."""
    stuck = threading.Timer(20, lambda: os._exit(70))
    stuck.start()
    yield
    stuck.cancel()


@pytest.mark.usefixtures("_in_time")
@pytest.mark.parametrize("as_chain", [False, True], ids=["roster", "chain"])
@pytest.mark.parametrize("kind", MADE)
def test_what_is_no_plain_file_of_the_project_is_refused(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    as_chain: bool,  # noqa: FBT001 - pytest passes it by name
) -> None:
    """With the reason, and never with anything of what is in it."""
    make, words = MADE[kind]
    (project / "stacks/second").symlink_to("/etc/hostname")
    make(project / "stacks/staff.csv")
    said = told(monkeypatch, "stacks/staff.csv", as_chain=as_chain)
    if as_chain and kind == "a passphrase":
        words = "no PEM block"
    assert words in said
    assert NEEDLE not in said
    assert "root:" not in said
    assert len(said) < 1500


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../project-of-others/staff.csv", OUTSIDE),
        ("stacks/../../project-of-others/staff.csv", OUTSIDE),
        ("/etc/passwd.csv", "is not there"),
        ("/etc/hostname", OUTSIDE),
        ("/dev/stdin", OUTSIDE),
        ("/proc/self/environ", OUTSIDE),
        (".pulumi/passphrase", HIDDEN),
        ("stacks/.hidden.csv", HIDDEN),
        (".", OUTSIDE),
        ("stacks", NO_FILE),
        ("stacks/" + "x" * 300 + ".csv", "cannot be read: File name too long"),
        ("stacks/staff.csv/more.csv", "cannot be read: Not a directory"),
    ],
)
def test_a_path_out_of_the_project_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    """However it is written."""
    (project / "stacks/.hidden.csv").touch()
    (project / "stacks/staff.csv").touch()
    assert words in told(monkeypatch, name, as_chain=True)


def test_a_link_that_stays_inside_and_a_whole_path_are_fine(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is a project that is itself reached through a link."""
    (project / "stacks/real.csv").write_text("name,email\r\nanna,anna@example.org\r\n", encoding="utf-8")
    (project / "stacks/staff.csv").symlink_to("real.csv")
    (project / "shared").symlink_to("stacks")
    for name in ("stacks/staff.csv", "shared/staff.csv", str(project / "stacks/real.csv")):
        assert told(monkeypatch, name) == ""
    (project.parent / "linked").symlink_to(project)
    monkeypatch.chdir(project.parent / "linked")
    assert told(monkeypatch, "stacks/staff.csv") == ""


def test_names_are_relative_to_the_program_and_files_may_lie_anywhere_in_the_project(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a project whose program lies in a directory of its own (`main`)."""
    (project / "staff.csv").write_text("name,email\nanna,anna@example.org\n", encoding="utf-8")
    monkeypatch.chdir(project / "stacks")
    assert told(monkeypatch, "../staff.csv") == ""
    assert OUTSIDE in told(monkeypatch, "../../project-of-others/staff.csv")


def test_a_link_that_is_put_there_after_the_look_is_not_followed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the opening: each step is opened as no link."""
    (project / "stacks/staff.csv").write_text("name\nanna\n", encoding="utf-8")
    resolve = os.path.realpath

    def realpath(path: str | Path, *, strict: bool = False) -> str:
        found = resolve(path, strict=strict)
        if found.endswith("staff.csv"):
            (project / "stacks").rename(project / "moved")
            (project / "stacks").symlink_to("../project-of-others")
        return found

    monkeypatch.setattr(os.path, "realpath", realpath)
    with pytest.raises(ProjectFileError, match="cannot be read"):
        read_project_file(project, "stacks/staff.csv")


@pytest.mark.parametrize("section", ["rosters", "clients", "hosts"])
def test_configuration_that_is_nested_without_end_is_a_sentence(
    project: Path, monkeypatch: pytest.MonkeyPatch, section: str
) -> None:
    """200,000 brackets, or a number of 5,000 digits: JSON is read by a library that gives up on both."""
    for value in ("[" * 200_000 + "]" * 200_000, '{"a":' * 900 + "1" + "}" * 900, '{"a": ' + "9" * 5000 + "}"):
        monkeypatch.setenv("PULUMI_CONFIG", json.dumps({f"mail-pki:{section}": value}))
        monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", "[]")
        with pytest.raises(pulumi.RunError, match="problem") as caught:
            read_configuration()
        assert len(str(caught.value)) < 3000
