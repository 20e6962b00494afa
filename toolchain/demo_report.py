"""Words what a deployment has left: the tree of its files, the certificates in them and the stack's outputs."""

import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

__all__ = ["CertificateLine", "columns", "output_lines", "read_certificates", "report", "tree_lines"]

VALUE_CHARACTERS = 90
"""Longer output values are cut, so that a line stays a line."""

# A line of its own: JSON that quotes a certificate is no PEM file.
PEM_BEGIN = re.compile(rb"^-----BEGIN CERTIFICATE-----\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True, order=True)
class CertificateLine:
    """One certificate's row in the table: its file, subject, names and dates (UTC days)."""

    file: str
    subject: str
    names: str
    not_before: str
    not_after: str


def report(directory: Path, outputs: Mapping[str, object]) -> str:
    """Return the text that `make demo` ends with; reads the files below `directory`."""
    heading = CertificateLine("FILE", "SUBJECT", "NAMES", "NOT BEFORE", "NOT AFTER")
    certificates = sorted(set(read_certificates(directory)))
    sections = {
        f"Files in {directory.parent.name}/{directory.name}": tree_lines(directory),
        "Certificates": columns(
            (line.file, line.subject, line.names, line.not_before, line.not_after) for line in (heading, *certificates)
        ),
        "Stack outputs": columns(output_lines(outputs)),
    }
    return "\n".join(f"\n{title}\n" + "\n".join(f"  {line}" for line in lines) for title, lines in sections.items())


def columns(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return rows of equal length as lines with aligned columns."""
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]


def tree_lines(directory: Path) -> list[str]:
    """Return one line for each entry below `directory`: mode as ls(1) writes it, size in bytes, path."""
    rows = [_entry(directory, path) for path in sorted(directory.rglob("*"))]
    return columns(rows) or ["(none)"]


def _entry(directory: Path, path: Path) -> tuple[str, str, str]:
    status = path.lstat()
    depth = "  " * (len(path.relative_to(directory).parts) - 1)
    target = f" -> {path.readlink()}" if path.is_symlink() else ""
    size = "" if path.is_dir() else f"{status.st_size:>7}"
    return stat.filemode(status.st_mode), size, f"{depth}{path.name}{'/' if path.is_dir() else ''}{target}"


def output_lines(outputs: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield name and value of each output, members of objects by their dotted path; PEM is told by its length."""
    for name, value in sorted(outputs.items()):
        if isinstance(value, Mapping) and value:
            yield from output_lines(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _shortened(value)


def _shortened(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if text.startswith("-----BEGIN "):
        return f"PEM, {len(text.splitlines())} lines"
    line = " ".join(text.split())
    return line if len(line) <= VALUE_CHARACTERS else f"{line[: VALUE_CHARACTERS - 3]}..."


def read_certificates(directory: Path) -> Iterator[CertificateLine]:
    """Yield every PEM certificate in a file below `directory`; links are passed over, so that none counts twice."""
    for path in sorted(directory.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        if PEM_BEGIN.search(content):
            for certificate in x509.load_pem_x509_certificates(content):
                yield _line(str(path.relative_to(directory)), certificate)


def _line(file: str, certificate: x509.Certificate) -> CertificateLine:
    return CertificateLine(
        file=file,
        subject=certificate.subject.rfc4514_string(),
        names=", ".join(_alt_names(certificate)),
        not_before=f"{certificate.not_valid_before_utc:%Y-%m-%d}",
        not_after=f"{certificate.not_valid_after_utc:%Y-%m-%d}",
    )


def _alt_names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in names]
