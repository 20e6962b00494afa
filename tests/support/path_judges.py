"""Four verifiers of certificate chains that share no code: OpenSSL, GnuTLS, NSS and Go."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.judges import Verdict

__all__ = ["VERIFIERS", "Chain"]

_TIMEOUT_SECONDS = 120
_GO_VERIFIER = Path(__file__).parent / "go_verify"


@dataclass(frozen=True, slots=True)
class Chain:
    """A leaf, what stands between it and its root, and the root; judged as of now, for certtool knows no other time.

    `roots_beside`: others that are trusted as well. `is_strict`: whether OpenSSL holds the authorities, too, to every
    rule of RFC 5280; Postfix does not ask it to.
    """

    leaf: x509.Certificate
    intermediates: Sequence[x509.Certificate]
    root: x509.Certificate
    roots_beside: Sequence[x509.Certificate] = ()
    is_strict: bool = True


def _openssl(chain: Chain, directory: Path) -> Verdict:
    between = ["-untrusted", str(directory / "between.pem")] if chain.intermediates else []
    trust = ["-no-CApath", "-no-CAstore", "-CAfile", str(directory / "root.pem")]
    strict = ["-x509_strict"] if chain.is_strict else []
    return _run("openssl", "verify", *strict, *trust, *between, str(directory / "leaf.pem"))


def _gnutls(chain: Chain, directory: Path) -> Verdict:
    options = ["--verify", "--verify-profile", "low"]
    return _run(
        "certtool",
        *options,
        "--load-ca-certificate",
        str(directory / "root.pem"),
        "--infile",
        str(directory / "chain.pem"),
    )


def _nss(chain: Chain, directory: Path) -> Verdict:
    database = directory / "nss"
    database.mkdir()
    where = ["-d", f"sql:{database}"]
    _run("certutil", "-N", "--empty-password", *where)
    for number, certificate in enumerate([chain.root, *chain.roots_beside]):
        (directory / "one.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        name = f"root {number}"
        _run("certutil", "-A", *where, "-n", name, "-t", "CT,C,C", "-a", "-i", str(directory / "one.pem"))
    for number, certificate in enumerate(chain.intermediates):
        (directory / "one.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        _run("certutil", "-A", *where, "-n", f"between {number}", "-t", ",,", "-a", "-i", str(directory / "one.pem"))
    _run("certutil", "-A", *where, "-n", "leaf", "-t", ",,", "-a", "-i", str(directory / "leaf.pem"))
    return _run("certutil", "-V", *where, "-n", "leaf", "-u", "C", "-e", "-l")


def _go(chain: Chain, directory: Path) -> Verdict:
    files = [str(directory / name) for name in ("root.pem", "between.pem", "leaf.pem")]
    return _run(str(_go_program()), *files)


@lru_cache(maxsize=1)
def _go_program() -> Path:
    """Build the verifier once in a run; it needs nothing but Go's own library."""
    program = Path(tempfile.mkdtemp(prefix="postseal-go-")) / "verify"
    subprocess.run(
        ["go", "build", "-o", str(program), "."],
        cwd=_GO_VERIFIER,
        env={**os.environ, "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GOWORK": "off"},
        check=True,
        capture_output=True,
        timeout=_TIMEOUT_SECONDS,
    )
    return program


def _run(*command: str) -> Verdict:
    done = subprocess.run(command, capture_output=True, check=False, timeout=_TIMEOUT_SECONDS)
    return Verdict(done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace"))


def _judged_by(verifier: Callable[[Chain, Path], Verdict]) -> Callable[[Chain], Verdict]:
    def judge(chain: Chain) -> Verdict:
        with tempfile.TemporaryDirectory(prefix="postseal-chain-") as name:
            directory = Path(name)
            parts = {"leaf.pem": [chain.leaf], "between.pem": chain.intermediates}
            parts["root.pem"] = [chain.root, *chain.roots_beside]
            for file, certificates in parts.items():
                (directory / file).write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in certificates))
            whole = [chain.leaf, *chain.intermediates, chain.root]
            (directory / "chain.pem").write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in whole))
            return verifier(chain, directory)

    return judge


VERIFIERS: Mapping[str, Callable[[Chain], Verdict]] = {
    "openssl": _judged_by(_openssl),
    "gnutls": _judged_by(_gnutls),
    "nss": _judged_by(_nss),
    "go": _judged_by(_go),
}
"""By the name of the verifier, what it says of a chain."""
