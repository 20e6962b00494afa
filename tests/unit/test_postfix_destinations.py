"""What somebody else has changed on a deployed host is told in words: rows, parameters, modes and owners of files."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from postfix.deploy.host_files import Deployed
from postfix.host_resource.destinations import destination_of
from postfix.host_resource.drift import Edit, Left, sentences_of_edits
from postfix.target import Directory, Local
from postseal_core.files.mark import Mark, MarkedFile, mark_entry
from postseal_core.files.tree import FileEntry, digest, manifest

OURS: Mapping[str, str] = {"biff": "no", "smtpd_tls_loglevel": "1", "mynetworks": "127.0.0.0/8 [::1]/128"}
ALICE, BOB, MALLORY = (":".join([pair] * 32) for pair in ("AA", "BB", "CC"))
ROWS = {ALICE: "alice generation=1", BOB: "bob generation=2"}
KEY = FileEntry("tls/mx1.pem", b"-----BEGIN PRIVATE KEY-----\nsecret\n", 0o400)


def table(rows: Mapping[str, str]) -> FileEntry:
    """Return a table of clients."""
    return FileEntry("relay_clientcerts", "".join(f"{key} {value}\n" for key, value in rows.items()).encode(), 0o644)


LEFT = Left(
    deployed=Deployed(files=manifest([table(ROWS), KEY]), parameters=tuple(OURS)),
    main_cf=OURS,
    rows={"relay_clientcerts": ROWS},
)
MAIN_CF = "".join(f"{name} = {value}\n" for name, value in OURS.items()).encode()


def write(directory: Path, *files: FileEntry) -> None:
    """Write files to a directory."""
    for file in files:
        path = directory / file.path
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(file.content)
        path.chmod(file.mode)


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """Return a configuration directory as the last deployment left it."""
    write(tmp_path, table(ROWS), KEY, FileEntry("main.cf", MAIN_CF, 0o644))
    return tmp_path


def drift(
    directory: Path,
    left: Left = LEFT,
    content: Mapping[str, str] | None = None,
    main_cf: Mapping[str, str] | None = None,
) -> list[Edit]:
    """Return what is told of a Postfix on this machine."""
    wanted = Left(deployed=Deployed(files=content or {}), main_cf=main_cf or {})
    return destination_of(Local(str(directory)).record).drift(left, wanted)


def words(directory: Path) -> list[str]:
    """Return what is told, without its path."""
    return [edit.words for edit in drift(directory)]


def test_nothing_is_told_of_a_host_that_nobody_has_changed(host: Path) -> None:
    """The control of all others."""
    assert drift(host) == []


@pytest.mark.parametrize(
    ("main_cf", "told"),
    [
        (b"biff = no\nsmtpd_tls_loglevel=1\nmynetworks =\n  127.0.0.0/8\n  [::1]/128\n", []),
        (
            MAIN_CF.replace(b"biff = no", b"biff = yes") + b"myorigin = x\n",
            ["biff is 'yes', and was left as 'no'"],
        ),
        (
            b"biff = no\nmynetworks = 0.0.0.0/0\n",
            [
                "mynetworks is '0.0.0.0/0', and was left as '127.0.0.0/8 [::1]/128'",
                "smtpd_tls_loglevel is gone, and was left as '1'",
            ],
        ),
        (
            MAIN_CF.replace(b"biff = no", b"biff = inline:{a=secret}"),
            ["biff is a table with rows of its own, and was left as 'no'"],
        ),
        (MAIN_CF.replace(b"biff = no", b"biff = \xff"), ["biff is '\N{REPLACEMENT CHARACTER}', and was left as 'no'"]),
        (
            b"  no definition at all\n???\n",
            [f"{name} is gone, and was left as {OURS[name]!r}" for name in sorted(OURS)],
        ),
    ],
    ids=[
        "other blanks",
        "another value",
        "two of them",
        "a table with secrets",
        "no UTF-8",
        "nothing that Postfix reads",
    ],
)
def test_parameters_are_told_with_what_is_found_and_what_was_left(host: Path, main_cf: bytes, told: list[str]) -> None:
    """In order of their names; whatever else stands there is others' business, and blanks are nobody's."""
    write(host, FileEntry("main.cf", main_cf, 0o644))
    assert words(host) == told


def test_rows_are_told_one_by_one_with_a_short_fingerprint(host: Path) -> None:
    """Added, gone and changed, as Postfix reads them: of two rows with one key the first counts."""
    rows = {ALICE: "alice generation=3", MALLORY: "mallory"}
    write(host, replace(table(rows), content=table(rows).content + f"{ALICE} again\n".encode()))
    assert words(host) == [
        "row AA:AA:AA:AA:AA:AA:AA:AA... says 'alice generation=3', and was left as 'alice generation=1'",
        "row BB:BB:BB:BB:BB:BB:BB:BB... of 'bob generation=2' is gone",
        "row CC:CC:CC:CC:CC:CC:CC:CC... of 'mallory' was added",
    ]


def test_a_sentence_has_host_path_and_no_more_than_ten_edits(host: Path) -> None:
    """Whoever adds a thousand rows is told ten, and how many there are."""
    added = {":".join([f"{number:02X}"] * 32): f"x{number}" for number in range(1, 21)}
    write(host, table({**ROWS, **added}))
    (said,) = sentences_of_edits("mx1", drift(host))
    assert said.startswith(f"mx1: {host}/relay_clientcerts was changed or removed by somebody else: row 01:01")
    assert said.endswith("; and 10 more")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda path: path.unlink(), "it is gone"),
        (lambda path: path.chmod(0o644), "its mode is 0644, and was left as 0400"),
        (lambda path: path.write_bytes(b"another secret"), "what it holds is not what was written there"),
        (lambda path: (path.unlink(), path.mkdir()), "it is a directory"),
        (lambda path: (path.unlink(), path.symlink_to("x")), "what it holds is not what was written there"),
    ],
    ids=["gone", "mode", "content", "directory", "link"],
)
def test_a_key_is_told_without_what_it_holds(host: Path, change: object, told: str) -> None:
    """Neither the old nor the new content."""
    change(host / KEY.path)  # type: ignore[operator]
    edits = drift(host)
    assert [(edit.path, edit.words) for edit in edits] == [(KEY.path, told)]
    assert "secret" not in repr(edits)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_of_another_user_is_told(host: Path) -> None:
    """Its owner can change it at any time."""
    os.chown(host / "relay_clientcerts", 65534, 65534)
    assert words(host) == ["it belongs to another user"]


def test_what_is_declared_now_was_changed_by_nobody_else(host: Path) -> None:
    """Who edits the host and then the stack file is not told of it; who edits the stack file alone neither."""
    edited = table({ALICE: "alice generation=1"})
    write(host, edited, FileEntry("main.cf", MAIN_CF.replace(b"biff = no", b"biff = yes"), 0o644))
    assert len(drift(host)) == 2
    assert drift(host, content={edited.path: digest(edited)}, main_cf={**OURS, "biff": "yes"}) == []
    write(host, table(ROWS), FileEntry("main.cf", MAIN_CF, 0o644))
    assert drift(host, content={edited.path: digest(edited)}, main_cf={**OURS, "biff": "yes"}) == []


def test_what_a_run_that_was_cut_off_has_left_was_changed_by_nobody_else(host: Path) -> None:
    """It lists in the mark what it has written; of its parameters it leaves its stamp there."""
    newer = table({BOB: "bob generation=3"})
    write(host, newer, FileEntry("main.cf", MAIN_CF.replace(b"biff = no", b"biff = yes"), 0o644))
    mark = Mark(files={newer.path: MarkedFile(owner="p/s", digests=(digest(newer),))}, stamp="sha256:newer")
    entry = mark_entry(mark)
    assert entry
    write(host, entry)
    assert drift(host) == []
    (host / ".postseal.json").unlink()
    (host / ".postseal/journal").mkdir(parents=True)
    assert drift(host) == []
    (host / ".postseal/journal").rmdir()
    assert len(drift(host)) == 3


def test_copies_for_the_chroot_and_plain_directories_are_looked_at_as_well(host: Path) -> None:
    """Each with the directory that it lies in."""
    target = Directory(str(host)).record
    changed = replace(LEFT, deployed=Deployed(files={KEY.path: "sha256:0"}, chroot={"etc/ca.pem": "sha256:0"}))
    told = destination_of(target).drift(changed, Left(deployed=Deployed()))
    assert [(edit.root, edit.path) for edit in told] == [(str(host), KEY.path), (target.jail, "etc/ca.pem")]


MASTER_CF = """\
smtp inet n - y - - smtpd
127.0.0.1:10587   inet n - y - - smtpd
    -o { smtpd_tls_security_level = encrypt }
