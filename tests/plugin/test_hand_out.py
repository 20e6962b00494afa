"""Files for persons in a directory, over gRPC and on a real file system."""

import base64
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pki.hand_out.mail_text import mail_text
from pki.hand_out.records import MailFacts
from postseal_core.files.tree import FileEntry, manifest
from postseal_core.records import decode
from tests.support.plugin_runs import PluginRuns
from tests.support.provider import UNKNOWN, Resource, Secret
from tests.support.resource_properties import key_pem


@cache
def key() -> str:
    """Return a key in PEM."""
    return key_pem("alice")


@pytest.fixture
def hand_out(plugin: PluginRuns) -> Resource:
    """Return a hand-out that does not exist yet."""
    return plugin.resource("HandOut", "clients")


def declared(directory: Path, *names: str, generation: int = 1, **folders: Any) -> dict[str, Any]:
    """Return a hand-out of the roots, and of a key, a certificate and an archive for each person."""
    given: dict[str, Any] = {"ca": {"ca.pem": {"text": "the root"}}}
    descriptions = {"ca": "roots: mail-ca"}
    for name in names:
        given[f"clients/{name}"] = {
            f"{name}.cert.pem": {"text": f"certificate {generation} of {name}"},
            f"{name}.key.pem": {"text": Secret(key()), "is_secret": True},
            f"{name}.p12": {"base64": Secret(base64.b64encode(b"\x00archive\xff").decode()), "is_secret": True},
        }
        descriptions[f"clients/{name}"] = f"generation {generation}: certificate, key, archive"
    return {"directory": str(directory), "folders": given | folders, "descriptions": descriptions}


