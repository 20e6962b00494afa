"""Say in words what was handed in instead of a private key in PEM, and how to get from there to one."""

from typing import Final

__all__ = ["form_in_words"]

_ELSEWHERE: Final = (
    "a key that cannot leave its token cannot sign here; let it sign an intermediate instead, as an offline root does "
    "(docs/offline-root.md)"
)
_FORMS: Final[tuple[tuple[str, str], ...]] = (
    (
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "got a key in OpenSSH's own form: convert a copy of it with `ssh-keygen -p -m PKCS8 -f COPY`",
    ),
    (
        "PuTTY-User-Key-File",
        "got a key in PuTTY's form: export it as OpenSSH key, then convert that with `ssh-keygen -p -m PKCS8 -f COPY`",
    ),
    ("-----BEGIN TSS2 PRIVATE KEY-----", f"got a key that only one machine's TPM can use: {_ELSEWHERE}"),
    ("-----BEGIN PKCS#11 PROVIDER URI-----", f"got the address of a key in a PKCS#11 token: {_ELSEWHERE}"),
    ("pkcs11:", f"got the address of a key in a PKCS#11 token: {_ELSEWHERE}"),
    ("-----BEGIN PUBLIC KEY-----", "got a public key: hand in the private key that belongs to it"),
    ("-----BEGIN RSA PUBLIC KEY-----", "got a public key: hand in the private key that belongs to it"),
    ("-----BEGIN CERTIFICATE REQUEST-----", "got a certificate request: hand in the private key that it was made with"),
    ("-----BEGIN CERTIFICATE-----", "got a certificate: hand in the private key that belongs to it"),
    ('"kty"', "got a JSON Web Key, expected PEM text: convert it where it was made"),
)
_NO_PEM: Final = (
    "got no PEM text; a binary key is converted with `openssl pkey -inform DER -in FILE`, and one out of PKCS#12 with "
    "`openssl pkcs12 -in FILE -nocerts -noenc`"
)


def form_in_words(text: str) -> str:
    """Return what this text is, if it is known and no private key in PEM, with what to do; else nothing.

    Nothing of the text is in the answer.
    """
    if "PRIVATE KEY-----" in text and "OPENSSH" not in text and "TSS2" not in text:
        if r"\n" in text:
            return r"its line breaks are written as \n: hand it in with real ones"
        return "" if "-----END" in text else "it ends in the middle, without a line `-----END ...`: copy it again"
    return next((words for mark, words in _FORMS if mark in text), "" if "-----BEGIN" in text else _NO_PEM)
