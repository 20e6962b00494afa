"""Every example is run as a user would run it, with the real engine, and does what its README says."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.engine import Result, Stack
from tests.support.judges import openssl_pkcs12_info
from tests.support.postfix_instance import Boot, Delivery, PostfixInstance
from tests.support.postfix_overlay import RECEIVING_SIDE, SENDING_SIDE
from tests.support.smtp_probe import probe
from tests.support.stacks import copy_example, custom_resources, handed_out, tree
from tests.support.test_authority import ThrowAwayAuthority

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_openssl]

FIRST, SECOND = "mx1.example.org", "mx2.example.org"


@dataclass(slots=True)
class Run:
    """An example from `up` to `destroy`; `kept` has a copy of its directory `out` by the name of a moment."""

    directory: Path
    stack: Stack
    results: dict[str, Result] = field(default_factory=dict)

    def keep(self, moment: str) -> Path:
        """Copy `out` as it is now."""
        shutil.copytree(self.stack.project / "out", self.kept(moment))
        return self.kept(moment)

    def kept(self, moment: str) -> Path:
        """Return the copy of a moment."""
        return self.directory / moment


def start(name: str, home: Path, directory: Path) -> Run:
    """Bring an example up, and see that a preview has nothing more to do."""
    run = Run(directory, Stack(copy_example(name, directory / name), directory / "backend", home).init())
    run.results["up"] = run.stack.up().expect_success()
    run.results["preview"] = run.stack.preview(expect_no_changes=True)
    run.keep("up")
    return run


def finish(run: Run) -> Run:
    """Take an example down."""
    run.results["destroy"] = run.stack.destroy()
    return run


@pytest.fixture(scope="module")
def three_persons(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run the example with the three persons."""
    run = start("relay-for-three-persons", engine_home, tmp_path_factory.mktemp("persons"))
    run.results["passphrase"] = run.stack.run("stack", "output", "alice_passphrase", "--show-secrets").expect_success()
    return finish(run)


