"""`deskmate serve` as a process of its own, as benchmarks of channels start it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def start(
    folder: Path, port: int = 0, *options: str, program: Sequence[str] = ("assistant", "serve")
) -> subprocess.Popen[bytes]:
    """Starts it in a folder with settings, on this port or any free one, with options of
    `deskmate serve`; returns when it is ready. Its log is `folder`/log. `program` is a module and
    its arguments.

    Raises RuntimeError with the end of the log if it ends before that.
    """
    port = port or free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", *program, *options],
        cwd=folder,
        env={
            **os.environ,
            "DESKMATE_HTTP__PORT": str(port),
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
        stderr=(folder / "log").open("ab"),
    )
    while process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz"):
                return process
        except OSError:  # it does not listen yet, or ended meanwhile
            time.sleep(0.1)
    raise RuntimeError((folder / "log").read_text()[-2_000:])
