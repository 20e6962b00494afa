"""An authority and SIZE single client certificates, with this project's components."""

import os

import pki

authority = pki.CertificateAuthority("ca", common_name="Benchmark CA")
for number in range(int(os.environ["SIZE"])):
    pki.ClientCertificate(
        f"client-{number:05d}",
        authority=authority,
        dns_names=[f"client-{number:05d}.example.org"],
        lifetime=pki.LifetimePolicy(validity_hours=2160),
    )
