"""The processes that `deskmate serve` starts beside its own: workers, and a Chroma server."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

from prometheus_client import multiprocess

from assistant.errors import KnowledgeError
from assistant.serving.parts import Part

STOP_SECONDS = 75.0  # a worker drains for a minute; after this it is killed
SERVER_LOG = "server.log"
CHROMA_SECONDS = 60.0  # until a Chroma server has to answer
LOOK_SECONDS = 0.1
DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, prctl(2)

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def worker(name: str, environment: Mapping[str, str]) -> Part:
    """A process that answers messages and runs no connector."""
    command = [sys.executable, "-m", "assistant", "serve", "--only", "workers"]
    own = {"DESKMATE_INBOX__WORKER_NAME": name, "DESKMATE_HTTP__PORT": "0"}
    return Part("worker", name, _process(command, {**environment, **own}))


def chroma(folder: Path, port: int) -> Part:
    """A Chroma server on this machine for the vectors in `folder`."""
    run = "from chromadb.cli.cli import app; app()"
    options = ["run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    command = [sys.executable, "-c", run, *options]
    # It notes each request unless it is told not to.
    environment = {"ANONYMIZED_TELEMETRY": "False", "RUST_LOG": "error"}
    return Part("chroma", "chroma", _process(command, environment, folder / SERVER_LOG))


def wait_for_chroma(folder: Path, port: int, stop: threading.Event) -> None:
    """Waits until the server for `folder` answers. Raises KnowledgeError if it does not."""
    url = f"http://127.0.0.1:{port}/api/v2/heartbeat"
    deadline = time.monotonic() + CHROMA_SECONDS
    while not stop.is_set():
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError) as error:
            if time.monotonic() > deadline:
                raise KnowledgeError(
                    f"{url}: the Chroma server that was started does not answer ({error})."
                    f" Look into {folder / SERVER_LOG}, or set knowledge.chroma_url to a server of"
                    " your own."
                ) from error
        stop.wait(LOOK_SECONDS)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def _process(
    command: Sequence[str], environment: Mapping[str, str], log: Path | None = None
) -> Callable[[threading.Event], None]:
    def run(stop: threading.Event) -> None:
        # A session of its own: Ctrl-C is this process's to hear, which stops the others in order.
        with log.open("wb") if log else nullcontext(sys.stderr) as output:
            process = subprocess.Popen(  # noqa: S603 - the command is ours
                command,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        while process.poll() is None and not stop.wait(LOOK_SECONDS):
            pass
        if stop.is_set():
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            multiprocess.mark_process_dead(process.pid)  # type: ignore[no-untyped-call]
        if not stop.is_set():
            raise ChildProcessError(f"it ended with exit code {process.returncode}")

    return run


def _die_with_parent() -> None:
    """Asks Linux to stop this child if the parent is killed; elsewhere it lives on."""
    if _libc:
        _libc.prctl(DEATH_SIGNAL, signal.SIGTERM)
