"""Typed faces of our own resource types: what a program passes, what it gets. No logic."""

from typing import Any, NotRequired, TypedDict

import pulumi

__all__ = [
    "Certificate",
    "CertificateArgs",
    "ClientRosterArgs",
    "ClientRosterResource",
    "HandOut",
    "HandOutArgs",
    "HandOutFile",
    "ImportedCertificate",
    "ImportedCertificateArgs",
    "ListedCertificate",
    "Pkcs12Archive",
    "Pkcs12ArchiveArgs",
    "RevocationList",
    "RevocationListArgs",
]


class CertificateArgs(TypedDict):
    """Declared properties of a `Certificate`; everything that is not key material must be a plain, known value.

    `issuer_*`: name, generation, dates, chain (issuer first) and key of the signing authority; none of them for a
    self-signed certificate. `private_key_pem`: a key made elsewhere; without it the resource makes and keeps its own.
    `handover`: a client's certificate that a roster or another resource keeps until now; only read for a new resource.
    """

    name: str
    profile: str
    common_name: str
    organization: NotRequired[str]
    organizational_unit: NotRequired[str]
    locality: NotRequired[str]
    state_or_province: NotRequired[str]
    country: NotRequired[str]
    dns_names: NotRequired[list[str]]
    email_addresses: NotRequired[list[str]]
    ip_addresses: NotRequired[list[str]]
    uris: NotRequired[list[str]]
    path_length: NotRequired[int]
    permitted_dns: NotRequired[list[str]]
    excluded_dns: NotRequired[list[str]]
    permitted_email: NotRequired[list[str]]
    excluded_email: NotRequired[list[str]]
    crl_urls: NotRequired[list[str]]
    key_algorithm: NotRequired[str]
    match: NotRequired[str]
    validity_hours: NotRequired[int]
    renew_fraction: NotRequired[str]
    renew_before_hours: NotRequired[int]
    overlap_hours: NotRequired[int]
    renew_key_every: NotRequired[int]
    confirm: NotRequired[bool]
    confirmed_generation: NotRequired[int]
    revoke: NotRequired[str]
    issue_again: NotRequired[bool]
    fail_beyond_issuer: NotRequired[bool]
    private_key_pem: NotRequired[pulumi.Input[str]]
    adopt_certificate_pem: NotRequired[str]
    handover: NotRequired[pulumi.Input[str]]
    issuer_name: NotRequired[str]
    issuer_id: NotRequired[str]
    issuer_generation: NotRequired[pulumi.Input[int]]
    issuer_not_before: NotRequired[pulumi.Input[str]]
    issuer_not_after: NotRequired[pulumi.Input[str]]
    issuer_chain_pem: NotRequired[pulumi.Input[str]]
    issuer_private_key_pem: NotRequired[pulumi.Input[str]]
    issuer_below: NotRequired[pulumi.Input[str]]
    issuer_standby_hours: NotRequired[int]


