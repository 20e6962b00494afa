"""A directory of trusted authorities in the layout OpenSSL looks up: `<subject-hash>.N` links to PEM files.

smtpd(8) and smtp(8) open such a CApath when they need it, which is inside the chroot jail and without root's rights:
with chroot = y the same files have to lie below queue_directory too.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import MappingProxyType

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from postseal_core.files.tree import Entry, FileEntry, Symlink

__all__ = ["ca_path_entries", "chroot_entries", "subject_hash"]

_PUBLIC_FILE = 0o644
_SET, _SEQUENCE, _UTF8_STRING = 0x31, 0x30, 0x0C
_LONG_LENGTH = 0x80


# Tags of the string types that OpenSSL folds; a T61String is taken for Latin-1, as OpenSSL does.
def _decoder(encoding: str) -> Callable[[bytes], str]:
    return lambda content: content.decode(encoding)


_STRING_TYPES = MappingProxyType(
    {
        0x0C: _decoder("utf-8"),
        0x13: _decoder("ascii"),
        0x14: _decoder("latin-1"),
        0x16: _decoder("ascii"),
        0x1A: _decoder("ascii"),
        0x1C: _decoder("utf-32-be"),
        0x1E: _decoder("utf-16-be"),
    }
)
_LOWER = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz")


def _values(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (tag, content) of the DER values that stand one after another in `der`."""
    while der:
        start, length = 2, der[1]
        if length >= _LONG_LENGTH:
            start += length - _LONG_LENGTH
            length = int.from_bytes(der[2:start], "big")
        yield der[0], der[start : start + length]
        der = der[start + length :]


def _encode(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < _LONG_LENGTH:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_LENGTH + len(octets))) + octets + content


def _canonical_value(tag: int, content: bytes) -> bytes:
    """Return a string as UTF8String, ASCII letters in lower case, blanks trimmed and folded; others as they are."""
    if tag not in _STRING_TYPES:
        return _encode(tag, content)
    text = _STRING_TYPES[tag](content).encode().translate(_LOWER)
    return _encode(_UTF8_STRING, b" ".join(text.split()))


def _canonical_attribute(content: bytes) -> bytes:
    (type_tag, type_content), (tag, value) = _values(content)
    return _encode(_SEQUENCE, _encode(type_tag, type_content) + _canonical_value(tag, value))


def subject_hash(name: x509.Name) -> str:
    """Return what `openssl x509 -subject_hash` prints for a certificate with this subject: 8 hexadecimal digits.

    It is the start of a SHA-1 over the canonical form of the name, as X509_NAME_hash_ex(3) has it since OpenSSL 1.0.
    """
    ((_, names),) = _values(name.public_bytes())
    canonical = b"".join(
        _encode(_SET, b"".join(sorted(_canonical_attribute(content) for _, content in _values(attributes))))
        for _, attributes in _values(names)
    )
    digest = hashlib.sha1(canonical, usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}"


def ca_path_entries(certificates: Iterable[x509.Certificate], *, directory: str) -> tuple[Entry, ...]:
    """Return PEM files and hashed links for authorities, below `directory`, a path without a slash at its end.

    A file is named after the certificate's SHA-256 fingerprint. Several authorities with one name get `.0`, `.1` in
    the order of their fingerprints. Certificates given twice count once.
    """
    by_name = {hashlib.sha256(each.public_bytes(Encoding.DER)).hexdigest()[:16]: each for each in certificates}
    taken: Counter[str] = Counter()
    entries: list[Entry] = []
    for name, certificate in sorted(by_name.items()):
        name_hash = subject_hash(certificate.subject)
        entries += [
            FileEntry(f"{directory}/{name}.pem", certificate.public_bytes(Encoding.PEM), _PUBLIC_FILE),
            Symlink(f"{directory}/{name_hash}.{taken[name_hash]}", f"{name}.pem"),
        ]
        taken[name_hash] += 1
    return tuple(sorted(entries, key=lambda entry: entry.path))


def chroot_entries(entries: Sequence[Entry], *, config_directory: str) -> tuple[Entry, ...]:
    """Return the same entries with paths relative to queue_directory, for daemons that run chrooted.

    `config_directory` is the absolute directory on the host that the given paths are relative to. Inside the jail the
    parameter's value then names the copy.
    """
    jail = config_directory.strip("/")
    return tuple(
        FileEntry(f"{jail}/{entry.path}", entry.content, entry.mode)
        if isinstance(entry, FileEntry)
        else Symlink(f"{jail}/{entry.path}", entry.target)
        for entry in entries
    )
