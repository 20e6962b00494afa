"""What others have changed of a deployed host, told in words: which file, row, parameter or service, and how."""

from collections.abc import Mapping

import pytest

from postfix.deploy.host_files import Deployed
from postfix.host_resource.drift import (
    Edit,
    Left,
    Seen,
    edits_of,
    edits_of_parameters,
    edits_of_services,
    sentences_of_edits,
    with_found,
)
from postseal_core.files.mark import Mark, MarkedFile
from postseal_core.files.tree import DIRECTORY, OF_ANOTHER, FileEntry, digest

ROOT = "/etc/postfix"
WAS = FileEntry("tls/ca.pem", b"roots", 0o644)
ALICE = ":".join(["AA"] * 32)
DEPLOYED = Deployed(parameters=("biff", "relayhost"), services=("smtp/inet", "ours/unix"), stamp="run 1")


def told(was: str, now: str | None, file: FileEntry | None = None) -> list[tuple[str, str | None, str]]:
    """Return what is told of one file: the name of what changed in it, what it is now, and the words."""
    seen = Seen(root=ROOT, present={WAS.path: now} if now else {}, files={WAS.path: file} if file else {})
    edits = edits_of(Left(deployed=Deployed()), seen, {WAS.path: was}, {})
    assert all((each.root, each.path) == (ROOT, WAS.path) for each in edits)
    return [(each.name, each.found, each.words) for each in edits]


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o640, 0o644, 0o444])
def test_a_mode_that_somebody_has_changed_is_told_with_the_one_that_was_left(mode: int) -> None:
    """Of each mode that a file of ours may have."""
    was, now = FileEntry(WAS.path, WAS.content, mode), FileEntry(WAS.path, WAS.content, 0o666)
    assert told(digest(was), digest(now), now) == [("", digest(now), f"its mode is 0666, and was left as {mode:04o}")]


def test_a_file_is_told_by_what_became_of_it() -> None:
    """Whatever else is so: nothing of what it holds is told."""
    other = FileEntry(WAS.path, b"others", 0o644)
    edited = "what it holds is not what was written there"
    was = digest(WAS)
    assert told(was, was) == []
    assert told(was, None) == [("", None, "it is gone")]
    assert told(was, DIRECTORY) == [("", DIRECTORY, "it is a directory")]
    assert told(DIRECTORY, was, WAS) == [("", was, "it is no directory any more")]
    assert told(was, f"x{OF_ANOTHER}", other) == [("", f"x{OF_ANOTHER}", "it belongs to another user")]
    assert told(was, digest(other), other) == [("", digest(other), edited)]
    assert told(was, "link") == [("", "link", edited)]


def test_what_is_as_it_is_to_be_or_as_a_run_that_was_cut_off_left_it_is_no_edit() -> None:
    """That run is ours, and its mark lists what it may have written."""
    now = digest(FileEntry(WAS.path, b"new", 0o644))
    seen = Seen(root=ROOT, present={WAS.path: now})
    left, owned = Left(deployed=Deployed()), {WAS.path: digest(WAS)}
    assert len(edits_of(left, seen, owned, {})) == 1
    assert edits_of(left, seen, owned, {WAS.path: now}) == []
    mark = Mark(files={WAS.path: MarkedFile(owner="p/dev", digests=("x", now))})
    assert edits_of(left, Seen(root=ROOT, present=seen.present, mark=mark), owned, {}) == []


def rows(was: Mapping[str, str], text: bytes) -> list[Edit]:
    """Return what is told of a table."""
    file = FileEntry("rows", text, 0o644)
    seen = Seen(root=ROOT, present={"rows": digest(file)}, files={"rows": file})
    return edits_of(Left(deployed=Deployed(), rows={"rows": was}), seen, {"rows": "before"}, {})


def test_rows_that_change_are_those_of_tables_that_stay_and_get_others() -> None:
    """Others need not be read: neither what stays, nor what goes, nor what comes, nor a file without rows."""
    left = Left(
        deployed=Deployed(files={"same": "1", "other": "1", "gone": "1", "tls/mx1.pem": "1"}),
        rows={"same": {}, "other": {}, "gone": {}, "new": {}},
    )
    wanted = Left(deployed=Deployed(files={"same": "1", "other": "2", "new": "2", "tls/mx1.pem": "2"}))
    assert left.rows_that_change(wanted) == ["other"]
    assert left.rows_that_change(Left(deployed=Deployed())) == []


