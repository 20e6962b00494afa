"""One authority, a mail server, and three persons who may relay through it, each by a certificate of their own."""

import pulumi

import pki
import postfix

authority = pki.CertificateAuthority(
    "mail-ca",
    common_name="Example Mail CA",
    path_length=0,
    # Whatever happens to its key, it can speak for nobody outside example.org.
    name_constraints=pki.NameConstraints(permitted_dns=("example.org",), permitted_email=("example.org",)),
    # Protected by default; an example may be thrown away.
    opts=pulumi.ResourceOptions(protect=False),
)
server = pki.ServerCertificate("mx1", authority=authority, dns_names=["mx1.example.org"])
persons = [
    pki.ClientCertificate(name, authority=authority, email=f"{name}@example.org") for name in ("alice", "bob", "carol")
]
# Alice's mail program wants one file. Its passphrase: pulumi stack output alice_passphrase --show-secrets
archive = pki.Pkcs12("alice", certificate=persons[0])

postfix.MailServer(
    "mx1",
    myhostname="mx1.example.org",
    certificate=server,
    relay_clients=persons,
    # No network is trusted, not even this machine: a certificate is the only way.
    settings=postfix.ServerSettings(relay=postfix.RelayPolicy(networks=())),
    target=postfix.Directory("out/mx1/postfix"),
)
pki.HandOut("hand-out", directory="out", authorities=[authority], clients=persons, archives=[archive])

# The SDK repeats outputs in clear in debug messages, which `--json` and `--event-log` show.
pki.withhold_outputs_from_debug_log()
pulumi.export("alice_passphrase", archive.passphrase)
pulumi.export("server_fingerprint_sha256", server.fingerprint_sha256)
