"""A company that runs `deskmate serve` in processes of its own, with the folder connector of
`examples/` as its channel, and a plugin that makes trouble."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONNECTOR = Path(__file__).parents[2] / "examples/connector-folder"
PATIENCE_SECONDS = 120

TROUBLE = '''
import pathlib
import time

from starlette.responses import PlainTextResponse
from starlette.routing import Route

from assistant import hookimpl


class Broken:
    """A channel that is always down, and can be reached by HTTP."""

    name = "broken"

    def run(self, accept, stop):
        raise ConnectionError("the customer wrote: hush-hush")

    def send(self, reply):
        raise ConnectionError("the customer wrote: hush-hush")

    def find_sent(self, reply):
        return None

    def routes(self, accept):
        return [Route("/hello", lambda request: PlainTextResponse("hello from broken"))]


@hookimpl
def register_connectors(settings):
    return [Broken()] if "broken" in settings.connectors else []


@hookimpl
def message_received(message, ticket):
    if "slowly" in message.text:
        pathlib.Path("begun").touch()
        while not pathlib.Path("go").exists():
            time.sleep(0.02)
    if "trouble" in message.text:
        raise ValueError(message.text)
'''


@dataclass
class Running:
    """A `deskmate serve` that was started; `log` is everything it and its children wrote."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of a page; status 0 while there is none."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as page:
                return page.status, page.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def health(self) -> dict[str, Any]:
        """What /healthz says, parts by name."""
        said: dict[str, Any] = json.loads(self.get("/healthz")[1])
        said["parts"] = {part["name"]: part for part in said["parts"]}
        return said

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log's events of this name."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line[:1] == "{"]
        return [line for line in lines if line["event"] == name]

    def wait(self, holds: Callable[[], Any]) -> Any:
        """Waits until `holds()` is true, and returns it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (value := holds()):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.05)
        return value

    def wait_until_ready(self) -> None:
        self.wait(lambda: self.get("/readyz")[0] == 200)

    def end(self, signal_number: int = signal.SIGTERM) -> int:
        """Sends a signal and waits; returns the exit code."""
        self.process.send_signal(signal_number)
        return self.process.wait(PATIENCE_SECONDS)


@dataclass
class Company:
    """Its folder: settings, the index, messages in and out."""

    folder: Path

    @classmethod
    def found(cls, folder: Path, data_dir: Path, *connectors: str, inbox: str = "") -> Company:
        """Writes the settings and lays the packages where they are found."""
        company = cls(folder)
        company._install("folder", "deskmate_connector_folder")
        company._install("trouble", "deskmate_trouble")
        (folder / "packages/deskmate_trouble.py").write_text(TROUBLE)
        (folder / "deskmate.toml").write_text(
            f'data_dir = "{data_dir}"\n'
            '[connectors.folder]\npath = "messages"\nseconds = 0.1\n'
            + "".join(f"[connectors.{name}]\n" for name in connectors)
            + '[granted]\nfolder = ["sending"]\ntrouble = ["tickets:read", "sending"]\n'
            + "[policy]\nreply_at = 0.3\ndraft_at = 0.2\n"
            + '[inbox]\nworker_name = "desk"\ndead_after_seconds = 2\n'
            + (inbox or "quiet_seconds = 0.2\n")
        )
        (folder / "messages").mkdir()
        return company

    def _install(self, name: str, module: str) -> None:
        installed = self.folder / f"packages/{module}-0.1.0.dist-info"
        installed.mkdir(parents=True)
        (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1\n")
        (installed / "entry_points.txt").write_text(f"[deskmate.plugins]\n{name} = {module}\n")

    @contextmanager
    def serve(self, *options: str, **variables: str) -> Iterator[Running]:
        """`deskmate serve` with these options, ended at the latest when the block is left."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        log = self.folder / "log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "assistant", "serve", *options],
                cwd=self.folder,
                env=self.environment(DESKMATE_HTTP__PORT=str(port), **variables),
                stdout=output,
                stderr=output,
            )
        try:
            yield Running(process, port, log)
        finally:
            process.kill()
            process.wait()

    def environment(self, **variables: str) -> dict[str, str]:
        """What a `deskmate` of this company runs in."""
        path = [self.folder / "packages", CONNECTOR, *sys.path]
        return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), **variables}

    def write(self, name: str, text: str, thread: str) -> None:
        """A message appears at once, as the connector's README asks for."""
        part = self.folder / f"messages/{name}.part"
        part.write_text(json.dumps({"text": text, "sender": "ann@example.com", "thread": thread}))
        part.rename(self.folder / f"messages/{name}.json")

    def accepted(self) -> int:
        """How many messages were taken."""
        return len(list(self.folder.glob("messages/accepted/*.json")))

    def replies(self) -> dict[str, dict[str, Any]]:
        """The replies by conversation, of which each has one."""
        found = [json.loads(f.read_text()) for f in self.folder.glob("messages/replies/*.json")]
        assert len({reply["thread"] for reply in found}) == len(found)  # none was sent twice
        return {reply["thread"]: reply for reply in found}