def test_a_row_that_somebody_has_changed_is_told_by_its_key() -> None:
    """A fingerprint by its beginning; the first of two rows counts, as for Postfix; bytes of no text are borne."""
    was = {"a.example": "OK", ALICE: "alice", "same.example": "OK", "gone.example": "OK"}
    text = f"# rows\na.example REJECT\na.example OK\n{ALICE} mallory\nsame.example OK\nnew.example \xff\n"
    found = rows(was, text.encode("latin-1"))
    short = f"{ALICE[:23]}..."
    assert [(each.name, each.found) for each in found] == [
        (ALICE, "mallory"),
        ("a.example", "REJECT"),
        ("gone.example", None),
        ("new.example", "\N{REPLACEMENT CHARACTER}"),
    ]
    assert [each.words for each in found[:3]] == [
        f"row {short} says 'mallory', and was left as 'alice'",
        "row 'a.example' says 'REJECT', and was left as 'OK'",
        "row 'gone.example' of 'OK' is gone",
    ]
    assert found[3].words.startswith("row 'new.example' of ")
    assert found[3].words.endswith(" was added")
    assert [each.name for each in rows({"a.example": "OK"}, b"a.example   OK\n")] == [""]
    for key in (ALICE[:-1], "A" * len(ALICE)):
        assert rows({key: "x"}, b"")[0].words.startswith(f"row '{key[:20]}")


MAIN_CF = "biff = no\nrelayhost =\n  [mx.example.net]\nother = x\n"
MASTER_CF = (
    "smtp inet n - y - - smtpd\n"
    "# a remark\n"
    "  -o smtpd_tls_security_level=may\n"
    "theirs unix n - y - - pipe\n"
    "short inet n\n"
    "ours unix - - n - - smtp\n  -o a=b"
)
PARAMETERS = {"biff": "no", "relayhost": "[mx.example.net]"}
SERVICES = {"smtp/inet": "smtpd -o smtpd_tls_security_level=may", "ours/unix": "smtp -o  a=b"}
LEFT = Left(deployed=DEPLOYED, main_cf=PARAMETERS, master_cf=SERVICES)


def seen_with(main_cf: str = MAIN_CF, master_cf: str = MASTER_CF, *, stamp: str = "run 1") -> Seen:
    """Return a configuration of others with parts of ours."""
    texts = {"main.cf": main_cf, "master.cf": master_cf}
    files = {path: FileEntry(path, text.encode("latin-1"), 0o644) for path, text in texts.items()}
    return Seen(root=ROOT, present={}, files=files, mark=Mark(stamp=stamp))


@pytest.mark.parametrize(
    ("main_cf", "expected"),
    [
        (MAIN_CF, []),
        (MAIN_CF.replace("= no", "=  no"), []),
        (MAIN_CF.replace("other", "another"), []),
        (MAIN_CF.replace("= no", "= yes"), [("biff", "yes", "biff is 'yes', and was left as 'no'")]),
        (MAIN_CF.replace("biff = no\n", ""), [("biff", None, "biff is gone, and was left as 'no'")]),
        (MAIN_CF.replace("= no", "= inline:{x=y}"), [("biff", "inline:{x=y}", "biff is a table with rows of its own")]),
        (MAIN_CF + "# \xff\n", []),
        ("", [("biff", None, "biff is gone"), ("relayhost", None, "relayhost is gone")]),
    ],
)
def test_a_parameter_of_ours_is_told_with_what_it_is_and_was(
    main_cf: str, expected: list[tuple[str, str | None, str]]
) -> None:
    """In the order of their names; those of others are theirs, and blanks do not count."""
    found = edits_of_parameters(LEFT, seen_with(main_cf), {})
    assert [(each.root, each.path) for each in found] == [(ROOT, "main.cf")] * len(expected)
    assert [(each.name, each.found) for each in found] == [each[:2] for each in expected]
    for each, (_, _, words) in zip(found, expected, strict=True):
        assert each.words.startswith(words)


