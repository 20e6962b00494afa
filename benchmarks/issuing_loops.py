"""Programs that issue client certificates one after the other: easy-rsa, and openssl called in a loop.

Key P-256, 90 days, clientAuth, the client's DNS name as subject and alternative name. Only issuing is measured, not
the making of the authority.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.measuring import Measurement, MeasurementError, measure

__all__ = ["LOOPS", "IssuingLoop", "measure_loop"]

_DEBIAN_EASY_RSA: Final = "/usr/share/easy-rsa"


@dataclass(frozen=True, slots=True)
class IssuingLoop:
    """Shell commands: `setup` makes an authority, `issue` one client called `$name`; both in an empty directory."""

    name: str
    program: str
    setup: str
    issue: str
    certificates: str
    variables: Mapping[str, str] = field(default_factory=dict)


LOOPS: Final = (
    IssuingLoop(
        name="easy-rsa",
        program="easyrsa",
        setup="easyrsa init-pki && easyrsa build-ca nopass",
        issue='easyrsa "--subject-alt-name=DNS:$name" build-client-full "$name" nopass',
        certificates="pki/issued/*.crt",
        variables={
            "EASYRSA_BATCH": "1",
            "EASYRSA_ALGO": "ec",
            "EASYRSA_CURVE": "prime256v1",
            "EASYRSA_CERT_EXPIRE": "90",
        },
    ),
    IssuingLoop(
        name="openssl loop",
        program="openssl",
        setup=(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -keyout ca.key -out ca.pem"
            ' -subj "/CN=Benchmark CA"'
        ),
        # One process per client, the least that openssl needs: key, request and certificate at once.
        issue=(
            "openssl req -x509 -CA ca.pem -CAkey ca.key -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90"
            ' -subj "/CN=$name" -keyout "$name.key" -out "$name.crt" -addext "subjectAltName=DNS:$name"'
            " -addext basicConstraints=critical,CA:false -addext keyUsage=critical,digitalSignature"
            " -addext extendedKeyUsage=clientAuth"
        ),
        certificates="client-*.crt",
    ),
)


def measure_loop(loop: IssuingLoop, directory: Path, clients: int) -> Measurement | None:
    """Return what issuing so many certificates took, or None where the program is not installed.

    Raises:
        MeasurementError: a command failed, or another number of certificates came out.
    """
    path = f"{os.environ['PATH']}:{_DEBIAN_EASY_RSA}"
    if shutil.which(loop.program, path=path) is None:
        return None
    directory.mkdir()
    environment = {**os.environ, **loop.variables, "PATH": path}
    body = f'for n in $(seq -f %05g 0 {clients - 1}); do name="client-$n.example.org"; {loop.issue} || exit 1; done'
    log = directory / "log"
    measure(["sh", "-c", loop.setup], directory=directory, environment=environment, log=log)
    measurement = measure(["sh", "-c", body], directory=directory, environment=environment, log=log)
    issued = len(list(directory.glob(loop.certificates)))
    if issued != clients:
        raise MeasurementError(f"{loop.name} issued {issued} certificates, expected {clients}: see {log}")
    return measurement