def files(directory: Path) -> dict[str, tuple[bytes, int]]:
    """Return content and mode of every file below a directory."""
    return {
        str(path.relative_to(directory)): (path.read_bytes(), path.stat().st_mode & 0o777)
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def test_everybody_finds_their_files_with_the_right_modes(
    plugin: PluginRuns, hand_out: Resource, tmp_path: Path
) -> None:
    """Keys and archives are for their owner only; text and binary content arrive as they are."""
    directory = tmp_path / "out"
    _, planned = plugin.preview(hand_out, declared(directory, "alice"))
    assert planned == {"directory": str(directory), "files": UNKNOWN}
    assert not directory.exists()
    plugin.up(hand_out, declared(directory, "alice"))
    assert files(directory) == {
        "ca/ca.pem": (b"the root", 0o644),
        "clients/alice/alice.cert.pem": (b"certificate 1 of alice", 0o644),
        "clients/alice/alice.key.pem": (key().encode(), 0o400),
        "clients/alice/alice.p12": (b"\x00archive\xff", 0o400),
    }
    assert plugin.up(hand_out, declared(directory, "alice")) == {}
    before = dict(hand_out.inputs), dict(hand_out.outputs)
    hand_out.refresh()
    assert (hand_out.inputs, hand_out.outputs) == before


def test_a_new_generation_shows_one_line_and_writes_one_folder(
    plugin: PluginRuns, hand_out: Resource, tmp_path: Path
) -> None:
    """The line explains the change, so no digest is shown; nobody else's files are touched."""
    plugin.up(hand_out, declared(tmp_path, "alice"))
    untouched = (tmp_path / "ca/ca.pem").stat().st_mtime_ns
    changes = plugin.up(hand_out, declared(tmp_path, "alice", generation=2))
    lines = "generation 2: certificate, key, archive; before: generation 1: certificate, key, archive"
    assert changes == {f'changes["{lines}"]': "add"}
    assert hand_out.inputs["changes"] == {lines: "clients/alice"}
    assert (tmp_path / "clients/alice/alice.cert.pem").read_text() == "certificate 2 of alice"
    assert (tmp_path / "ca/ca.pem").stat().st_mtime_ns == untouched


def test_content_that_changes_without_its_line_is_told_as_written_anew(
    plugin: PluginRuns, hand_out: Resource, tmp_path: Path
) -> None:
    """A reviewer sees that something changes even where the description says the same."""
    plugin.up(hand_out, declared(tmp_path, "alice"))
    changes = plugin.up(hand_out, declared(tmp_path, "alice", ca={"ca.pem": {"text": "another root"}}))
    assert changes == {'changes["written anew: roots: mail-ca"]': "add"}


def test_content_that_is_not_known_yet_is_shown_by_its_folder(
    plugin: PluginRuns, hand_out: Resource, tmp_path: Path
) -> None:
    """In a preview with a certificate still to come, the folder's content is unknown and nothing is written."""
    plugin.up(hand_out, declared(tmp_path, "alice"))
    coming = declared(tmp_path, "alice", ca={"ca.pem": {"text": UNKNOWN}})
    changes, _ = plugin.preview(hand_out, coming)
    assert changes == {'changes["written anew: roots: mail-ca"]': "add"}
    assert (tmp_path / "ca/ca.pem").read_text() == "the root"


def test_who_leaves_loses_their_files_and_nothing_else_goes(
    plugin: PluginRuns, hand_out: Resource, tmp_path: Path
) -> None:
    """Files of ours that are no longer declared are removed, files of others stay, and so does their directory."""
    plugin.up(hand_out, declared(tmp_path, "alice", "bob"))
    (tmp_path / "clients/alice/notes.txt").write_text("mine")
    changes = plugin.up(hand_out, declared(tmp_path))
    assert changes == {'changes["will be removed"]': "add"}
    assert hand_out.inputs["changes"] == {"will be removed": "2 in all: clients/alice, clients/bob"}
    assert files(tmp_path).keys() == {"ca/ca.pem", "clients/alice/notes.txt"}
    assert not (tmp_path / "clients/bob").exists()


def test_a_moved_directory_is_written_there_and_emptied_here(
    plugin: PluginRuns, hand_out: Resource, tmp_path: Path
) -> None:
    """Everything of ours moves; what others put into the old directory stays."""
    old, new = tmp_path / "old", tmp_path / "new"
    plugin.up(hand_out, declared(old, "alice"))
    (old / "notes.txt").write_text("mine")
    assert plugin.preview(hand_out, declared(new, "alice"))[0] == {"directory": "update"}
    assert not new.exists()
    plugin.up(hand_out, declared(new, "alice"))
    assert files(new).keys() >= {"ca/ca.pem", "clients/alice/alice.key.pem"}
    assert files(old).keys() == {"notes.txt"}
    plugin.up(hand_out, declared(new, "alice", "bob"))
    hand_out.delete()
    assert files(new) == {}


def test_what_somebody_changed_or_removed_is_noticed_and_put_right(
    plugin: PluginRuns, hand_out: Resource, tmp_path: Path
) -> None:
    """A run that would change nothing else repairs the files and says which."""
    plugin.up(hand_out, declared(tmp_path, "alice"))
    right = files(tmp_path)
    (tmp_path / "ca/ca.pem").write_text("forged")
    (tmp_path / "clients/alice/alice.p12").unlink()
    assert plugin.up(hand_out, declared(tmp_path, "alice")) == {"changed_outside": "update"}
    assert files(tmp_path) == right
    said = "changed or removed by somebody else; as declared again"
    assert f"ca/ca.pem and 1 more {said}" in plugin.lines
    (tmp_path / "ca/ca.pem").write_text("forged")
    plugin.up(hand_out, declared(tmp_path, "alice"))
    assert f"ca/ca.pem {said}" in plugin.lines
    assert plugin.up(hand_out, declared(tmp_path, "alice")) == {}


@pytest.mark.parametrize("name", ["../escape", "/etc/passwd", "a//b", ""])
def test_a_path_that_leaves_the_directory_is_refused_before_anything_is_written(
    plugin: PluginRuns, hand_out: Resource, tmp_path: Path, name: str
) -> None:
    """Folders and names stay below the directory."""
    bad = declared(tmp_path / "out", ca={name: {"text": "x"}})
    assert plugin.problems(hand_out, bad)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ({}, "expected exactly one of `text`, `base64` and `mail`"),
        ({"text": "x", "base64": "eA=="}, "expected exactly one of `text`, `base64` and `mail`"),
        ({"text": "x", "mail": {"name": "alice"}}, "expected exactly one of `text`, `base64` and `mail`"),
        ({"text": UNKNOWN, "base64": "eA=="}, "expected exactly one of `text`, `base64` and `mail`"),
        ({"base64": Secret("no base64!")}, "got another text, expected base64 (RFC 4648 section 4)"),
    ],
)
def test_a_file_without_one_usable_content_is_refused_in_the_preview(
    plugin: PluginRuns, hand_out: Resource, tmp_path: Path, file: dict[str, Any], said: str
) -> None:
    """Before anything is written, and without a word of what stands in it."""
    plugin.hidden.add("no base64!")
    bad = declared(tmp_path / "out", "alice", ca={"ca.pem": file, "other.pem": file})
    problems = plugin.problems(hand_out, bad)
    assert [problem.partition(":")[0].removesuffix(".base64") for problem in problems] == [
        "folders.ca.ca.pem",
        "folders.ca.other.pem",
    ]
    assert all(problem.endswith(said) for problem in problems)


