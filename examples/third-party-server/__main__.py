"""A mail server whose certificate somebody else signs: first a request, then the answer."""

from pathlib import Path

import pulumi

import pki
import postfix

# The answer: the server's certificate first, then its intermediates, PEM. Until it is here, the host serves an interim
# self-signed certificate of the same key.
answer = Path("signed-chain.pem")

server = pki.ThirdPartyServerCertificate(
    "mx1",
    dns_names=["mx1.example.org"],
    organization="Example",
    signed_chain_pem=answer.read_text(encoding="ascii") if answer.exists() else None,
)
postfix.MailServer(
    "mx1",
    myhostname="mx1.example.org",
    certificate=server,
    # Nobody relays by certificate here; users log in.
    settings=postfix.ServerSettings(relay=postfix.RelayPolicy(client_certificates=False, sasl=True, networks=())),
    target=postfix.Directory("out/mx1/postfix"),
)
pki.HandOut("hand-out", directory="out", authorities=[], requests=[server])

pulumi.export("fingerprint_sha256", server.fingerprint_sha256)