# a remark
    -o { smtpd_relay_restrictions = permit_tls_clientcerts, reject }
"""
SUBMISSION = (
    "smtpd -o { smtpd_tls_security_level = encrypt } -o { smtpd_relay_restrictions = permit_tls_clientcerts, reject }"
)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("smtp inet", "smtp  inet", []),
        ("inet n - y - - smtpd\n    -o { smtpd_tls", "inet n - n - 20 smtpd\n  -o { smtpd_tls", []),
        (" = encrypt", " = may", ["is 'smtpd -o { smtpd_tls_security_level = may } -o"]),
        ("127.0.0.1:10587 ", "127.0.0.1:10588 ", ["is gone, and was left as 'smtpd -o"]),
    ],
    ids=["a service of others", "fields", "an option", "gone"],
)
def test_services_of_ours_in_a_shared_master_cf_are_told(host: Path, old: str, new: str, told: list[str]) -> None:
    """By what they run, and with what options; others' services are others' business."""
    key = "127.0.0.1:10587/inet"
    left = replace(LEFT, deployed=replace(LEFT.deployed, services=(key,)), master_cf={key: SUBMISSION})
    assert MASTER_CF.count(old) == 1
    write(host, FileEntry("master.cf", MASTER_CF.replace(old, new).encode(), 0o644))
    said = [edit.words for edit in drift(host, left)]
    assert len(said) == len(told)
    assert all(line.startswith(f"service {key} {words}") for line, words in zip(said, told, strict=True))
