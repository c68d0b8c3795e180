"""The files below a folder: which there are, and which cannot be reached and why."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_LEFT_OUT = {"node_modules", "__pycache__"}


@dataclass(frozen=True)
class Unreadable:
    """A file that cannot be read, by its name below the folder, and why."""

    name: str
    reason: str


def list_files(root: Path) -> Iterator[Path | Unreadable]:
    """Files below `root`, which is resolved already, in order of their paths.

    Hidden files and folders are passed over. Links are followed to files within `root` only.
    """
    return _below(root, root)


def _below(folder: Path, root: Path) -> Iterator[Path | Unreadable]:
    """Files below `folder`, sorted, and what cannot be listed."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield Unreadable(_name(folder, root), f"cannot be listed: {reason(error)}")
        return
    for entry in entries:
        path = Path(entry.path)
        if entry.name.startswith(".") or entry.name in _LEFT_OUT:
            continue
        if entry.is_symlink():
            yield from _linked(path, root)
        elif entry.is_dir():
            yield from _below(path, root)
        else:
            yield path


def _linked(link: Path, root: Path) -> Iterator[Path | Unreadable]:
    """What a link stands for: nothing where its target is read anyway, its target where that is a
    hidden file (as in mounted Kubernetes volumes), and otherwise a report."""
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):
        yield Unreadable(_name(link, root), "is a link that leads nowhere")
        return
    if not target.is_relative_to(root):
        yield Unreadable(_name(link, root), "is a link out of the folder, which is not followed")
        return
    parts = target.relative_to(root).parts
    if any(part.startswith(".") or part in _LEFT_OUT for part in parts):
        if target.is_dir():
            yield Unreadable(_name(link, root), "is a link to a hidden folder; not followed")
        else:
            yield link


def _name(path: Path, root: Path) -> str:
    relative = path.relative_to(root)
    return printable(relative.as_posix())


def printable(name: str) -> str:
    """`name` as text that can be stored: bytes that are no UTF-8 stand as `\\xNN`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
