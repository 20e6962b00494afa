"""Find who must be served anew because the authority's key that signed their certificate is distrusted."""

from collections.abc import Iterable, Iterator, Mapping

from pki.distrust import signer_to_replace
from pki.records import RevokedIssue
from pki.roster.records import IssuedRow
from postseal_core.packing import unpack_records
from postseal_core.records import Plain, decode

__all__ = ["names_to_serve"]

Issued = tuple[int, Iterable[Plain]]
"""Generation of a single certificate, and its revoked ones as its output has them."""


def names_to_serve(
    slot: str, sections: Mapping[str, Mapping[str, Issued]], rosters: Mapping[str, str]
) -> dict[str, list[str]]:
    """Return, by section, the names of those whose certificate a distrusted slot signed until it was distrusted.

    `slot`: its name. `sections`: single certificates by section and name. `rosters`: their packed output `issued`. A
    name is there until its next regular renewal.
    """
    names: dict[str, list[str]] = {}
    for section, name, signer in (*_of_singles(sections), *_of_rosters(rosters)):
        if signer == slot:
            names.setdefault(section, []).append(name)
    return names


def _of_singles(sections: Mapping[str, Mapping[str, Issued]]) -> Iterator[tuple[str, str, str]]:
    """Yield section, name and distrusted signer of single certificates."""
    for section, certificates in sections.items():
        for name, (generation, revoked) in certificates.items():
            yield section, name, _signer(generation, [decode(RevokedIssue, each) for each in revoked])


def _of_rosters(rosters: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield section, name and distrusted signer of the clients of rosters."""
    for roster, packed in rosters.items():
        for row in unpack_records(IssuedRow, packed):
            yield f"rosters.{roster}", row.name, _signer(row.issued.generation, row.issued.revoked)


def _signer(generation: int, revoked: Iterable[RevokedIssue]) -> str:
    signer = signer_to_replace(generation, (each.schedule for each in revoked))
    return signer.name if signer else ""
