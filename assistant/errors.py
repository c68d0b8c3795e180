"""Every error Deskmate raises on purpose.

    DeskmateError
    ├── SettingsError        a key or value in deskmate.toml or the environment is wrong
    ├── WeightsError         a model's weights are missing or not the ones expected
    ├── UnreadableError      a file or picture cannot be read; the others go on
    ├── KnowledgeError       the index is empty, locked, or made by another model
    ├── DatabaseError        the ticket database is missing, locked or not migrated
    ├── AnsweringError       the chat model failed or gave nothing that can be used
    ├── UndeliverableError   a channel refuses a reply for good
    ├── UnreachableError     a channel's server is away or does not let us in; it is tried again
    └── PluginError          a plugin or connector cannot be loaded

A message names the thing, its value and the next step, and is fit to be shown as it is.
"""

from __future__ import annotations


class DeskmateError(Exception):
    """Something Deskmate expected to go wrong; the command line prints it without a traceback."""

    exit_code = 1


class SettingsError(DeskmateError):
    """A setting has an unknown name or a value that is not allowed."""

    exit_code = 2


class WeightsError(DeskmateError):
    """A model's weights cannot be found, or their checksum is not the one expected."""

    exit_code = 3


class UnreadableError(DeskmateError):
    """One file, picture or attachment cannot be read; everything else goes on without it."""

    exit_code = 4


class KnowledgeError(DeskmateError):
    """The index is empty, in use by another process, or was made by another model."""

    exit_code = 5


class DatabaseError(DeskmateError):
    """The ticket database cannot be opened, is locked, or needs `deskmate db upgrade`."""

    exit_code = 6


class AnsweringError(DeskmateError):
    """The chat model cannot be reached, or what it returned cannot be used."""

    exit_code = 7


class UndeliverableError(DeskmateError):
    """A channel will never take this reply; trying again is of no use, a person has to look."""

    exit_code = 9


class UnreachableError(DeskmateError):
    """A channel's server cannot be reached, or does not let us in; it is tried again, and what
    the message says is shown beside the channel until that succeeds."""

    exit_code = 10


class PluginError(DeskmateError):
    """A plugin or connector cannot be loaded or registered."""

    exit_code = 8
