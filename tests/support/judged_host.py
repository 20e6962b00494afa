"""What a configuration directory says of itself, and the answers of its host, as an edge of ours would ask for them."""

import pwd
import re
import socket
import ssl
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import new
from pathlib import Path
from subprocess import CompletedProcess, run

from postfix.effective.captures import CALLS, Captures, HostConfiguration, Said, configuration_of
from postfix.effective.verdicts import Judgement, judged
from postfix.effective.visitors import AUTHORITIES, CHAIN, Answer, Asked, Kind, Question, Visitor

__all__ = ["HostAnswers", "captured", "prints_of"]

DIGESTS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----")
MOST_ROUNDS = 20
AT_ONCE = 8


def captured(directory: Path) -> HostConfiguration:
    """Return what postconf says of a directory."""
    said: dict[str, Said] = {}
    for name, options in CALLS.items():
        found = _run("postconf", "-c", str(directory), *options)
        said[name] = Said(found.returncode, found.stdout, found.stderr)
    return configuration_of(Captures(directory=str(directory), root=str(directory), **said))


def prints_of(certificate: Path) -> dict[str, tuple[str, ...]]:
    """Return the fingerprints of a certificate and of its key by digest, as openssl makes them."""
    der = run(["openssl", "x509", "-in", certificate, "-outform", "DER"], capture_output=True, check=True).stdout
    public = run(["openssl", "x509", "-in", certificate, "-noout", "-pubkey"], capture_output=True, check=True).stdout
    key = run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=public, capture_output=True, check=True).stdout
    return {name: tuple(new(name, each).digest().hex(":").upper() for each in (der, key)) for name in DIGESTS}


def _run(*command: str, user: str | None = None) -> CompletedProcess[str]:
    groups: list[int] | None = None if user is None else []
    return run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=30,
        user=user,
        group=None if user is None else pwd.getpwnam(user).pw_gid,
        extra_groups=groups,
    )


class HostAnswers:
    """Answers of this machine about one configuration directory; each question is asked once."""

    def __init__(self, directory: Path, certificates: Mapping[Kind, Path]) -> None:
        self._directory = directory
        self._certificates = certificates
        self.known: dict[Question, Answer] = {}

    def judge(self, configuration: HostConfiguration, visitors: Iterable[Visitor]) -> tuple[Judgement, ...]:
        """Return the judgements once no question is open."""
        visitors = [*visitors]
        for _ in range(MOST_ROUNDS):
            found, missing = judged(configuration, visitors, self.known)
            if not missing:
                return found
            with ThreadPoolExecutor(AT_ONCE) as pool:
                # postmap waits a second before it says what it cannot open.
                self.known |= dict(zip(missing, pool.map(self.to, missing), strict=True))
        raise AssertionError("the questions never end")

    def to(self, question: Question) -> Answer:
        """Ask."""
        return {
            Asked.LOOKUP: self._looked_up,
            Asked.TRUSTED: self._trusted,
            Asked.LOADS: self._loads,
            Asked.READABLE: _readable,
            Asked.CIPHERS: _ciphers,
            Asked.LOGIN: self._logs_in,
        }[question.asked](question)

    def _looked_up(self, question: Question) -> Answer:
        found = _run("postmap", "-c", str(self._directory), "-q", question.key, question.where)
        # What main.cf itself is warned about is no fault of the table.
        told = [line for line in found.stderr.splitlines() if f"{self._directory}/main.cf" not in line]
        if found.returncode == 0:
            return Answer.YES
        return Answer.BROKEN if told or found.returncode != 1 else Answer.NO

    def _trusted(self, question: Question) -> Answer:
        certificate = self._certificates[Kind(question.key)]
        place = Path(question.where)
        option = "-CApath" if place.is_dir() else "-CAfile"
        others = ["-no-CAfile", "-no-CApath", "-no-CAstore"]
        others.remove(f"-no{option}")
        found = _run("openssl", "verify", *others, option, str(place), "-purpose", "sslclient", str(certificate))
        return Answer.NO if found.returncode else Answer.YES

    def _logs_in(self, question: Question) -> Answer:
        """Return whether somebody listens there; of Cyrus SASL, whether a mechanism is installed."""
        if question.key != "dovecot":
            return Answer.YES if [*Path("/usr/lib").glob("*/sasl2/libplain.so")] else Answer.NO
        kind, separator, place = question.where.partition(":")
        try:
            if separator and kind == "inet":
                host, _, port = place.rpartition(":")
                socket.create_connection((host, int(port)), 5).close()
            else:
                queue = _run("postconf", "-c", str(self._directory), "-xh", "queue_directory").stdout.strip()
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.connect(str(Path(queue, place if separator else kind)))
        except OSError:
            return Answer.NO
        return Answer.YES

    def _loads(self, question: Question) -> Answer:
        places = [question.where]
        if question.key == CHAIN:
            places = question.where.split()
        elif question.key != AUTHORITIES:
            places = [question.beside, question.where]
        try:
            texts = [Path(place).read_text(errors="replace") for place in places]
        except OSError:
            return Answer.BROKEN
        if question.key == AUTHORITIES:
            return Answer.YES if "BEGIN CERTIFICATE" in texts[0] else Answer.NO
        kinds = [kind for text in texts for kind in _BLOCK.findall(text)]
        if question.key == CHAIN and not (kinds and kinds[0].endswith("PRIVATE KEY")):
            return Answer.NO
        return Answer.YES if _is_a_pair(texts) else Answer.NO


def _is_a_pair(texts: list[str]) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as directory:
        names = [Path(directory, f"{number}.pem") for number in range(2)]
        names[0].write_text("\n".join(texts[:1] if len(texts) == 2 else texts))
        names[1].write_text("\n".join(texts))
        try:
            context.load_cert_chain(names[1], names[0], password=lambda: "")
        except (ssl.SSLError, ValueError):
            return False
    return True


def _readable(question: Question) -> Answer:
    if not Path(question.where).exists():
        return Answer.BROKEN
    return Answer.NO if _run("test", "-r", question.where, user=question.key).returncode else Answer.YES


def _ciphers(question: Question) -> Answer:
    return Answer.NO if _run("openssl", "ciphers", question.where).returncode else Answer.YES
