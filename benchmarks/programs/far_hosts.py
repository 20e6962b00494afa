"""Mail servers on other machines, as HOSTS has them, with the clients of TABLE; each with a certificate of its own.

HOSTS: a JSON list of objects with the arguments of `postfix.Ssh`. TABLE: the rows, each a fingerprint and a word.
LIMIT: one parameter of main.cf.
"""

import json
import os

import pki
import postfix

authority = pki.CertificateAuthority("ca", common_name="Benchmark CA")
fingerprints = [line.split()[0] for line in os.environ["TABLE"].splitlines()]

for number, place in enumerate(json.loads(os.environ["HOSTS"])):
    host = f"mx-{number:05d}"
    postfix.MailServer(
        host,
        myhostname=f"{host}.example.org",
        certificate=pki.ServerCertificate(host, authority=authority, dns_names=[f"{host}.example.org"]),
        extra_relay_clients={f"client-{each}": fingerprint for each, fingerprint in enumerate(fingerprints)},
        parameters={"smtpd_client_connection_count_limit": os.environ["LIMIT"]},
        table_type="hash",
        target=postfix.Ssh("127.0.0.1", user="root", connect_seconds=5, wait_seconds=0, **place),
    )
