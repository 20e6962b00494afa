"""Who is let in by certificate through one service of a host."""

from collections.abc import Sequence
from dataclasses import dataclass

from pki.components.roster import ClientRoster
from postfix.components.certificates import RelayingClient
from postfix.tables import ClientRow

__all__ = ["Admission"]


@dataclass(frozen=True, slots=True)
class Admission:
    """Who is let in by certificate through one service of a host.

        postfix.Admission(clients=[alice], rosters=[staff])

    Args:
        clients: Single clients; a server only if it is `also_client`. Default: none.
        rosters: Rosters all of whose clients are let in. Default: none.
        extra: Certificates from elsewhere. Default: none.
    """

    clients: Sequence[RelayingClient] = ()
    rosters: Sequence[ClientRoster] = ()
    extra: Sequence[ClientRow] = ()

    @property
    def without_waiting(self) -> "Admission":
        """Without clients and rosters whose authority has no certificate yet: there is nothing to let in."""
        clients = [each for each in self.clients if not each.awaits]
        return Admission(clients, [each for each in self.rosters if not each.awaits], self.extra)

    def __bool__(self) -> bool:
        """Return whether anybody is let in."""
        return bool(self.clients or self.rosters or self.extra)
