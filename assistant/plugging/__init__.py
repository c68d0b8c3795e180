"""Finds plugins and calls their hooks, so that a faulty plugin costs only itself."""

from assistant.plugging.calling import Faults
from assistant.plugging.loaded import PluginInfo
from assistant.plugging.plugins import Plugins

__all__ = ["Faults", "PluginInfo", "Plugins"]
