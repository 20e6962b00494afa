"""Load the engine's protocol without the SDK around it."""

import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

__all__ = ["load_protocol_alone"]

_PACKAGES = ("pulumi", "pulumi.runtime")


def load_protocol_alone() -> None:
    """Make `pulumi.runtime.proto` importable and nothing else of `pulumi`; for a process that runs no program.

    The SDK loads tracing, pickling and the automation API with it: a third of the plugin's start, at each command of
    the engine. The messages need none of it, only packages to stand in. Where the SDK is loaded already nothing is
    done; afterwards it cannot be loaded in this process any more.
    """
    if _PACKAGES[0] in sys.modules:
        return
    path = None
    for name in _PACKAGES:
        spec = PathFinder.find_spec(name, path)
        if spec is None:
            raise ModuleNotFoundError(f"{name} is not installed beside the plugin", name=name)
        package = sys.modules[name] = module_from_spec(spec)  # its code is not run
        path = package.__path__
