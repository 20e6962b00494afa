"""Which handler serves which resource type, loaded at its first use: the engine waits for the plugin's start."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module

from postseal_core.plugin.handler import AnyHandler

__all__ = ["Registry", "registry_of"]


class Registry(Mapping[str, AnyHandler]):
    """Handlers by type token; each is a module and a class, as `pki.certificate.handler:CertificateHandler`."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = places

    def __getitem__(self, token: str) -> AnyHandler:
        return _handler_at(self._places[token])

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def registry_of(types_by_place: Mapping[str, tuple[str, ...]]) -> Registry:
    """Return the registry of a package, from the names of the types that the handler at each place serves."""
    return Registry(
        {f"postseal:index:{name}": place for place, names in types_by_place.items() for name in names},
    )


@cache
def _handler_at(place: str) -> AnyHandler:
    module, _, name = place.partition(":")
    handler: AnyHandler = getattr(import_module(module), name)()
    return handler
