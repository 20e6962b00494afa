"""The plugin over gRPC; after each test, nothing secret may have come back in clear."""

from collections.abc import Iterator
from random import Random

import pytest

from postseal.provider import handlers
from tests.support.plugin_runs import PluginRuns, plugin_runs


@pytest.fixture
def plugin(capfd: pytest.CaptureFixture[str]) -> Iterator[PluginRuns]:
    """Return the plugin with all its handlers; fails the test if a key or a passphrase came back or was printed."""
    entropy = Random("postseal").randbytes
    with plugin_runs(handlers(), entropy) as runs:
        yield runs
        assert runs.answers
        assert runs.clear_secrets() == []
        printed = capfd.readouterr()
        assert "PRIVATE KEY-----" not in printed.out + printed.err
        assert "Traceback" not in printed.err
        assert not [secret for secret in runs.hidden if secret in printed.out + printed.err]
