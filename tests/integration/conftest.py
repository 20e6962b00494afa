"""What several files of integration tests begin with."""

from collections.abc import Iterator

import pytest

from tests.support.relay import Relay, relay_below


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    """Return a running relay of somebody else, one for all tests of a file."""
    with relay_below(tmp_path_factory.mktemp("relay")) as relay:
        yield relay
