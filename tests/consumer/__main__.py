"""A program in a repository of its own: every public class of Postseal once, checked strictly and brought up."""

from pathlib import Path

import pulumi

import pki
import postfix

DAY = 24
THROW_AWAY = pulumi.ResourceOptions(protect=False)
config = pulumi.Config()

pki.withhold_outputs_from_debug_log()

root = pki.CertificateAuthority(
    "root",
    common_name="Our Root",
    key_algorithm=pki.KeyAlgorithm.ECDSA_P384,
    crl_urls=["http://crl.example.org/{slot}.crl"],
    lifetime=pki.LifetimePolicy(validity_hours=3650 * DAY),
    slots=pki.Slots(active=1, standby=2),
    opts=THROW_AWAY,
)
issuing = pki.IntermediateAuthority(
    "issuing",
    authority=root,
    common_name="Our Issuing CA",
    name_constraints=pki.NameConstraints(permitted_dns=("example.org",), permitted_email=("example.org",)),
    opts=THROW_AWAY,
)
old = pki.CertificateAuthority(
    "old-ca",
    common_name="Old CA",
    adopt=pki.AdoptedAuthority(Path("old-ca.pem").read_text(encoding="utf-8"), config.require_secret("old-ca-key")),
    opts=THROW_AWAY,
)

person: pki.ClientFields = {"email": "alice@example.org", "country": "DE", "match": "certificate"}
alice = pki.ClientCertificate("alice", authority=issuing, **person)
hub_client = pki.ClientCertificate("hub-client", authority=issuing, dns_names=["hub.example.org"])
mx1 = pki.ServerCertificate("mx1", authority=issuing, dns_names=["mx1.example.org"], also_client=True)
hub = pki.ServerCertificate("hub", self_signed=True, dns_names=["hub.example.org"])
public = pki.ThirdPartyServerCertificate("public", dns_names=["mail.example.org"])

archive = pki.Pkcs12("alice", certificate=alice, profile="modern", passphrase=config.get_secret("passphrase"))
staff = pki.ClientRoster(
    "staff",
    authority=issuing,
    organization="Example",
    pkcs12=pki.ArchiveWord.MODERN,
    clients=pki.parse_csv(Path("staff.csv").read_text(encoding="utf-8")),
)
machines = pki.ClientRoster(
    "machines",
    authority=issuing,
    clients={"scanner": {"dns_names": ["scanner.example.org"]}, "fax": {"email": "fax@example.org"}},
)
crl = pki.RevocationList("issuing", authority=issuing, certificates=[alice, hub_client, mx1], rosters=[staff, machines])
pki.HandOut(
    "hand-out",
    directory="out",
    authorities=[issuing],
    clients=[alice, machines.client("fax")],
    archives=[archive],
    rosters=[staff, pki.RosterHandOut(machines, clients=["scanner"])],
    requests=[public],
    revocation_lists=[crl],
)

receiving = postfix.ServerSettings(
    smtpd_tls_security_level="may", relay=postfix.RelayPolicy(networks=("192.0.2.0/24",), sasl=False)
)
sending = postfix.ClientSettings(
    smtp_tls_security_level="may",
    policies=(postfix.DestinationPolicy("example.net", "secure", match=("mx.example.net",)),),
    transports=(postfix.Transport("to-hub", ("hub.example.org",), certificate="hub-client"),),
)
postfix.MailServer(
    "mx1",
    myhostname="mx1.example.org",
    certificate=mx1,
    relay_clients=[alice],
    relay_rosters=[staff, machines],
    settings=receiving,
    trust=[root, postfix.TrustedRoot("old", old.certificate_pem)],
    parameters={"message_size_limit": "52428800"},
    table_type="texthash",
    target=postfix.Directory("out/mx1/postfix"),
)
postfix.RelayClient(
    "web1",
    myhostname="web1.example.org",
    certificate=alice,
    transport_certificates=[hub_client],
    settings=sending,
    trust=[root],
    target=postfix.Directory("out/web1/postfix"),
)
checked = postfix.checked_host(
    postfix.HostDeclaration(
        "hub",
        "hub.example.org",
        server=postfix.ServerSide(receiving, ("hub",)),
        client=postfix.ClientSide(postfix.ClientSettings(), ("hub-client",)),
        postfix_version=postfix.PostfixVersion(3, 7),
    )
)
target: postfix.HostTarget = postfix.Directory("out/hub/postfix", ownership=postfix.Ownership.WHOLE)
postfix.PostfixHost(
    "hub",
    declaration=checked,
    target=target,
    certificates={"hub": hub, "hub-client": hub_client},
    extra_relay_clients=[postfix.ClientRow(":".join(["AB"] * 32), "partner")],
    trust=[root],
)

try:
    pki.parse_yaml("anna: { mail: anna@example.org }")
except pki.ConfigError as error:
    problems: tuple[pki.Problem, ...] = error.problems
    pulumi.export("problems", [str(problem) for problem in problems])
pulumi.export("fingerprint", alice.fingerprint_sha256)
pulumi.export("passphrases", {"alice": archive.passphrase, "anna": staff.client("anna").passphrase})
