from __future__ import annotations

import pytest

from assistant.testing.desk import PluginDesk


@pytest.fixture
def plugin_desk() -> PluginDesk:
    """A desk in memory for one test, that fails the test at a plugin's first fault."""
    return PluginDesk()
