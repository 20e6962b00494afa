"""The same authority and clients as in `single_clients.py` with pulumi-tls alone: nothing renews itself here."""

import os

import pulumi_tls as tls

YEARS_10 = 10 * 365 * 24

ca_key = tls.PrivateKey("ca-key", algorithm="ECDSA", ecdsa_curve="P256")
ca = tls.SelfSignedCert(
    "ca",
    private_key_pem=ca_key.private_key_pem,
    is_ca_certificate=True,
    set_subject_key_id=True,
    allowed_uses=["cert_signing", "crl_signing"],
    validity_period_hours=YEARS_10,
    subject=tls.SelfSignedCertSubjectArgs(common_name="Benchmark CA"),
)
for number in range(int(os.environ["SIZE"])):
    name = f"client-{number:05d}"
    key = tls.PrivateKey(f"{name}-key", algorithm="ECDSA", ecdsa_curve="P256")
    request = tls.CertRequest(
        f"{name}-request",
        private_key_pem=key.private_key_pem,
        dns_names=[f"{name}.example.org"],
        subject=tls.CertRequestSubjectArgs(common_name=f"{name}.example.org"),
    )
    tls.LocallySignedCert(
        name,
        cert_request_pem=request.cert_request_pem,
        ca_private_key_pem=ca_key.private_key_pem,
        ca_cert_pem=ca.cert_pem,
        allowed_uses=["digital_signature", "client_auth"],
        set_subject_key_id=True,
        validity_period_hours=2160,
    )
