"""What a type checker refuses before anything runs: one mistake on each line that ignores it, and no other line."""

import pki
import postfix

CA = pki.CertificateAuthority("ca", common_name="CA")
ALICE = pki.ClientCertificate("alice", authority=CA, email="alice@example.org")
MX1 = pki.ServerCertificate("mx1", authority=CA, dns_names=["mx1.example.org"])
TARGET = postfix.Directory("out")

# A keyword that is misspelt, of an argument, of a field, and of a dataclass; a name that is.
pki.ClientCertificate("a", authority=CA, email="a@example.org", lifetme=None)  # type: ignore[call-arg]
pki.ClientCertificate("b", authority=CA, emial="b@example.org")  # type: ignore[call-arg]
pki.LifetimePolicy(validity_days=365)  # type: ignore[call-arg]
pki.ClientCertificat("c", authority=CA, email="c@example.org")  # type: ignore[attr-defined]
postfix.MailServr("d", target=TARGET)  # type: ignore[attr-defined]

# A text where a list is needed: to Python it is a sequence of letters, and the program says so when it runs.
pki.ServerCertificate("v", authority=CA, dns_names="mx1.example.org")  # type: ignore[arg-type]
pki.CertificateAuthority("w", common_name="W", crl_urls="http://crl.example.org/w.crl")  # type: ignore[arg-type]
pki.NameConstraints(permitted_dns="example.org")  # type: ignore[arg-type]
postfix.Transport("e", destinations="example.net")  # type: ignore[arg-type]
postfix.MailServer("f", myhostname="f", certificate=MX1, target=TARGET, relay_clients="alice")  # type: ignore[arg-type]
pki.RosterHandOut(pki.ClientRoster("g", authority=CA, clients={}), clients="alice")  # type: ignore[arg-type]

# A word that is none of its kind.
pki.ClientCertificate("h", authority=CA, email="h@example.org", key_algorithm="RSA-1024")  # type: ignore[arg-type]
pki.ClientCertificate("i", authority=CA, email="i@example.org", match="subject")  # type: ignore[arg-type]
pki.ClientCertificate("j", authority=CA, email="j@example.org", revoke="stolen")  # type: ignore[arg-type]
pki.Pkcs12("k", certificate=ALICE, profile="des")  # type: ignore[arg-type]
pki.ClientRoster("l", authority=CA, clients={}, pkcs12="des")  # type: ignore[arg-type]
postfix.ServerSettings(smtpd_tls_security_level="none")  # type: ignore[arg-type]
postfix.DestinationPolicy("example.net", "safe")  # type: ignore[arg-type]
postfix.RelayClient("m", myhostname="m", target=TARGET, table_type="mysql")  # type: ignore[arg-type]

# An Output where a plain value is needed.
pki.ClientCertificate("n", authority=CA, email=ALICE.certificate_pem)  # type: ignore[arg-type]
pki.ServerCertificate("o", authority=CA, dns_names=[ALICE.subject])  # type: ignore[list-item]
pki.HandOut("p", directory=ALICE.subject)  # type: ignore[arg-type]
postfix.MailServer("q", myhostname=ALICE.subject, certificate=MX1, target=TARGET)  # type: ignore[arg-type]
postfix.RelayClient("r", myhostname="r", target=TARGET, parameters={"x": ALICE.subject})  # type: ignore[dict-item]
postfix.Directory(ALICE.subject)  # type: ignore[arg-type]

# Something of another kind.
pki.ClientCertificate("s", authority="ca", email="s@example.org")  # type: ignore[arg-type]
pki.ClientCertificate("t", email="t@example.org")  # type: ignore[call-arg]
postfix.RelayClient("u", myhostname="u", target="out")  # type: ignore[arg-type]
ALICE.fingerprint.apply(print)  # type: ignore[attr-defined]
