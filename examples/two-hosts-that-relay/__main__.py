"""Two mail servers that relay to each other: each serves one certificate and presents another one as a client."""

import pulumi

import pki
import postfix

HOSTS = {"mx1": "mx1.example.org", "mx2": "mx2.example.org"}
# Mail to the domain of a host goes to that host, whichever host it arrives at.
DOMAINS = {"mx1": "one.example.org", "mx2": "two.example.org"}
PEERS = {"mx1": "mx2", "mx2": "mx1"}

authority = pki.CertificateAuthority(
    "mail-ca",
    common_name="Example Mail CA",
    path_length=0,
    name_constraints=pki.NameConstraints(permitted_dns=("example.org",)),
    # Protected by default; an example may be thrown away.
    opts=pulumi.ResourceOptions(protect=False),
)
servers = {
    name: pki.ServerCertificate(f"{name}-server", authority=authority, dns_names=[host]) for name, host in HOSTS.items()
}
clients = {
    name: pki.ClientCertificate(f"{name}-client", authority=authority, dns_names=[host]) for name, host in HOSTS.items()
}

for name, peer in PEERS.items():
    to_peer = postfix.Transport(
        name=f"to-{peer}",
        destinations=(DOMAINS[peer],),
        next_hop=f"[{HOSTS[peer]}]",
        certificate=f"{name}-client",
        smtp_tls_security_level="secure",
        match=(HOSTS[peer],),
    )
    postfix.MailServer(
        name,
        myhostname=HOSTS[name],
        certificate=servers[name],
        relay_clients=[clients[peer]],
        settings=postfix.ServerSettings(relay=postfix.RelayPolicy(networks=())),
        relay_through=postfix.ClientSettings(transports=(to_peer,)),
        relay_certificate=clients[name],
        target=postfix.Directory(f"out/{name}/postfix"),
    )
    pulumi.export(f"{name}_client_fingerprint_sha256", clients[name].fingerprint_sha256)