def test_an_empty_file_is_a_file(plugin: PluginRuns, hand_out: Resource, tmp_path: Path) -> None:
    """Whether its content is empty text or the base64 of nothing."""
    plugin.up(hand_out, declared(tmp_path, ca={"a.pem": {"text": ""}, "b.pem": {"base64": ""}}))
    assert files(tmp_path) == {"ca/a.pem": (b"", 0o644), "ca/b.pem": (b"", 0o644)}
    assert plugin.up(hand_out, declared(tmp_path, ca={"a.pem": {"text": ""}, "b.pem": {"base64": ""}})) == {}


def test_content_is_unknown_folder_by_folder(plugin: PluginRuns, hand_out: Resource, tmp_path: Path) -> None:
    """One certificate that is still to come does not hide what happens to the others."""
    plugin.up(hand_out, declared(tmp_path, "alice", "bob"))
    plugin.start_run()
    checked = hand_out.check(declared(tmp_path, "alice", "bob", ca={"ca.pem": {"text": UNKNOWN}}))
    known = dict(hand_out.inputs["content"])
    assert checked["content"] == known | {"ca": UNKNOWN}


def test_a_directory_that_cannot_be_written_is_one_sentence(
    plugin: PluginRuns, hand_out: Resource, tmp_path: Path
) -> None:
    """What is in the way is named."""
    (tmp_path / "out").write_text("a file, not a directory")
    checked = hand_out.check(declared(tmp_path / "out", "alice"))
    sentence = plugin.refusal(hand_out.apply, checked)
    assert str(tmp_path / "out") in sentence
    assert "internal error" not in sentence


def test_a_directory_that_is_only_written_differently_keeps_its_files(
    plugin: PluginRuns, hand_out: Resource, tmp_path: Path
) -> None:
    """Another spelling of the same directory is no move: what is written to it must not be removed as left behind."""
    plugin.up(hand_out, declared(tmp_path / "out", "alice"))
    before = files(tmp_path)
    assert plugin.up(hand_out, declared(tmp_path / "other/../out", "alice")) == {"directory": "update"}
    assert files(tmp_path) == before


def test_folders_that_move_to_another_hand_out_in_the_same_directory_stay(
    plugin: PluginRuns, hand_out: Resource, tmp_path: Path
) -> None:
    """Whichever of the two is written first, nobody's files are removed by the one that gives them up."""
    plugin.up(hand_out, declared(tmp_path, "alice", "bob"))
    before = files(tmp_path)
    heir = plugin.resource("HandOut", "heir")
    plugin.start_run()
    checked, inherited = hand_out.check(declared(tmp_path, "bob")), heir.check(declared(tmp_path, "alice"))
    heir.apply(inherited)
    hand_out.apply(checked)
    assert files(tmp_path) == before
    hand_out.delete()
    assert files(tmp_path).keys() == {path for path in before if "bob" not in path}


def test_a_file_of_others_stops_the_first_preview_unless_it_is_taken_over(
    plugin: PluginRuns, hand_out: Resource, tmp_path: Path
) -> None:
    """Also while its content is still to come; once it is taken over, it comes back with the hand-out's end."""
    directory = tmp_path / "out"
    (directory / "ca").mkdir(parents=True)
    (directory / "ca/ca.pem").write_text("somebody else's")
    coming = declared(directory, "alice", ca={"ca.pem": {"text": UNKNOWN}})
    plugin.start_run()
    sentence = plugin.refusal(hand_out.plan, hand_out.check(coming))
    assert f"{directory}/ca/ca.pem: a file that is not ours" in sentence
    assert "take_over: [ca/ca.pem]" in sentence
    take_over = {"take_over": ["ca/ca.pem"]}
    plugin.preview(hand_out, coming | take_over)
    assert "is not ours and is taken over" in plugin.lines[-1]
    plugin.up(hand_out, declared(directory, "alice") | take_over)
    assert hand_out.inputs["take_over"] == ["ca/ca.pem"]
    assert plugin.up(hand_out, declared(directory, "alice") | take_over) == {}
    hand_out.delete()
    assert files(directory) == {"ca/ca.pem": (b"somebody else's", 0o644)}


