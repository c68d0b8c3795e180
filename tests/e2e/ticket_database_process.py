"""A process that answers a help desk's tickets, as `deskmate serve` does, until its input ends.

python -m tests.e2e.ticket_database_process SETTINGS.toml [die-after-write]
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from assistant import logs
from assistant.desk import Desk
from assistant.plugging import Plugins
from assistant.settings import load
from connectors.ticket_database import plugin
from tests.slack_desk import echo


def main() -> None:
    logs.configure()
    plugins = Plugins()
    plugins.register("ticket-database", plugin)
    with Desk(load(Path(sys.argv[1])), plugins=plugins) as desk:
        desk.pipeline = SimpleNamespace(answer=echo)
        connector: Any = desk.connectors["ticket_database"]
        if "die-after-write" in sys.argv:
            write = connector.send

            def send(reply: Any) -> str:
                write(reply)
                os.kill(os.getpid(), signal.SIGKILL)
                return ""

            connector.send = send
        desk.inbox.start()
        stop = threading.Event()
        thread = threading.Thread(target=connector.run, args=(desk.inbox.accept, stop), daemon=True)
        thread.start()
        print("ready", flush=True)
        sys.stdin.read()
        stop.set()
        thread.join()


if __name__ == "__main__":
    main()