@pytest.fixture(scope="module")
def two_hosts(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run the example with the two hosts."""
    return finish(start("two-hosts-that-relay", engine_home, tmp_path_factory.mktemp("hosts")))


def openssl(*arguments: str, directory: Path) -> None:
    """Run openssl in a directory."""
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True, timeout=60)


def third_party_answers(request: Path, directory: Path) -> dict[str, str]:
    """Let an authority made by openssl answer the request, once rightly and in two wrong ways."""
    directory.mkdir()
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl(
        "req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Public CA", directory=directory
    )
    openssl(
        "req",
        "-new",
        *new_key,
        "-keyout",
        "other.key",
        "-out",
        "other.csr",
        "-subj",
        f"/CN={FIRST}",
        directory=directory,
    )
    shutil.copy(request, directory / "ours.csr")
    cases = {"right": ("ours.csr", FIRST), "other key": ("other.csr", FIRST), "other name": ("ours.csr", SECOND)}
    return {case: _signed(directory, csr, name) for case, (csr, name) in cases.items()}


def _signed(directory: Path, csr: str, name: str) -> str:
    (directory / "extensions").write_text(
        f"subjectAltName=DNS:{name}\nextendedKeyUsage=serverAuth\nkeyUsage=critical,digitalSignature\n"
        "basicConstraints=critical,CA:FALSE\n"
    )
    signer = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "90", "-extfile", "extensions")
    openssl("x509", "-req", "-in", csr, *signer, "-out", "answer.pem", directory=directory)
    return (directory / "answer.pem").read_text()


@pytest.fixture(scope="module")
def third_party(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run the example whose certificate somebody else signs, wrong answers before the right one."""
    run = start("third-party-server", engine_home, tmp_path_factory.mktemp("third"))
    answers = third_party_answers(run.kept("up") / "requests/mx1.csr.pem", run.directory / "public-ca")
    for case in ("other key", "other name", "right"):
        (run.stack.project / "signed-chain.pem").write_text(answers[case])
        run.results[case] = run.stack.up()
        run.keep(case)
    run.results["settled"] = run.stack.preview(expect_no_changes=True)
    return finish(run)


@pytest.mark.parametrize("name", ["three_persons", "two_hosts", "third_party"])
def test_an_example_comes_up_settles_and_goes(name: str, request: pytest.FixtureRequest) -> None:
    """After `up` there is nothing left to change, and after `destroy` neither resources nor files are left."""
    run: Run = request.getfixturevalue(name)
    assert run.results["preview"].is_success, str(run.results["preview"])
    assert run.results["destroy"].is_success, str(run.results["destroy"])
    assert custom_resources(run.stack.export()) == []
    assert tree(run.stack.project / "out") == {}


@pytest.mark.needs_postfix
def test_three_persons_relay_and_nobody_else(three_persons: Run, postfix_instance: Boot) -> None:
    """Each person relays with what she was handed; a stranger with the same name on her certificate does not."""
    out = three_persons.kept("up")
    instance = postfix_instance(out / "mx1/postfix", overrides={"mynetworks": None})
    persons = {name: handed_out(out, name) for name in ("alice", "bob", "carol")}
    strangers = {"stranger": ThrowAwayAuthority("Example Mail CA").issue_client("alice@example.org"), "none": None}
    seen = {
        name: probe(instance.port, client_certificate=each).may_relay for name, each in (persons | strangers).items()
    }
    assert seen == {"alice": True, "bob": True, "carol": True, "stranger": False, "none": False}
    assert instance.complaints() == []


def test_the_archive_opens_as_the_readme_says(three_persons: Run) -> None:
    """The passphrase that the output shows opens the archive in the hand-out."""
    archive = (three_persons.kept("up") / "clients/alice/alice.p12").read_bytes()
    assert openssl_pkcs12_info(archive, three_persons.results["passphrase"].stdout.strip()).is_accepted


@dataclass(frozen=True, slots=True)
class Pair:
    """Two private Postfix instances, made to find each other on loopback."""

    first: PostfixInstance
    second: PostfixInstance


@pytest.fixture
def pair(two_hosts: Run, postfix_instance: Boot) -> Pair:
    """Boot both rendered hosts; each takes mail for anybody from its own users, as a host with local users would."""
    out = two_hosts.kept("up")
    overrides = {
        **SENDING_SIDE,
        **RECEIVING_SIDE,
        "mynetworks": None,
        "smtpd_relay_restrictions": None,
        "mydestination": None,
    }
    booted = {
        host: postfix_instance(out / name / "postfix", overrides=overrides, is_started=False)
        for name, host in (("mx1", FIRST), ("mx2", SECOND))
    }
    for instance in booted.values():
        transport = instance.config_directory / "transport"
        for host, other in booted.items():
            transport.write_text(transport.read_text().replace(f"[{host}]", f"[127.0.0.1]:{other.port}"))
        instance.start()
    return Pair(booted[FIRST], booted[SECOND])


def deliveries(pair: Pair) -> Mapping[str, Delivery]:
    """Send one message each way."""
    return {
        "to the second": pair.first.send("someone@two.example.org"),
        "to the first": pair.second.send("someone@one.example.org"),
    }


@pytest.mark.needs_postfix
def test_two_hosts_deliver_to_each_other(pair: Pair) -> None:
    """Mail goes both ways over verified TLS, by client certificate."""
    outcomes = {way: (each.status, each.trust) for way, each in deliveries(pair).items()}
    assert outcomes == dict.fromkeys(("to the second", "to the first"), ("sent", "Verified"))
    for instance in (pair.first, pair.second):
        assert instance.complaints() == []


@pytest.mark.needs_postfix
def test_a_client_certificate_of_another_authority_is_refused(pair: Pair) -> None:
    """The same hosts deliver no more once the first presents a certificate of the same name that is not listed."""
    stranger = ThrowAwayAuthority("Example Mail CA").issue_client(FIRST)
    stranger.write_chain(pair.first.config_directory / "tls/mx1-client.pem")
    outcomes = {way: (each.status, each.dsn) for way, each in deliveries(pair).items()}
    assert outcomes == {"to the second": ("deferred", "4.7.1"), "to the first": ("sent", "2.0.0")}


@pytest.mark.parametrize(("case", "words"), [("other key", "key"), ("other name", SECOND)])
def test_a_wrong_answer_is_refused_and_changes_nothing(third_party: Run, case: str, words: str) -> None:
    """A chain for another key or another name fails with a sentence that says so, and every file stays as it was."""
    refused = third_party.results[case]
    assert not refused.is_success
    assert words in str(refused)
    assert "Traceback" not in str(refused)
    assert tree(third_party.kept(case)) == tree(third_party.kept("up"))


def test_the_right_answer_is_put_in_service(third_party: Run) -> None:
    """The signed certificate replaces the interim one in the chain file, and the key stays."""
    assert third_party.results["right"].is_success, str(third_party.results["right"])
    assert third_party.results["settled"].is_success, str(third_party.results["settled"])
    interim, signed = ((third_party.kept(moment) / "mx1/postfix/tls/mx1.pem").read_text() for moment in ("up", "right"))
    answer = (third_party.stack.project / "signed-chain.pem").read_text().strip()
    assert answer in signed
    assert answer not in interim
    assert interim.partition("-----BEGIN CERTIFICATE")[0] == signed.partition("-----BEGIN CERTIFICATE")[0]
