"""The program that carries out a transaction on a host."""

from importlib.resources import files

__all__ = ["program_path"]


def program_path() -> str:
    """Return where the POSIX shell program lies in this installation."""
    return str(files(__name__).joinpath("postseal-host"))
