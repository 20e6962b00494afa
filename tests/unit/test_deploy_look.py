"""The verbs `look`, `mark` and the question `values` of the host program: the program itself answers, locally."""

import hashlib
import os
import subprocess
import tempfile
from base64 import b64decode
from pathlib import Path

import pytest

from postfix.deploy.bundle import request
from postfix.deploy.foresight_form import archive_of_values
from postfix.deploy.host_program import earlier_states
from postfix.deploy.look_form import Look, Seen, read_look, read_values, request_of_look, request_of_mark
from postfix.deploy.program import program_path
from postfix.deploy.program_result import End, failure_of, read_result
from postfix.deploy.sessions.local import LocalSession
from postfix.public_file import FAULTS
from postseal_core.errors import DeployError
from postseal_core.files.tree import MARK_FILE
from tests.support.test_authority import ThrowAwayAuthority

pytestmark = [pytest.mark.needs_postfix, pytest.mark.needs_openssl, pytest.mark.takes_long]

SECONDS = 5.0
"""Many times as long as any look here takes."""
AUTHORITY = ThrowAwayAuthority()
SERVER = AUTHORITY.issue_server("mx1.example.org")


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """Return a configuration directory with what stands in one."""
    (tmp_path / "conf/tls").mkdir(parents=True)
    conf = tmp_path / "conf"
    (conf / "main.cf").write_bytes(b"# \xff\nmyhostname = mx1.example.org\n")
    (conf / "main.cf").chmod(0o640)
    (conf / "clients").write_bytes(b"")
    (conf / "secret").write_bytes(b"password")
    (conf / "secret").chmod(0o600)
    (conf / "tls/mx1.pem").write_text(SERVER.chain_pem)
    (conf / "tls/mx1.pem").chmod(0o604)
    (conf / "tls/link").symlink_to("mx1.pem")
    return conf


def answer(said: bytes) -> bytes:
    """Return what the program prints."""
    environment = {"PATH": LocalSession.search_path}
    ended = subprocess.run(
        ["/bin/sh", program_path()], input=said, capture_output=True, check=False, env=environment, timeout=SECONDS
    )
    return ended.stdout


def looked(conf: Path, **asked: tuple[str, ...]) -> Seen:
    """Return what a look says."""
    return read_look(answer(request_of_look(str(conf), Look(place="c", **asked))), str(conf))


def test_digests_are_those_of_a_local_session(conf: Path) -> None:
    """Files, links, directories, what is not there, and what belongs to somebody else."""
    os.lchown(conf / "clients", 4242, 4242)
    paths = ("./", "main.cf", "clients", "secret", "tls/", "tls/mx1.pem", "tls/link", "none", "none/", "none/x")
    assert looked(conf, paths=paths).present == LocalSession(conf).present(paths)


def test_what_may_be_read_is_read_byte_for_byte(conf: Path) -> None:
    """main.cf whatever its mode, a file that everybody may read, and an empty one."""
    local = LocalSession(conf)
    found = looked(conf, texts=("main.cf", "clients"))
    assert found.files == {path: local.read(path) for path in ("main.cf", "clients")}
    assert found.unread == {}


def test_neither_a_key_nor_what_is_private_leaves_the_host(conf: Path) -> None:
    """Also a key that everybody may read, and one that stands in main.cf."""
    (conf / "master.cf").write_text(SERVER.private_key_pem)
    output = answer(request_of_look(str(conf), Look(place="c", texts=("secret", "tls/mx1.pem", "master.cf"))))
    found = read_look(output, str(conf))
    assert found.files == {}
    assert found.unread.keys() == {"secret", "tls/mx1.pem", "master.cf"}
    assert found.present == LocalSession(conf).present(found.present)
    assert not any(line.encode() in output for line in SERVER.private_key_pem.splitlines()[1:-1])


@pytest.mark.parametrize("path", ["../outside", "tls/../../outside", ".."])
def test_a_path_that_leads_out_of_the_place_is_refused(conf: Path, path: str) -> None:
    """Whatever stands there."""
    (conf.parent / "outside").write_text("x")
    with pytest.raises(DeployError, match="leads out of its place"):
        looked(conf, texts=(path,))


def test_a_link_on_the_way_is_not_followed(conf: Path) -> None:
    """As a local session refuses it."""
    (conf / "way").symlink_to("/etc")
    with pytest.raises(DeployError, match="symbolic link"):
        looked(conf, texts=("way/passwd",))
    with pytest.raises(DeployError, match="symbolic link"):
        looked(conf, directories=("way/",))
    with pytest.raises(DeployError):
        LocalSession(conf).present(["way/passwd"])


