"""`deskmate serve`: everything that runs all day, in one process or several.

service.py   starts and stops it all, in order
parts.py     what is supervised: run again when it fails, with growing pauses
children.py  the processes beside this one: workers and a Chroma server
following.py  plugins that change while it runs
web.py       /healthz, /readyz, /metrics, and what connectors receive by HTTP
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.desk import Desk


def serve(
    desk: Desk,
    stop: threading.Event,
    *,
    only: Collection[str] = (),
    workers: int = 0,
    reload: bool = False,
) -> None:
    """Answers what the connectors bring until `stop` is set, then finishes what was begun.

    `only` names the connectors to run here (all if it is empty), or `workers` for none of them:
    every process answers and sends whatever is waiting. `workers` more processes are started beside
    this one. With `reload`, plugins that their authors edit are loaded anew.

    Raises SettingsError for a name or number that cannot be, and whatever hinders the start.
    """
    with tempfile.TemporaryDirectory(prefix="deskmate-metrics-") as folder:
        if workers:
            # prometheus_client looks at it when it is imported, so before `service` is.
            os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", folder)
        from assistant.serving.service import Service

        Service(desk, only, workers, reload).run(stop)
