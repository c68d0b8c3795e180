"""Finds plugins and calls their hooks, so that a faulty plugin costs only itself."""

from assistant.plugging.plugins import Faults, PluginInfo, Plugins

__all__ = ["Faults", "PluginInfo", "Plugins"]
