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
from assistant.settings import load
from connectors.email import plugin
from tests.slack_desk import echo


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
        connector = desk.connectors["email"]
        thread = threading.Thread(target=connector.run, args=(desk.inbox.accept, stop), daemon=True)
        thread.start()
        print("ready", flush=True)
        sys.stdin.read()
        stop.set()
        thread.join()


if __name__ == "__main__":
    main()
