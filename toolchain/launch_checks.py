"""Refuses to start the engine with switches that make it write keys in clear."""

from collections.abc import Mapping, Sequence

from postseal_core.clear_logs import clear_log_switches
from toolchain.errors import ToolchainError

__all__ = ["CLEAR_LOGS_VARIABLE", "refuse_clear_logs"]

CLEAR_LOGS_VARIABLE = "POSTSEAL_CLEAR_LOGS"
"""`allow` starts the engine all the same: for throw-away stacks only."""


def refuse_clear_logs(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Raise ToolchainError where the arguments or the environment of `pulumi` have its secrets written in clear."""
    switches = clear_log_switches(arguments, environment)
    if not switches or environment.get(CLEAR_LOGS_VARIABLE) == "allow":
        return
    raise ToolchainError(
        f"{', '.join(switches)}: the engine would write private keys and passphrases in clear. Leave it out; on a "
        f"throw-away stack, set {CLEAR_LOGS_VARIABLE}=allow (docs/secrets.md)."
    )
