"""The two durable queues, kept by DBOS Transact (https://docs.dbos.dev).

What is in a queue survives the process. A workflow begun by a process that died is begun again by
the process that comes back under the same worker name, or by any other after `give_back`.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Literal

from dbos import DBOS, DBOSConfig, SetEnqueueOptions, SetWorkflowID, WorkflowStatus
from sqlalchemy import NullPool, create_engine, inspect, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from assistant import logs
from assistant.errors import DatabaseError
from assistant.messages import Message, Reply
from assistant.tickets.columns import clean

Kind = Literal["answer", "send"]

SENDERS = 8  # replies sent at once per process
POLLING_SECONDS = 0.1  # at half of it, waiting alone takes a fifth of a core
AHEAD = 2  # times as many are taken out of a queue as are worked on: more would keep others idle
STRANDED_SECONDS = 30.0  # longer than it takes to begin what was taken out of a queue
ACTIVE = {"PENDING", "ENQUEUED", "DELAYED"}
ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
# Workflows keep nothing but their arguments, so any version may go on with another's.
APPLICATION_VERSION = "1"
START_LOCK = 0x6465736B71756575  # PostgreSQL advisory lock: "deskqueu" in ASCII

log = logs.logger(__name__)
logging.getLogger("dbos").addHandler(logging.NullHandler())  # or it would add one to the console


class Queues:
    """The queue of messages to answer and the queue of replies to send.

    `answer` and `send` do the work. Both may be run again from their beginning at any time, but
    never twice at once in one conversation. `concurrency` is how many answers this process works
    on at once. DBOS is one per process, and so is this.
    """

    def __init__(
        self,
        url: str,
        answer: Callable[[str, str], None],
        send: Callable[[str], None],
        concurrency: int,
    ) -> None:
        self._url = url
        self._functions: dict[Kind, Callable[..., None]] = {"answer": answer, "send": send}
        self._limits: dict[Kind, int] = {"answer": concurrency, "send": SENDERS}
        self._turns = {kind: threading.Semaphore(limit) for kind, limit in self._limits.items()}
        self._workflows: dict[Kind, Callable[..., None]] = {}
        self._worker = ""
        self._under_way: set[str] = set()  # ids of workflows
        self._idle_since: dict[str, float] = {}  # of workflows that are begun and not under way

    def start(self, worker: str) -> None:
        """Begins to work on the queues as `worker`, with what this worker had begun first.

        Raises DatabaseError if the workflow database cannot be opened.
        """
        config = DBOSConfig(
            name="deskmate",
            system_database_url=self._url,
            executor_id=worker,
            application_version=APPLICATION_VERSION,
            log_level="DEBUG" if logging.root.isEnabledFor(logging.DEBUG) else "CRITICAL",
        )
        DBOS(config=config)
        self._worker, self._idle_since = worker, {}
        self._workflows = {
            kind: DBOS.workflow(name=kind)(self._plain(kind, function))
            for kind, function in self._functions.items()
        }
        try:
            with _alone(self._url):
                DBOS.launch()
                self._register()
        except SQLAlchemyError as error:
            DBOS.destroy(destroy_registry=True)
            name = make_url(self._url).render_as_string(hide_password=True)
            what = str(getattr(error, "orig", error)).splitlines()[0]
            raise DatabaseError(f"{name}: the queues cannot be opened ({what}).") from error

    def _register(self) -> None:
        for kind, limit in self._limits.items():
            DBOS.register_queue(
                kind,
                worker_concurrency=AHEAD * limit,
                partition_concurrency=1,
                polling_interval_sec=POLLING_SECONDS,
                on_conflict="always_update",
            )

    def stop(self, seconds: int) -> None:
        """Takes no more work, and waits so many seconds at most for what is running."""
        self._workflows = {}
        # DBOS looks for the first time after a second. What begins in this very moment is run
        # again at the next start, as after a crash.
        wait = seconds if self._under_way else 0
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=wait)

    @property
    def running(self) -> bool:
        """Whether this was started, and not stopped."""
        return bool(self._workflows)

    def _plain(self, kind: Kind, function: Callable[..., None]) -> Callable[..., None]:
        """`function`, a bound method, as something that DBOS can put its attributes on, and whose
        failures are seen while DBOS itself is kept quiet."""

        def workflow(*arguments: str) -> None:
            id_ = str(DBOS.workflow_id)
            self._under_way.add(id_)
            try:
                with self._turns[kind]:
                    function(*arguments)
            except Exception as error:
                log.error("failed_workflow", kind=kind, id=arguments[-1], error=logs.place(error))
                raise
            finally:
                self._under_way.discard(id_)

        return workflow

    def enqueue_message(
        self, workflow_id: str, ticket_id: int, message: Message, delay_seconds: float = 0.0
    ) -> None:
        """Has a stored message answered, `delay_seconds` from now at the earliest, unless a
        workflow of this id was enqueued before."""
        # Names are cleaned as the ticket database cleans them: PostgreSQL refuses NUL.
        names = (clean(message.connector), clean(message.external_id))
        self._enqueue("answer", workflow_id, ticket_id, names, delay_seconds)

    def enqueue_reply(self, workflow_id: str, reply: Reply) -> None:
        """Has a stored reply sent, unless a workflow of this id was enqueued before."""
        self._enqueue("send", workflow_id, reply.ticket_id, (reply.id,), 0.0)

    def _enqueue(
        self,
        kind: Kind,
        workflow_id: str,
        ticket_id: int,
        arguments: tuple[str, ...],
        delay_seconds: float,
    ) -> None:
        options = SetEnqueueOptions(
            queue_partition_key=str(ticket_id), delay_seconds=delay_seconds or None
        )
        with SetWorkflowID(workflow_id), options:
            DBOS.enqueue_workflow(kind, self._workflows[kind], *arguments)

    def missing(self, ids: Collection[str]) -> Iterator[tuple[str, str]]:
        """Of these workflows, those that are neither waiting nor running: each id, with the id
        to enqueue it under, which is a new one if the first was used up."""
        wanted = list(ids)
        for start in range(0, len(wanted), 500):
            chunk = wanted[start : start + 500]
            found = DBOS.list_workflows(workflow_ids=chunk, load_input=False, load_output=False)
            status = {workflow.workflow_id: workflow.status for workflow in found}
            for workflow_id in chunk:
                if workflow_id not in status:
                    yield workflow_id, workflow_id
                elif status[workflow_id] not in ACTIVE:
                    yield workflow_id, f"{workflow_id}/{uuid.uuid4()}"

    def give_back(self, workers: Collection[str]) -> int:
        """Puts what these workers, all of them dead, had begun back into its queues, each in its
        old place; returns how many workflows that were."""
        begun = _begun(workers)
        _put_back(begun)
        return len(begun)

    def take_up_stranded(self) -> int:
        """Puts back what this process began and does not work on any more, since DBOS could not
        note that it ended, as on a full disk; returns how many workflows that were."""
        now, begun = time.monotonic(), _begun([self._worker])
        idle = {w.workflow_id for w in begun} - self._under_way
        self._idle_since = {id_: self._idle_since.get(id_, now) for id_ in idle}
        stranded = [
            workflow
            for workflow in begun
            if now - self._idle_since.get(workflow.workflow_id, now) >= STRANDED_SECONDS
        ]
        _put_back(stranded)
        return len(stranded)

    def bring_forward(self, seconds: float) -> int:
        """Has no message wait for more of its kind that would for longer than `seconds`; returns
        how many would. DBOS notes until when by the wall clock, which may have been set back."""
        latest_ms = 1_000 * (time.time() + seconds)
        delayed = DBOS.list_workflows(status="DELAYED", load_input=False, load_output=False)
        late = [w.workflow_id for w in delayed if (w.delay_until_epoch_ms or 0) > latest_ms]
        for workflow_id in late:
            DBOS.set_workflow_delay(workflow_id, delay_seconds=0)
        return len(late)

    def clear(self, before: datetime) -> int:
        """Forgets workflows that ended before then, a thousand at most; returns how many. Messages
        and replies keep their own record, in the ticket database."""
        ended = DBOS.list_workflows(
            status=ENDED,
            completed_before=before.isoformat(),
            limit=1_000,
            load_input=False,
            load_output=False,
        )
        if ended:
            DBOS.delete_workflows([workflow.workflow_id for workflow in ended])
        return len(ended)


def _begun(workers: Collection[str]) -> list[WorkflowStatus]:
    return DBOS.list_workflows(
        executor_id=list(workers), status="PENDING", load_input=False, load_output=False
    )


def _put_back(begun: Collection[WorkflowStatus]) -> None:
    for queue in {workflow.queue_name for workflow in begun}:
        ids = [workflow.workflow_id for workflow in begun if workflow.queue_name == queue]
        DBOS.resume_workflows(ids, queue_name=queue)


def workflow_database_url(tickets_url: str) -> str:
    """Where DBOS keeps its tables: beside a SQLite ticket database in a file of its own, with
    PostgreSQL in the same database, in the schema `dbos`."""
    url = make_url(tickets_url)
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "deskmate.sqlite")
        return f"sqlite:///{path.with_name(path.stem + '.workflows.sqlite')}"
    return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def forget(url: str, ids: Collection[str]) -> None:
    """Takes these workflows, and later attempts at them, out of the workflow database for good,
    whatever their state: what they were about is gone."""
    if not ids:
        return
    engine = create_engine(url, poolclass=NullPool)
    schema = "dbos" if engine.dialect.name == "postgresql" else None
    with engine.connect() as connection:
        if not inspect(connection).has_table("workflow_status", schema=schema):
            return
        table = f"{schema}.workflow_status" if schema else "workflow_status"
        if not schema:
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")
        own = text(
            f"DELETE FROM {table} WHERE workflow_uuid = :id"
            " OR substr(workflow_uuid, 1, :length) = :id || '/'"
        )
        connection.execute(own, [{"id": id_, "length": len(id_) + 1} for id_ in ids])
        connection.commit()
        if not schema:
            connection.exec_driver_sql("VACUUM")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def _alone(url: str) -> Iterator[None]:
    """One process at a time opens the queues: on PostgreSQL two that make DBOS's tables at once
    can end in a deadlock. On SQLite, DBOS takes care of that."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            # Asked again and again: DBOS makes indexes concurrently, and that waits for every
            # open statement, so also for one that waits for this lock.
            while not connection.scalar(text(f"SELECT pg_try_advisory_lock({START_LOCK})")):
                connection.commit()
                time.sleep(POLLING_SECONDS)
            connection.commit()
        else:
            # The journal mode stays in the file: with SQLite's default DBOS does 18 workflows a
            # second, with a write-ahead log 258.
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        yield
