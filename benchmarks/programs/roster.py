"""An authority and a roster of SIZE clients; the first SHORT_LIVED of them (at most) live 10 days, the others 90."""

import os

import pki

SHORT_LIVED = 100

authority = pki.CertificateAuthority("ca", common_name="Benchmark CA")
clients: dict[str, dict[str, object]] = {
    f"client-{number:05d}": {
        "dns_names": [f"client-{number:05d}.example.org"],
        "validity_hours": 240 if number < SHORT_LIVED else 2160,
    }
    for number in range(int(os.environ["SIZE"]))
}
pki.ClientRoster("staff", authority=authority, clients=clients)