@pytest.mark.parametrize("name", ["way", "w*y", "[w]ay"])
def test_a_link_is_seen_beside_directories_that_are_known_already(conf: Path, name: str) -> None:
    """What was looked at before lies beside it, below it by name, or is meant by it as a pattern."""
    (conf / name).symlink_to("/etc")
    before = ("wayside/file", "wxy/deep/file", "deep/er/file")
    with pytest.raises(DeployError, match="symbolic link"):
        looked(conf, paths=(*before, f"{name}/passwd"))
    (conf / "deep").mkdir()
    (conf / "deep" / name).symlink_to("/etc")
    with pytest.raises(DeployError, match="symbolic link"):
        looked(conf, paths=(*before, f"deep/{name}/passwd"))


def test_a_directory_of_another_user_is_seen_below_one_that_is_known_already(conf: Path) -> None:
    """Each directory on the way is looked at, and each once."""
    (conf / "tls/theirs").mkdir()
    os.chown(conf / "tls/theirs", 4242, 4242)
    with pytest.raises(DeployError, match="tls/theirs belongs to somebody else than root"):
        looked(conf, paths=("tls/mx1.pem", "tls/theirs/file"))


def test_names_with_what_separates_records_are_one_record_each(conf: Path) -> None:
    """All others are as they are."""
    for name in ("a b;", "x\ty", "two\nlines", "-n", "back\\slash"):
        (conf / "tls" / name).touch()
    assert {*looked(conf, directories=("tls/",)).names["tls/"]} >= {"a b;", "x y", "two;lines", "-n", "back\\slash"}


def test_a_path_of_many_directories_takes_no_long_look(conf: Path) -> None:
    """Nothing that is longer can be there, and no path is none."""
    deep = "a/" * 1900 + "file"
    assert looked(conf, paths=(deep, f"{deep}s")).present == {}
    with pytest.raises(DeployError, match="no path has more than 4095 bytes"):
        looked(conf, paths=("a/" * 3000 + "file",))
    with pytest.raises(DeployError, match="a path is empty"):
        looked(conf, paths=("",))


def test_private_files_of_a_directory_that_is_no_place_of_postfix_have_no_digest(tmp_path: Path) -> None:
    """A digest would answer whether somebody has guessed what is in them."""
    (tmp_path / "shadow").write_text("x")
    (tmp_path / "shadow").chmod(0o600)
    assert looked(tmp_path, paths=("shadow",)).present == {"shadow": "other"}


def test_a_directory_that_is_not_there_is_none(tmp_path: Path) -> None:
    """No error: nothing of ours can be there."""
    assert looked(tmp_path / "none", paths=("./", "main.cf"), texts=("master.cf",)).present == {}


