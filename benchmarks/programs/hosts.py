"""SIZE mail servers, each with a certificate of its own and three clients that may relay there; one authority.

ADDED_CLIENTS: so many more clients at the first host; none without it.
"""

import os

import pki
import postfix

LIFETIME = pki.LifetimePolicy(validity_hours=2160)

authority = pki.CertificateAuthority("ca", common_name="Benchmark CA")


def client(name: str) -> pki.ClientCertificate:
    """Return a client certificate that is called like the client."""
    return pki.ClientCertificate(name, authority=authority, dns_names=[f"{name}.example.org"], lifetime=LIFETIME)


for number in range(int(os.environ["SIZE"])):
    host = f"mx-{number:05d}"
    clients = 3 + (int(os.environ.get("ADDED_CLIENTS", "0")) if number == 0 else 0)
    postfix.MailServer(
        host,
        myhostname=f"{host}.example.org",
        certificate=pki.ServerCertificate(
            host, authority=authority, dns_names=[f"{host}.example.org"], lifetime=LIFETIME
        ),
        relay_clients=[client(f"{host}-client-{each}") for each in range(clients)],
        target=postfix.Directory(f"out/{host}"),
    )
