"""What logs say about one client of the report."""

from dataclasses import dataclass
from datetime import datetime

__all__ = ["LastSeen"]


@dataclass(frozen=True, slots=True)
class LastSeen:
    """What logs say about a client; it informs, and nothing follows from it.

    `at`, `generation`: of its last session; None where no log shows one, and for a certificate that only its key tells.
    `newest`: the generation that hosts accept and it should use; None for none. `unseen_days`: how many whole days the
    logs show nothing of it, up to their end; None where that cannot be told. `limit_days`: how many are too many; 0:
    none are.
    """

    at: datetime | None
    generation: int | None
    newest: int | None
    unseen_days: int | None
    limit_days: int

    @property
    def is_behind(self) -> bool:
        """Whether it used an earlier generation at last, while hosts accept a newer one."""
        return self.generation is not None and self.newest is not None and self.generation < self.newest

    @property
    def is_missed(self) -> bool:
        """Whether it was not seen for as long as is declared."""
        return bool(self.limit_days) and self.unseen_days is not None and self.unseen_days >= self.limit_days

    @property
    def label(self) -> str:
        """The day and the generation as people read them, as `2027-07-30 g1, not g2`."""
        if self.at is None:
            return "not in the logs" if self.unseen_days is not None else "cannot tell"
        which = "" if self.generation is None else f" g{self.generation}"
        return f"{self.at:%Y-%m-%d}{which}{f', not g{self.newest}' if self.is_behind else ''}"