@pytest.mark.parametrize(
    ("master_cf", "expected"),
    [
        (MASTER_CF, []),
        (MASTER_CF.replace("n - y - - smtpd", "- - n - 7 smtpd"), []),
        (MASTER_CF.replace("=may", "=none"), [("smtp/inet", "smtpd -o smtpd_tls_security_level=none")]),
        (MASTER_CF.replace("ours unix", "ours inet"), [("ours/unix", None)]),
        (MASTER_CF.replace("- - smtp\n", "- -\n  smtp\n"), []),
        ("  " + MASTER_CF, [("smtp/inet", None)]),
        (MASTER_CF + "\n# \xff\n", []),
        ("", [("ours/unix", None), ("smtp/inet", None)]),
    ],
)
def test_a_service_of_ours_is_told_with_what_it_runs_and_ran(
    master_cf: str, expected: list[tuple[str, str | None]]
) -> None:
    """The fields in front of the command are the administrator's; a line that is indented begins no service."""
    found = edits_of_services(LEFT, seen_with(master_cf=master_cf), {})
    assert [(each.root, each.path, each.name, each.found) for each in found] == [
        (ROOT, "master.cf", *each) for each in expected
    ]
    assert all(each.words.startswith(f"service {each.name} is ") for each in found)


def test_what_others_have_set_as_it_is_declared_now_and_a_run_that_was_cut_off_are_no_edits() -> None:
    """The stamp of the mark is that of the last run; with none there is no mark to ask."""
    changed = MAIN_CF.replace("= no", "= yes"), MASTER_CF.replace("=may", "=none")
    wanted = {"biff": "yes", "smtp/inet": "smtpd -o smtpd_tls_security_level=none"}
    for stamp, count in (("run 1", 1), ("", 1), ("run 2", 0)):
        seen = seen_with(*changed, stamp=stamp)
        for edits in (edits_of_parameters, edits_of_services):
            assert len(edits(LEFT, seen, {})) == count
            assert edits(LEFT, seen, wanted) == []
    nothing = Seen(root=ROOT, present={})
    assert [each.name for each in edits_of_parameters(LEFT, nothing, {})] == ["biff", "relayhost"]
    assert [each.name for each in edits_of_services(LEFT, nothing, {})] == ["ours/unix", "smtp/inet"]
    unread = Left(deployed=DEPLOYED)  # what an earlier version has left, which did not note values
    assert edits_of_parameters(unread, nothing, {}) == edits_of_services(unread, nothing, {}) == []


def test_a_file_is_one_sentence_with_ten_changes_at_most() -> None:
    """And how many more there are."""
    edits = [Edit(ROOT, "rows", str(number), None, f"row {number} is gone") for number in range(11)]
    for count, end in ((1, "row 0 is gone"), (10, "row 9 is gone"), (11, "row 9 is gone; and 1 more")):
        (sentence,) = sentences_of_edits("mx1", edits[:count])
        assert sentence.startswith(f"mx1: {ROOT}/rows was changed or removed by somebody else: row 0 is gone")
        assert sentence.endswith(end)
        assert sentence.count("; ") == min(count, 11) - 1
    assert len(sentences_of_edits("mx1", [*edits, Edit(ROOT, "main.cf", "", None, "it is gone")])) == 2


def test_values_are_read_back_as_they_were_found() -> None:
    """Those of the one file; a change of the file itself names no value."""
    edits = [
        Edit(ROOT, "main.cf", "biff", "yes", ""),
        Edit(ROOT, "main.cf", "relayhost", None, ""),
        Edit(ROOT, "main.cf", "absent", None, ""),
        Edit(ROOT, "main.cf", "", "digest", ""),
        Edit(ROOT, "rows", "other", "x", ""),
        Edit(ROOT, "rows", "kept", None, ""),
    ]
    before = {"biff": "no", "relayhost": "x", "kept": "y"}
    assert with_found(before, "main.cf", edits) == {"biff": "yes", "kept": "y"}
    assert before == {"biff": "no", "relayhost": "x", "kept": "y"}