def test_a_name_to_take_over_that_is_not_written_is_a_mistake(
    plugin: PluginRuns, hand_out: Resource, tmp_path: Path
) -> None:
    """A misspelt name would leave the reader in the belief that a file is replaced, or kept."""
    (problem,) = plugin.problems(hand_out, declared(tmp_path) | {"take_over": ["ca.pem"]})
    assert problem.startswith("take_over: got 'ca.pem', name files that are written there, as ca/ca.pem")


def test_a_request_to_delete_removes_only_what_the_mark_proves(
    plugin: PluginRuns, hand_out: Resource, tmp_path: Path
) -> None:
    """Delete comes without a Check: a made-up state with right digests, or another directory, removes nothing."""
    place = tmp_path / "etc"
    place.mkdir()
    (place / "passwd").write_text("root")
    passwd = FileEntry("passwd", b"root", 0o644)
    (place / "passwd").chmod(0o644)
    hand_out.id, hand_out.outputs = str(place), {"directory": str(place), "files": manifest([passwd])}
    hand_out.delete()
    assert files(place) == {"passwd": (b"root", 0o644)}
    assert any(f"{place}/passwd is left there" in line for line in plugin.lines)
    plugin.up(hand_out, declared(place, "alice"))
    hand_out.outputs["files"] |= manifest([passwd])
    hand_out.delete()
    assert files(place) == {"passwd": (b"root", 0o644)}


@pytest.mark.needs_root
def test_a_directory_that_others_can_write_to_is_refused_in_the_preview(
    plugin: PluginRuns, hand_out: Resource, tmp_path: Path
) -> None:
    """Keys of clients would lie where anybody could exchange them; the same directory, closed, is well."""
    directory = tmp_path / "out"
    directory.mkdir()
    directory.chmod(0o777)
    (problem,) = plugin.problems(hand_out, declared(directory, "alice"))
    assert problem.startswith("directory: ")
    assert "chmod o-w" in problem
    directory.chmod(0o755)
    plugin.up(hand_out, declared(directory, "alice"))


FACTS = {
    "name": "alice",
    "relays": ["mx1.example.org"],
    "not_after": "2027-11-26T01:00:00Z",
    "renew_at": "2027-07-27T09:00:00Z",
    "fingerprint_sha256": "AB:CD",
}


def test_a_text_for_the_holder_lies_beside_the_archive(
    plugin: PluginRuns, hand_out: Resource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made anew when its facts change, and not because a later version has other words for them."""
    directory = tmp_path / "out"
    plugin.up(hand_out, declared(directory, ca={"alice.txt": {"mail": FACTS}}))
    text = directory / "ca/alice.txt"
    assert text.read_text("utf-8") == mail_text(decode(MailFacts, FACTS))
    assert text.stat().st_mode & 0o777 == 0o644
    monkeypatch.setattr("pki.hand_out.handler.mail_text", lambda facts: f"other words for {facts.name}")
    assert plugin.up(hand_out, declared(directory, ca={"alice.txt": {"mail": FACTS}})) == {}
    assert text.read_text("utf-8").startswith("Your mail certificate: alice")
    renewed = FACTS | {"not_after": "2028-11-26T01:00:00Z"}
    assert plugin.up(hand_out, declared(directory, ca={"alice.txt": {"mail": renewed}})) != {}
    assert text.read_text("utf-8") == "other words for alice"


@pytest.mark.parametrize("fact", ["not_after", "renew_at", "fingerprint_sha256"])
def test_a_text_of_a_certificate_that_is_still_to_be_issued_is_unknown(
    plugin: PluginRuns, hand_out: Resource, tmp_path: Path, fact: str
) -> None:
    """As the archive beside it, in a preview."""
    plugin.up(hand_out, declared(tmp_path, ca={"alice.txt": {"mail": FACTS}}))
    checked = hand_out.check(declared(tmp_path, ca={"alice.txt": {"mail": FACTS | {fact: UNKNOWN}}}))
    assert checked["content"]["ca"] == UNKNOWN
