"""Finds plugins and calls their hooks, so that a faulty plugin costs only itself."""

from assistant.plugging.calling import Faults
from assistant.plugging.plugins import Plugins
from assistant.plugging.registry import PluginInfo

__all__ = ["Faults", "PluginInfo", "Plugins"]
