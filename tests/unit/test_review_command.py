"""The command `postseal review`: options, exit codes, and what it never needs."""

import json
from pathlib import Path

import pytest
import yaml

from postseal.cli import main
from postseal_core.values import SECRET_SIGNATURE, SIGNATURE_KEY
from tests.support.stored_states import STATES, StoredStack

STORED = StoredStack(STATES / "1")
EXPORT = STATES / "1/export.json"
AT = (STATES / "1/clock").read_text().strip()


def run(*arguments: str) -> int:
    """Run the command; a usage error leaves through SystemExit."""
    try:
        return main(["review", *arguments])
    except SystemExit as leaving:
        return int(str(leaving.code))


def stack_file(place: Path, name: str, *, without: str = "") -> str:
    """Write the stored stack's file, perhaps without one client."""
    sections = STORED.sections
    if without:
        del sections["clients"][without]
        sections["hosts"]["mx1"]["relay_clients"].remove(without)
    config = {f"mail-pki:{key}": value for key, value in sections.items()}
    config["mail-pki:hosted-key"] = {"secure": "v1:AAAA"}
    (place / name).write_text(yaml.safe_dump({"config": config}))
    return str(place / name)


def test_nothing_changes_and_something_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit codes 0 and 1; the text goes to standard output or, whole, to a file."""
    old, new = stack_file(tmp_path, "old.yaml"), stack_file(tmp_path, "new.yaml", without="bob")
    assert run("--state", str(EXPORT), "--from", old, "--to", old, "--at", AT) == 0
    assert "**Nothing changes.**" in capsys.readouterr().out
    output = tmp_path / "review.md"
    assert run("--state", str(EXPORT), "--from", old, "--to", new, "--at", AT, "--output", str(output)) == 1
    assert capsys.readouterr().out == ""
    assert "- **May no longer relay:** bob on mx1\n" in output.read_text()


def test_what_up_would_refuse_has_an_exit_code_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All problems with their places in the stack file."""
    new = stack_file(tmp_path, "new.yaml")
    document = yaml.safe_load(Path(new).read_text())
    document["config"]["mail-pki:clients"]["alice"]["emial"] = "x"
    document["config"]["mail-pki:clients"]["bob"]["authority"] = "none"
    Path(new).write_text(yaml.safe_dump(document))
    assert run("--state", str(EXPORT), "--to", new, "--at", AT, "--format", "json") == 2
    paths = [each["path"] for each in json.loads(capsys.readouterr().out)["problems"]]
    assert paths == ["clients.alice.emial", "clients.bob.authority"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--state", "none.json", "--to", "x.yaml"), "cannot read none.json"),
        (("--state", str(EXPORT)), "--to: is missing"),
        (("--state", str(EXPORT), "--to", "none.yaml"), "--to: cannot read"),
        ((), "one of the arguments --state --blank is required"),
    ],
)
def test_wrong_usage_is_told_with_exit_code_3(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of every command here."""
    assert run(*arguments) == 3
    assert said in capsys.readouterr().err


def test_a_state_of_another_project_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its resources would all be deleted."""
    new = stack_file(tmp_path, "new.yaml")
    (tmp_path / "Pulumi.yaml").write_text("name: another\n")
    assert run("--state", str(EXPORT), "--to", new) == 3
    assert "belongs to the project another, and the state to mail-pki" in capsys.readouterr().err


def test_a_blanked_export_has_no_ciphertext_and_no_salt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing in it is worth a guess at the passphrase; the review is the same."""
    blank = tmp_path / "blank.json"
    assert run("--blank", str(EXPORT), "--output", str(blank)) == 0
    text = blank.read_text()
    assert "v1:" in EXPORT.read_text()
    assert [word for word in ("v1:", "salt", "PRIVATE KEY") if word in text] == []
    old, new = stack_file(tmp_path, "old.yaml"), stack_file(tmp_path, "new.yaml", without="bob")
    texts = []
    for state in (str(EXPORT), str(blank)):
        run("--state", state, "--from", old, "--to", new, "--at", AT)
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]


def test_a_stack_that_is_new_is_reviewed_from_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is stored yet, and there is no file before."""
    (tmp_path / "Pulumi.yaml").write_text("name: mail-pki\n")
    (tmp_path / "state.json").write_text('{"deployment": {}}')
    config = {
        "mail-pki:authority": {"common_name": "Example Mail CA"},
        "mail-pki:clients": {"alice": {"email": "alice@example.org"}},
        "mail-pki:hosts": {"mx1": {"myhostname": "mx1.example.org", "relay_clients": ["alice"]}},
    }
    (tmp_path / "Pulumi.prod.yaml").write_text(yaml.safe_dump({"config": config}))
    state, new = str(tmp_path / "state.json"), str(tmp_path / "Pulumi.prod.yaml")
    assert run("--state", state, "--to", new, "--at", "2026-11-27") == 1
    said = capsys.readouterr().out
    assert said.startswith("# mail-pki/prod: review at 2026-11-27 00:00")
    open_to = r"without any certificate 127.0.0.0/8 on mx1, \[::1\]/128 on mx1"
    assert f"- **May relay after this, not before:** {open_to}; alice on mx1\n" in said


def test_the_clock_of_a_stack_file_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A rehearsal's review is of the day that is rehearsed; elsewhere `up` refuses it, beside other mistakes."""
    new = stack_file(tmp_path, "new.yaml")
    text = Path(new).read_text() + "  postseal:clock: '2026-12-14T00:00:00Z'\n"
    Path(new).write_text(f"{text}  postseal:rehearsal: true\n")
    assert run("--state", str(EXPORT), "--from", new, "--to", new) == 1
    assert "review at 2026-12-14 00:00" in capsys.readouterr().out
    Path(new).write_text(f"{text}  postseal:rehearsal: false\n")
    assert run("--state", str(EXPORT), "--to", new) == 2
    assert "postseal:clock is set to 2026-12-14T00:00:00Z: previews" in capsys.readouterr().out
    Path(new).write_text(f"{text}  mail-pki:nothing: 1\n")
    assert run("--state", str(EXPORT), "--to", new, "--format", "json") == 2
    assert [each["path"] for each in json.loads(capsys.readouterr().out)["problems"]] == ["", "nothing"]


def test_a_state_that_another_version_wrote_is_told_and_not_guessed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A type that is not known here; inputs or outputs that are no mapping, also where they are a secret."""
    new = stack_file(tmp_path, "new.yaml")
    path = tmp_path / "state.json"
    for change, told in (
        ({"type": "postseal:index:RelayHost"}, "mx1: is of the type 'postseal:index:RelayHost', which this version"),
        ({"inputs": ["hush"]}, "PostfixHost::mx1.inputs: expected a mapping, got a list"),
        ({"outputs": "hush"}, "PostfixHost::mx1.outputs: expected a mapping, got a str"),
        ({"outputs": {SIGNATURE_KEY: SECRET_SIGNATURE, "ciphertext": "hush"}}, "expected a mapping"),
    ):
        state = json.loads(EXPORT.read_text())
        host = next(each for each in state["deployment"]["resources"] if each["urn"].endswith("PostfixHost::mx1"))
        host |= change
        path.write_text(json.dumps(state))
        assert run("--state", str(path), "--to", new, "--at", AT) == 3
        said = capsys.readouterr().err
        assert told in said
        assert "hush" not in said
