"""A Postfix of somebody else that is deployed to by SSH."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from postfix.deploy.sessions.ssh import SshSession
from postfix.deploy.sessions.ssh_connection import close_all
from tests.support.cut_program import CutSession, program_that
from tests.support.postfix_instance import boot
from tests.support.relay import MAIN_CF, Relay
from tests.support.ssh_server import SshServer

__all__ = ["FarRelay", "far_relay"]


class FarRelay(Relay):
    """A relay behind a server; its program may be cut at a step."""

    server: SshServer
    place: Path

    def connect(self, step: str = "", commands: str = "", *, has_trial: bool = True) -> None:
        """Begin anew with a session that knows nothing; before a step its program runs commands of the shell."""
        program = Path(program_that(self.place, step, commands, has_trial=has_trial)).read_bytes()
        session = SshSession(self.server.access, str(self.instance.config_directory), program=program)
        if self.server.user != "root":
            self.server.put_program(program)
        # What is told of a relay is the same, whatever way it is reached.
        self.session = cast("CutSession", session)

    @property
    def steps(self) -> list[str]:
        """The steps that the program has gone through."""
        noted = self.place / "steps"
        return noted.read_text().splitlines() if noted.exists() else []


@contextmanager
def far_relay(directory: Path, server: SshServer) -> Iterator[FarRelay]:
    """Boot a Postfix of somebody else with MAIN_CF, and give it as one behind a server."""
    (directory / "rendered").mkdir()
    (directory / "rendered/main.cf").write_text(MAIN_CF)
    (directory / "program").mkdir()
    with boot(directory / "rendered") as instance:
        relay = FarRelay(instance, cast("CutSession", None))
        relay.server, relay.place = server, directory / "program"
        relay.connect()
        try:
            yield relay
        finally:
            close_all()