class Certificate(pulumi.CustomResource):
    """A certificate, its key and its schedule; every change is made in place."""

    certificate_pem: pulumi.Output[str]
    chain_pem: pulumi.Output[str]
    private_key_pem: pulumi.Output[str]
    subject: pulumi.Output[str]
    serial_number: pulumi.Output[str]
    fingerprint_sha256: pulumi.Output[str]
    public_key_fingerprint_sha256: pulumi.Output[str]
    generation: pulumi.Output[int]
    key_generation: pulumi.Output[int]
    not_before: pulumi.Output[str]
    not_after: pulumi.Output[str]
    renew_at: pulumi.Output[str]
    previous: pulumi.Output[list[dict[str, Any]]]
    revoked: pulumi.Output[list[dict[str, Any]]]
    revoked_at: pulumi.Output[str]

    def __init__(self, resource_name: str, args: CertificateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = dict.fromkeys(
            [
                "certificate_pem",
                "chain_pem",
                "private_key_pem",
                "subject",
                "serial_number",
                "fingerprint_sha256",
                "public_key_fingerprint_sha256",
                "generation",
                "key_generation",
                "not_before",
                "not_after",
                "renew_at",
                "previous",
                "revoked",
                "revoked_at",
            ]
        )
        secret = pulumi.ResourceOptions(additional_secret_outputs=["private_key_pem"])
        super().__init__("postseal:index:Certificate", resource_name, {**outputs, **args}, _merged(opts, secret))


class ImportedCertificateArgs(TypedDict):
    """A certificate that somebody else signed for a key of ours; `chain_pem` is leaf first, then intermediates."""

    name: str
    dns_names: list[str]
    chain_pem: str
    private_key_pem: pulumi.Input[str]
    renew_before_hours: NotRequired[int]


class ImportedCertificate(pulumi.CustomResource):
    """A certificate signed elsewhere: checked against its key, its names and the clock; its expiry is watched."""

    chain_pem: pulumi.Output[str]
    certificate_pem: pulumi.Output[str]
    subject: pulumi.Output[str]
    issuer: pulumi.Output[str]
    serial_number: pulumi.Output[str]
    fingerprint_sha256: pulumi.Output[str]
    public_key_fingerprint_sha256: pulumi.Output[str]
    not_before: pulumi.Output[str]
    not_after: pulumi.Output[str]
    renew_at: pulumi.Output[str]

    def __init__(
        self, resource_name: str, args: ImportedCertificateArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        outputs = dict.fromkeys(
            [
                "certificate_pem",
                "subject",
                "issuer",
                "serial_number",
                "fingerprint_sha256",
                "public_key_fingerprint_sha256",
                "not_before",
                "not_after",
                "renew_at",
            ]
        )
        super().__init__("postseal:index:ImportedCertificate", resource_name, {**outputs, **args}, opts)


class Pkcs12ArchiveArgs(TypedDict):
    """What goes into an archive. Without a `passphrase` one is generated and kept as a secret output."""

    name: str
    profile: str
    generation: pulumi.Input[int]
    certificate_pem: pulumi.Input[str]
    private_key_pem: pulumi.Input[str]
    ca_pem: pulumi.Input[str]
    passphrase: NotRequired[pulumi.Input[str]]


class Pkcs12Archive(pulumi.CustomResource):
    """A PKCS#12 archive: certificate, key and CA chain under one passphrase; same inputs, same archive."""

    archive_p12_base64: pulumi.Output[str]
    passphrase: pulumi.Output[str]

    def __init__(self, resource_name: str, args: Pkcs12ArchiveArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = dict.fromkeys(("archive_p12_base64", "passphrase"))
        secret = pulumi.ResourceOptions(additional_secret_outputs=["archive_p12_base64", "passphrase"])
        super().__init__("postseal:index:Pkcs12", resource_name, {**outputs, **args}, _merged(opts, secret))


class HandOutFile(TypedDict):
    """One file: exactly one of `text` and `base64` is its content; `is_secret` makes it mode 0400."""

    text: NotRequired[pulumi.Input[str]]
    base64: NotRequired[pulumi.Input[str]]
    is_secret: NotRequired[bool]


class HandOutArgs(TypedDict):
    """Files below one directory, in folders; `descriptions` is the line a reviewer reads for each folder.

    `withdrawal`: see `pki.rollover.problems_of_withdrawal`; checked, not stored.
    """

    directory: str
    descriptions: dict[str, pulumi.Input[str]]
    folders: dict[str, dict[str, HandOutFile]]
    withdrawal: NotRequired[dict[str, Any]]


class HandOut(pulumi.CustomResource):
    """What persons are handed: their files in a directory of the machine that runs `pulumi up`."""

    def __init__(self, resource_name: str, args: HandOutArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("postseal:index:HandOut", resource_name, {**args}, opts)


class ClientRosterArgs(TypedDict):
    """Many clients of one authority: `clients` is one line of canonical JSON each, the rest holds for all of them.

    Everything apart from the issuer and `handovers` must be a plain, known value. `handovers`: certificates that a
    single resource or another roster hands over, by client. `withdrawal`: as of `HandOutArgs`.
    """

    name: str
    clients: str
    organization: NotRequired[str]
    organizational_unit: NotRequired[str]
    locality: NotRequired[str]
    state_or_province: NotRequired[str]
    country: NotRequired[str]
    crl_urls: NotRequired[list[str]]
    key_algorithm: NotRequired[str]
    match: NotRequired[str]
    validity_hours: NotRequired[int]
    renew_fraction: NotRequired[str]
    renew_before_hours: NotRequired[int]
    overlap_hours: NotRequired[int]
    renew_key_every: NotRequired[int]
    confirm: NotRequired[bool]
    fail_beyond_issuer: NotRequired[bool]
    pkcs12: NotRequired[str]
    handovers: NotRequired[dict[str, pulumi.Input[str]]]
    issuer_name: str
    issuer_id: NotRequired[str]
    issuer_generation: pulumi.Input[int]
    issuer_not_before: pulumi.Input[str]
    issuer_not_after: pulumi.Input[str]
    issuer_chain_pem: pulumi.Input[str]
    issuer_private_key_pem: pulumi.Input[str]
    issuer_below: NotRequired[pulumi.Input[str]]
    issuer_standby_hours: NotRequired[int]
    withdrawal: NotRequired[dict[str, Any]]


class ClientRosterResource(pulumi.CustomResource):
    """Certificates, keys and schedules of many clients in one resource; the packed outputs hold one record each."""

    count: pulumi.Output[int]
    summary: pulumi.Output[str]
    next_due_at: pulumi.Output[str]
    ledger: pulumi.Output[str]
    accepted_rows: pulumi.Output[str]
    intermediates_pem: pulumi.Output[str]
    private_keys: pulumi.Output[str]
    archives: pulumi.Output[str]

    def __init__(self, resource_name: str, args: ClientRosterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = dict.fromkeys(
            [
                "count",
                "summary",
                "next_due_at",
                "ledger",
                "accepted_rows",
                "intermediates_pem",
                "private_keys",
                "archives",
            ]
        )
        secret = pulumi.ResourceOptions(additional_secret_outputs=["private_keys", "archives"])
        super().__init__("postseal:index:ClientRoster", resource_name, {**outputs, **args}, _merged(opts, secret))


class ListedCertificate(TypedDict):
    """What a revocation list must know of one certificate: its outputs of these names."""

    name: str
    serial_number: pulumi.Input[str]
    previous: pulumi.Input[list[dict[str, Any]]]
    revoked: pulumi.Input[list[dict[str, Any]]]


class RevocationListArgs(TypedDict):
    """Whose list it is and what may stand on it; `rosters` are the ledgers of rosters by name.

    `issuer_*`: name, generation, chain (issuer first) and key of the authority that signs it.
    """

    name: str
    authority: str
    certificates: list[ListedCertificate]
    rosters: NotRequired[dict[str, pulumi.Input[str]]]
    lifetime_hours: NotRequired[int]
    renew_before_hours: NotRequired[int]
    first_crl_number: NotRequired[int]
    issuer_name: str
    issuer_generation: pulumi.Input[int]
    issuer_chain_pem: pulumi.Input[str]
    issuer_private_key_pem: pulumi.Input[str]
    issuer_below: NotRequired[pulumi.Input[str]]


class RevocationList(pulumi.CustomResource):
    """A certificate revocation list with its number and its dates; signed anew when an entry changes or it is due."""

    authority: pulumi.Output[str]
    crl_pem: pulumi.Output[str]
    crl_number: pulumi.Output[int]
    this_update: pulumi.Output[str]
    next_update: pulumi.Output[str]
    renew_at: pulumi.Output[str]
    revoked: pulumi.Output[list[dict[str, str]]]

    def __init__(
        self, resource_name: str, args: RevocationListArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        outputs = dict.fromkeys(("crl_pem", "crl_number", "this_update", "next_update", "renew_at", "revoked"))
        super().__init__("postseal:index:RevocationList", resource_name, {**outputs, **args}, opts)


def _merged(opts: pulumi.ResourceOptions | None, ours: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    merged: pulumi.ResourceOptions = pulumi.ResourceOptions.merge(opts, ours)
    return merged
