"""Structured logs without customers' words.

An event is `verb_noun` with ids beside it. Errors appear by their kind and place and not in their
own words, since these may quote a customer; so do records of other libraries. The whole of both is
shown with `--debug`.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

Event = MutableMapping[str, Any]

OURS = ("deskmate", "assistant", "connectors", "plugins")


def logger(name: str) -> Any:
    """A logger of events: `log.info("stored_outcome", ticket=3, action="reply")`.

    It hands them to Python's `logging`, so that they go where the program that uses Deskmate sends
    its logs, or nowhere.
    """
    return structlog.wrap_logger(
        logging.getLogger(name),
        wrapper_class=structlog.stdlib.BoundLogger,
        processors=[structlog.stdlib.filter_by_level, _for_logging],
    )


def place(error: BaseException) -> str:
    """The kind of an error and where it was raised: `ConnectionError at imap.py:81`; for what the
    operating system says, its words as well."""
    frames = traceback.extract_tb(error.__traceback__)
    at = f" at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
    said = f" ({os.strerror(error.errno)})" if isinstance(error, OSError) and error.errno else ""
    return f"{type(error).__name__}{at}{said}"


def configure(stream: TextIO = sys.stderr, *, debug: bool = False) -> None:
    """Sends logs to `stream`: for people if it is a terminal, else one JSON object a line."""
    to_people = stream.isatty()
    render: Any = (
        structlog.dev.ConsoleRenderer(colors=True)
        if to_people
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if to_people else "iso", utc=not to_people),
    ]
    shared += [] if to_people else [_with_process]
    shared += [] if debug else [_without_words]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_with_fields, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *([structlog.processors.format_exc_info] if not to_people else []),
                render,
            ],
        )
    )
    handler.addFilter(lambda record: debug or record.levelno >= _least(record.name))
    logging.root.handlers = [handler]
    logging.root.setLevel(logging.DEBUG if debug else logging.INFO)


def _for_logging(logger: Any, method: str, event: Event) -> tuple[tuple[str], dict[str, Any]]:
    """An event as a record whose text reads well for any handler; ours finds the fields beside."""
    name, exc_info = event.pop("event"), event.pop("exc_info", None)
    text = " ".join([name, *(f"{key}={value}" for key, value in event.items())])
    fields = {"event": name, **event}
    return (text,), {"exc_info": exc_info, "extra": {"fields": fields}}


def _with_fields(logger: Any, method: str, event: Event) -> Event:
    event.update(getattr(event["_record"], "fields", {}))
    return event


def _with_process(logger: Any, method: str, event: Event) -> Event:
    event["pid"] = os.getpid()
    return event


def _least(name: str) -> int:
    return logging.INFO if name.split(".")[0] in OURS else logging.WARNING


def _without_words(logger: Any, method: str, event: Event) -> Event:
    record: logging.LogRecord = event["_record"]
    exc_info = event.pop("exc_info", None) or record.exc_info
    if isinstance(exc_info, tuple) and exc_info[1] is not None:
        event["error"] = place(exc_info[1])
        record.exc_info = record.exc_text = None
    if record.name.split(".")[0] not in OURS:
        at = f"{os.path.basename(record.pathname)}:{record.lineno}"
        kept = {key: event[key] for key in ("timestamp", "level", "pid", "error") if key in event}
        record_meta = {key: value for key, value in event.items() if key.startswith("_")}
        event.clear()
        event.update({"event": "warned", "logger": record.name, "at": at, **kept, **record_meta})
    return event