def test_half_a_question_is_no_answer(conf: Path) -> None:
    """The connection may end anywhere."""
    said = request_of_look(str(conf), Look(place="c", paths=("./", "main.cf")))
    for end in (len(said) // 2, len(said) - len("done\n")):
        with pytest.raises(DeployError):
            read_look(answer(said[:end]), str(conf))


def test_a_directory_is_listed(conf: Path) -> None:
    """Hidden names as well; one that is not there holds nothing."""
    (conf / ".hidden").touch()
    assert looked(conf, directories=("./", "none/")).names == {
        "./": sorted([".hidden", "clients", "main.cf", "secret", "tls"])
    }


PEM = {
    "chain": SERVER.chain_pem,
    "crlf": SERVER.chain_pem.replace("\n", "\r\n"),
    "key only": SERVER.private_key_pem,
    "endless": SERVER.chain_pem[:-40],
    "a key before the end": SERVER.chain_pem.replace("-----END CERTIFICATE-----\n", "", 1) + SERVER.chain_pem,
    "a key after an end that is missing": "-----BEGIN CERTIFICATE-----\nMIIB\n" + SERVER.chain_pem,
    "nothing": "no PEM at all\n",
    "public key": "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n",
    "broken key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    "locked": "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    "words around": f"Bag Attributes\n{SERVER.chain_pem}after\n",
}


@pytest.mark.parametrize("pem", PEM.values(), ids=PEM)
@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_pem_file_is_told_as_a_local_session_tells_it(conf: Path, pem: str, mode: int) -> None:
    """Certificates as they are, public halves in place of keys, and the same words for what is wrong."""
    path = conf / "tls/asked.pem"
    path.write_text(pem, newline="")
    path.chmod(mode)
    output = answer(request_of_look(str(conf), Look(place="c", pem_files=(str(path),))))
    found, expected = read_look(output, str(conf)).pem_files[str(path)], LocalSession(conf).read_public(str(path))
    if pem == PEM["locked"]:
        # What is locked and broken has both faults.
        assert found.fault in (FAULTS["locked"], FAULTS["unreadable"])
    else:
        assert (found.fault, found.is_open) == (expected.fault, expected.is_open)
        assert "".join(found.pem.split()) == "".join(expected.pem.split())
    told = output + b64decode(output.split(b"\t")[-2].strip(b"=") + b"==") + expected.pem.encode()
    assert not any(line.encode() in told for line in SERVER.private_key_pem.splitlines()[1:-1])


def test_other_pem_files_have_the_same_words_as_here(conf: Path) -> None:
    """Nothing there, a directory, one that is too large, and a link that is followed as Postfix follows it."""
    (conf / "large.pem").write_bytes(b"x" * (2 * 2**20 + 1))
    paths = tuple(str(conf / each) for each in ("none", "tls", "large.pem", "tls/link"))
    found = looked(conf, pem_files=paths).pem_files
    for path in paths:
        here = LocalSession(conf).read_public(path)
        assert (found[path].fault, found[path].is_open) == (here.fault, here.is_open)


@pytest.mark.parametrize("configuration", [{}, {"main.cf": b"myhostname = other\nmail_name = $config_directory/x\n"}])
def test_parameters_are_those_of_postconf(conf: Path, configuration: dict[str, bytes]) -> None:
    """Of the main.cf that is there, and of one that is to be, under the name of the directory that it is for."""
    names = ("myhostname", "mail_name", "queue_directory")
    said = request("foresee", str(conf), "-", archive_of_values(configuration, names))
    found = read_values(answer(said), str(conf), configuration)
    assert found == LocalSession(conf).parameters(names, configuration)
    assert found["myhostname"] == ("other" if configuration else "mx1.example.org")


@pytest.mark.parametrize("name", ["-n", "a b", "$(id)", "A"])
def test_what_is_no_name_of_a_parameter_is_not_asked(conf: Path, name: str) -> None:
    """It would be an option of postconf."""
    said = request("foresee", str(conf), "-", archive_of_values({}, (name,)))
    with pytest.raises(DeployError, match="does not tell the parameters"):
        read_values(answer(said), str(conf), {})


@pytest.mark.needs_root
def test_earlier_states_that_cannot_be_seen_are_an_error_and_not_none(conf: Path) -> None:
    """To another user than root, and where the directory is not there; to root there are none."""
    asked = request("inspect", str(conf), "-")
    (conf / ".postseal").mkdir(mode=0o700)
    assert failure_of(read_result(answer(asked).decode()), str(conf)) is None
    with tempfile.TemporaryDirectory() as place:
        # Where another user can see that there is something.
        Path(place).chmod(0o755)
        (Path(place) / ".postseal").mkdir(mode=0o700)
        program = Path(place, "program")
        program.write_text(Path(program_path()).read_text())
        program.chmod(0o644)
        told = subprocess.run(
            ["/bin/sh", program], input=request("inspect", place, "-"), capture_output=True, check=False, user=4242
        )
    assert "only root" in str(failure_of(read_result(told.stdout.decode()), place))
    with pytest.raises(DeployError, match="there is no directory"):
        earlier_states(LocalSession(conf / "none"))


def test_the_mark_is_written_and_removed_and_nothing_else(conf: Path) -> None:
    """Private, whole or not at all."""
    before = {path.name for path in conf.iterdir()}
    content = b'{"format": 1}\n'
    digest = hashlib.sha256(content).hexdigest()
    said = request_of_mark(str(conf), "a" * 32, digest, "c", content)
    assert read_result(answer(said[:-3]).decode()).end is End.REFUSED
    assert {path.name for path in conf.iterdir()} == before
    assert read_result(answer(said).decode()).end is End.COMMITTED
    assert (conf / MARK_FILE).read_bytes() == content
    assert (conf / MARK_FILE).stat().st_mode & 0o777 == 0o600
    said = request_of_mark(str(conf), "b" * 32, hashlib.sha256(b"").hexdigest(), "c", b"")
    assert read_result(answer(said).decode()).end is End.COMMITTED
    assert {path.name for path in conf.iterdir()} == before
