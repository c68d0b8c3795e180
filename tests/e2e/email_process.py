"""A process that answers the mails of one mailbox, as `deskmate serve` does, until its input ends.

python -m tests.e2e.email_process SETTINGS.toml echo|pipeline
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import SimpleNamespace

from assistant import logs
from assistant.desk import Desk
from assistant.plugging import Plugins
from assistant.serving import parts
from assistant.settings import load
from connectors.email import plugin
from tests.channel_desk import echo

STOP_SECONDS = 10.0


def main() -> None:
    file, answering = sys.argv[1:3]
    logs.configure()
    plugins = Plugins()
    plugins.register("email", plugin)
    with Desk(load(Path(file)), plugins=plugins) as desk:
        if answering == "echo":
            desk.pipeline = SimpleNamespace(answer=echo)
        else:
            desk.warm_up()
        desk.inbox.start()
        stop = threading.Event()
        running = parts.of_connector(desk.connectors["email"], desk.inbox.accept)
        for part in running:
            part.start(stop)
        print("ready", flush=True)
        sys.stdin.read()
        stop.set()
        for part in running:
            part.join(STOP_SECONDS)


if __name__ == "__main__":
    main()
