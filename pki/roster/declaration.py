"""Access to a roster's declaration and stored inputs, client by client, parsed on demand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pki.declared import named
from pki.demand import Basis
from pki.fields import DeclaredCertificate
from pki.generations import Schedule
from pki.key_material import HeldIssuer
from pki.model import Profile
from pki.roster.records import RosterInputs, ScheduleRow
from pki.roster.rows import RosterRow, declared_of, lines_by_client, row_of_line, rows_of
from postseal_core.errors import ConfigError, PostsealError, StateError
from postseal_core.packing import records_of_lines, unpack

__all__ = ["Declaration", "StoredRoster"]

_SHOWN: Final = 3
_CURE: Final = "put the state back as this plugin wrote it"


@dataclass(frozen=True, slots=True)
class Declaration:
    """The declared roster: a line for each client, shared fields, and the issuer.

    `lines`: see `pki.roster.rows`. `shared`: with the issuer's `crl_urls`.
    """

    lines: Mapping[str, str]
    shared: DeclaredCertificate
    issuer: HeldIssuer

    def is_alike_for_all(self, other: "Declaration") -> bool:
        """Return whether shared fields and issuer are the same."""
        return (self.shared, self.issuer) == (other.shared, other.issuer)

    @classmethod
    def of_inputs(cls, inputs: RosterInputs) -> "Declaration":
        """Return the declaration stored in these inputs."""
        issuer = HeldIssuer(inputs.issuer, inputs.issuer_slot, inputs.issuer_key)
        try:
            lines = rows_of(unpack(inputs.clients))
        except ConfigError as error:  # nobody has written these lines but this plugin
            raise StateError(f"the state of {inputs.name} has no readable clients: {_CURE}", error.problems) from None
        return cls(lines, inputs.shared, issuer)

    def row(self, name: str) -> RosterRow:
        """Return the declared row of one client; raise ConfigError if its line cannot be read."""
        return row_of_line(name, self.lines[name])

    def declared(self, row: RosterRow) -> DeclaredCertificate:
        """Return a client's complete declaration, with the roster's defaults."""
        return declared_of(row, self.shared)

    def is_confirming(self, name: str) -> bool:
        """Return whether earlier generations of a client wait for a confirmation."""
        return self.declared(self.row(name)).confirm

    def basis(self, declared: DeclaredCertificate) -> Basis:
        """Return the declaration and issuer that a client's certificate is issued with."""
        return Basis(named(declared), Profile.CLIENT, self.issuer.label, self.issuer.key)


@dataclass(frozen=True, slots=True)
class StoredRoster:
    """The stored roster: the previous declaration and the line of a `ScheduleRow` for each client."""

    declaration: Declaration
    schedules: Mapping[str, str]

    @classmethod
    def of_inputs(cls, inputs: RosterInputs) -> "StoredRoster":
        """Return the roster stored in these inputs."""
        schedules = {name: lines[0] for name, lines in lines_by_client(inputs.schedules).items()}
        declaration = Declaration.of_inputs(inputs)
        if strange := schedules.keys() - declaration.lines.keys():
            some = ", ".join(sorted(strange)[:_SHOWN])
            raise PostsealError(
                f"the state of {inputs.name} decides for clients that it does not have ({some}): {_CURE}"
            )
        return cls(declaration, schedules)

    def schedule(self, name: str) -> Schedule:
        """Return the schedule of one client."""
        return next(records_of_lines(ScheduleRow, [self.schedules[name]])).schedule
