"""Lets interrupts reach the engine, also where this process was started with interrupts ignored."""

import signal

__all__ = ["heed_interrupts"]


def heed_interrupts() -> None:
    """Set SIGINT back to its default, for this process and for all that it starts.

    Shells without job control start background jobs with SIGINT ignored, and some build servers start everything so.
    A process that is started inherits that, and the engine ends its plugins with SIGINT: it would wait 5 seconds for
    each plugin at the end of every command before it kills it.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
