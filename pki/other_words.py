"""What others call the fields of certificates, as keys of a declaration: for the hint that an unknown key gets."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["OTHER_WORDS"]

_NAMES: Final = ("dns_names", "myhostname")
_KEY: Final = ("private_key_secret", "key_algorithm", "third_party.private_key_secret")
_ALGORITHM: Final = ("key_algorithm",)
_CHAIN: Final = ("signed_chain_file", "chain_files", "certificate_pem", "certificate", "third_party.signed_chain_file")
_CERTIFICATE: Final = ("certificate_pem", "certificate", "signed_chain_file", "third_party.signed_chain_file")
_SIGNER: Final = ("authority", "issuer", "authorities", "roots_pem")
_ROOTS: Final = ("roots_pem", "roots_file", "trust.roots_pem")
_FINGERPRINT: Final = ("fingerprint_sha256", "smtp_tls_fingerprint_cert_match", "extra_relay_clients")
_VALIDITY: Final = ("validity", "validity_hours", "lifetime.validity")
_RENEW: Final = ("renew_before", "renew_before_hours", "lifetime.renew_before")
_PASSPHRASE: Final = ("passphrase_secret", "private_key_passphrase_secret", "pkcs12.passphrase_secret")

_BY_FIELDS: Final[Mapping[tuple[str, ...], str]] = {
    ("common_name",): "cn commonname name subject subject_cn display_name displayname label",
    ("organization",): "o org organisation organization_name company",
    ("organizational_unit",): "ou unit department organisational_unit",
    ("locality",): "l city town",
    ("state_or_province",): "st state province",
    ("country",): "c country_name country_code",
    ("email",): "mail mailbox e_mail emails mails email_address emailaddress mail_address address rfc822name",
    _NAMES: "dns san sans alt_names altnames subject_alt_name subject_alt_names subjectaltname host hosts hostname "
    "hostnames host_name host_names domain domains fqdn dns_name dnsname dnsnames server_name",
    ("ip_addresses",): "ip ips ip_address ipaddress addresses",
    ("person",): "owner user person_name belongs_to",
    _ALGORITHM: "algorithm alg key_type keytype key_size keysize key_bits bits curve key_alg key_spec",
    _KEY: "key private_key key_pem private_key_pem key_secret key_file private_key_file privkey",
    ("request_pem",): "csr csr_pem req req_pem request certificate_request certificate_request_pem signing_request "
    "pkcs10",
    ("request_file",): "csr_file csr_path req_file request_path certificate_request_file csrfile",
    _CERTIFICATE: "cert cert_pem crt pem certificate_file cert_file certfile certificates certs leaf",
    _CHAIN: "chain fullchain chain_pem full_chain bundle chain_file chain_file_path signed_chain intermediates",
    _SIGNER: "ca signer signed_by issued_by parent certificate_authority ca_name",
    _ROOTS: "root roots root_ca ca_pem ca_file ca_cert cacert cafile root_pem root_file trust_anchors",
    _FINGERPRINT: "fingerprint sha256 thumbprint fp fingerprint_sha_256 sha256_fingerprint",
    _VALIDITY: "validity validity_hours valid days valid_days validity_days valid_for valid_until not_after expiry "
    "expires expiration ttl duration validity_period max_age",
    _RENEW: "renew_before renew renewal renew_days renew_before_days early_renewal renewal_window",
    ("renew_key", "renew_key_every", "lifetime.renew_key"): "renew_key reuse_key rekey rotate_key key_rotation new_key",
    ("revoke",): "revoked revocation revocation_reason reason crl_reason",
    ("issue_again",): "reissue renew_after_revocation replace",
    ("pkcs12",): "p12 pfx archive pkcs_12",
    _PASSPHRASE: "passphrase password pass passwd pin",
    ("path_length",): "pathlen max_path_length path_len path_length_constraint",
    ("crl_urls",): "crl_url crl_distribution_points crldp cdp",
    ("name_constraints",): "constraints permitted permitted_names",
    ("clients",): "client users user people persons members",
    ("servers",): "server server_certificates certificates",
    ("hosts",): "host postfix mailservers mail_servers",
    ("authority",): "root",
    ("lifetime",): "lifetimes",
}


def _by_word() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for fields, words in _BY_FIELDS.items():
        for word in words.split():
            found[word] = (*found.get(word, ()), *fields)
    return found


OTHER_WORDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(_by_word())
"""By a word in lower case with underscores: the fields that are meant by it, the likeliest first; some are further down
in a declaration, after a point."""
