"""The command `postseal audit`: what it reads of a directory, what it writes, and how it ends."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

import postseal.audit.gathering
from postseal.audit.files import FileReader, complaint_about, is_of_root_alone
from postseal.cli import main
from tests.support.audited_hosts import AUTHORITY, MAIN_CF, MASTER_CF, SERVER, row_of

COPY = ["--copy-of", "/etc/postfix"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Lay down a copy of a host in which nothing is wrong, with its key."""
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls/mx1.pem").write_text(SERVER.chain_pem)
    (tmp_path / "clients").write_text(row_of())
    (tmp_path / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in MAIN_CF.items()))
    (tmp_path / "master.cf").write_text(MASTER_CF)
    for path in tmp_path.iterdir():
        # Postfix waits until a main.cf is two seconds old.
        os.utime(path, (1_700_000_000, 1_700_000_000))
    return tmp_path


@pytest.fixture(params=["postconf", "no postconf"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Read with the postconf of this machine, if there is one, and with our own reader."""
    if request.param == "no postconf":
        monkeypatch.setattr(postseal.audit.gathering, "program", lambda _: None)
    return str(request.param)


def audit(directory: Path, *options: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, str]]]:
    """Run the command for JSON; return its exit code and the findings."""
    code = main(["audit", str(directory), "--format", "json", *options])
    document = json.loads(capsys.readouterr().out)
    assert document["exit_code"] == code
    return code, document["findings"]


def test_a_copy_says_what_it_has_not_seen(directory: Path, reader: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing else is found, and that alone is no exit code 0."""
    code, findings = audit(directory, *COPY, capsys=capsys)
    assert code == 1
    assert {each["kind"] for each in findings} == {"not-seen"}


@pytest.mark.parametrize("name", ["main.cf", "master.cf"])
def test_a_link_out_of_a_copy_is_not_read(
    name: str, directory: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    """A copy may be a stranger's, and root may read everything; a link within it is the control."""
    outside = tmp_path_factory.mktemp("outside") / "shadow"
    outside.write_text("root:secret:\n")
    (directory / name).rename(directory / "other")
    (directory / name).symlink_to("other")
    assert audit(directory, *COPY, capsys=capsys)[0] == 1
    (directory / name).unlink()
    (directory / name).symlink_to(outside)
    assert main(["audit", str(directory), *COPY]) == 3
    said = capsys.readouterr()
    assert f"{directory}/{name} is a link that leads out of the copy" in said.err
    assert "secret" not in said.out + said.err


@pytest.mark.parametrize(
    ("name", "change", "kind", "code"),
    [
        ("main.cf", lambda text: f"{text}mynetworks = 0.0.0.0/0\n", "open-relay", 2),
        ("main.cf", lambda text: text.replace("sha256", "sha1"), "weak-digest", 2),
        ("main.cf", lambda text: f"{text}nonsense\n", "unusable", 2),
        ("master.cf", lambda _: "", "not-seen", 1),
        ("clients", lambda text: text.replace(":", ""), "rows-never-match", 2),
        ("tls/mx1.pem", lambda text: text.partition("-----BEGIN CERT")[0], "no-tls", 2),
        ("main.cf", lambda text: f"{text}smtpd_tls_req_ccert = yes\n", "required-in-vain", 1),
    ],
)
def test_files_are_read(
    name: str,
    change: Callable[[str], str],
    kind: str,
    code: int,
    directory: Path,
    reader: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Both ways of reading find the same."""
    (directory / name).write_text(change((directory / name).read_text()))
    os.utime(directory / name, (1_700_000_000, 1_700_000_000))
    found, findings = audit(directory, *COPY, capsys=capsys)
    assert kind in {each["kind"] for each in findings}
    assert found == code


def test_text_names_place_reason_and_remedy(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the words of the host's own files; no key is shown."""
    (directory / "main.cf").write_text((directory / "main.cf").read_text() + "mynetworks = 0.0.0.0/0\n")
    assert main(["audit", str(directory), *COPY]) == 2
    out = capsys.readouterr().out
    assert out.startswith("error        /etc/postfix/")
    assert "[open-relay]\n             why: anybody can send mail" in out
    assert "\n             fix: name your own networks" in out
    assert out.endswith("\n")
    assert "PRIVATE" not in out
    assert not {*SERVER.private_key_pem.splitlines()[1:-1]} & {*out.split()}


def test_the_date_can_be_another(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As of a day on which the certificate has ended."""
    _, findings = audit(directory, *COPY, "--at", "2090-01-01", capsys=capsys)
    assert "certificate-expired" in {each["kind"] for each in findings}


@pytest.mark.parametrize("kind", ["absent", "a directory", "a pipe", "a file", "too large"])
def test_a_place_without_main_cf_is_wrong_usage(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, exit code 3, and no wait for a pipe."""
    if kind == "a directory":
        (tmp_path / "main.cf").mkdir()
    elif kind == "a pipe":
        os.mkfifo(tmp_path / "main.cf")
    elif kind == "too large":
        (tmp_path / "main.cf").write_bytes(b"#" * 5_000_000)
    place = tmp_path / "main.cf" if kind == "a file" else tmp_path
    assert main(["audit", str(place)]) == 3
    error = capsys.readouterr().err
    assert error.startswith(f"postseal: {place}/main.cf ")
    assert len(error.splitlines()) == 1


def test_any_bytes_and_links_are_read(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Links that lead out of a copy or in a ring, bytes that are no text, and pipes in place of certificates."""
    (directory / "main.cf").write_bytes((directory / "main.cf").read_bytes() + b"smtpd_banner = \xff\x1b[31m\n")
    (directory / "tls/mx1.pem").unlink()
    (directory / "tls/mx1.pem").symlink_to("/etc/passwd")
    (directory / "ring.pem").symlink_to("ring.pem")
    os.mkfifo(directory / "pipe.pem")
    _, findings = audit(directory, *COPY, capsys=capsys)
    assert "files-unseen" in {each["kind"] for each in findings}
    assert not any("root:" in str(each) for each in findings)


def test_who_else_may_write_is_told(tmp_path: Path) -> None:
    """A sticky directory above does no harm; a file for all, and one of another user, do."""
    path = tmp_path / "main.cf"
    path.write_text("")
    path.chmod(0o666)
    wrong = complaint_about(path)
    path.chmod(0o644)
    if os.geteuid() == 0:
        assert "mode 0666" in wrong
        assert complaint_about(path) == ""
        assert is_of_root_alone(tmp_path)
        os.chown(path, 12345, -1)
        assert complaint_about(path) == "it belongs to user 12345, not to root"
    else:
        assert "not to root" in wrong
        assert not is_of_root_alone(tmp_path)
    assert complaint_about(tmp_path / "absent") == ""


def test_a_key_behind_a_closed_door_is_not_open(tmp_path: Path) -> None:
    """Its mode alone does not say who reads it."""
    door = tmp_path / "tls"
    door.mkdir(mode=0o700)
    key = door / "key.pem"
    key.write_text(SERVER.chain_pem)
    key.chmod(0o644)
    reader = FileReader(tmp_path, str(tmp_path), is_copy=False)
    assert not reader.file(str(key)).is_open
    assert AUTHORITY.private_key_pem not in reader.file(str(key)).pem
