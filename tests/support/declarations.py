"""One valid declaration of every public class, any argument of which a test can replace by a wrong one."""

from collections.abc import Callable
from typing import Any

import pytest

import pki
import postfix
from postseal_core.program import ArgumentError
from tests.support.mocks import run_program

__all__ = [
    "TARGET",
    "alice",
    "answered",
    "archive",
    "ca",
    "crl",
    "given",
    "hand_out",
    "host",
    "mistake_of",
    "mx1",
    "office",
    "relay",
    "sender",
    "staff",
]

TARGET = postfix.Directory("out/mx1")


def given(**arguments: Any) -> dict[str, Any]:
    """Return arguments that a type checker would refuse."""
    return arguments


def ca(**arguments: Any) -> pki.CertificateAuthority:
    """Return a root."""
    return pki.CertificateAuthority("ca", **given(**({"common_name": "CA"} | arguments)))


def office(**arguments: Any) -> pki.IntermediateAuthority:
    """Return an intermediate."""
    return pki.IntermediateAuthority("office", **given(**({"common_name": "Office", "authority": ca()} | arguments)))


def alice(**arguments: Any) -> pki.ClientCertificate:
    """Return a client."""
    return pki.ClientCertificate("alice", **given(**({"authority": ca(), "email": "alice@example.org"} | arguments)))


def mx1(**arguments: Any) -> pki.ServerCertificate:
    """Return a server that signs itself."""
    return pki.ServerCertificate(
        "mx1", **given(**({"self_signed": True, "dns_names": ["mx1.example.org"]} | arguments))
    )


def answered(**arguments: Any) -> pki.ThirdPartyServerCertificate:
    """Return a server that somebody else signs."""
    return pki.ThirdPartyServerCertificate("mx2", **given(**({"dns_names": ["mx2.example.org"]} | arguments)))


def staff(**arguments: Any) -> pki.ClientRoster:
    """Return a roster."""
    return pki.ClientRoster(
        "staff", **given(**({"authority": ca(), "clients": {"bob": {"email": "b@example.org"}}} | arguments))
    )


def archive(**arguments: Any) -> pki.Pkcs12:
    """Return an archive."""
    return pki.Pkcs12("alice", **given(**({"certificate": alice()} | arguments)))


def crl(**arguments: Any) -> pki.RevocationList:
    """Return a revocation list."""
    return pki.RevocationList("list", **given(**({"authority": ca()} | arguments)))


def hand_out(**arguments: Any) -> pki.HandOut:
    """Return a hand-out."""
    return pki.HandOut("all", **given(**({"directory": "out", "authorities": []} | arguments)))


def relay(**arguments: Any) -> postfix.MailServer:
    """Return a mail server."""
    options = {"myhostname": "mx1.example.org", "certificate": mx1(), "target": TARGET}
    return postfix.MailServer("mx1", **given(**(options | arguments)))


def sender(**arguments: Any) -> postfix.RelayClient:
    """Return a host that only sends."""
    return postfix.RelayClient("web", **given(**({"myhostname": "web.example.org", "target": TARGET} | arguments)))


def host(**arguments: Any) -> postfix.PostfixHost:
    """Return a host from its whole declaration."""
    declaration = postfix.HostDeclaration(name="hub", myhostname="hub.example.org")
    return postfix.PostfixHost(
        "hub", **given(**({"declaration": declaration, "target": TARGET, "certificates": {}} | arguments))
    )


def mistake_of(program: Callable[[], object], *, preview: bool = False) -> ArgumentError:
    """Return the error of a program; any other that it raises comes through."""
    found: list[ArgumentError] = []

    def caught() -> None:
        with pytest.raises(ArgumentError) as error:
            program()
        found.append(error.value)

    run_program(caught, preview=preview)
    return found[0]
