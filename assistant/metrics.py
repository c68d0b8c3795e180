"""What Prometheus is told (https://prometheus.io). The text for it is made in `serving/web.py`.

Several processes of one `deskmate serve` are counted together: each writes to files in the folder
that PROMETHEUS_MULTIPROC_DIR names, which has to be set before this module is imported
(https://prometheus.github.io/client_python/multiprocess/).
"""

from __future__ import annotations

from datetime import UTC, datetime

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from assistant.messages import Outcome

disable_created_metrics()  # type: ignore[no-untyped-call]

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

ACCEPTED = Counter(
    "deskmate_messages_accepted", "Messages taken from connectors, redeliveries too.", ["connector"]
)
GIVEN_UP = Counter(
    "deskmate_arrivals_given_up",
    "What a connector took in and could make no message of, for a day.",
    ["connector"],
)
OUTCOMES = Counter("deskmate_outcomes", "How messages ended.", ["action"])
FAILED_ANSWERS = Counter("deskmate_failed_answers", "Tries to answer that ended in an error.")
SENT = Counter("deskmate_sends", "Tries to send a reply.", ["connector", "result"])
STEP_SECONDS = Histogram(
    "deskmate_step_seconds", "Time of each step of a message's path.", ["step"], buckets=_SECONDS
)
OUTCOME_SECONDS = Histogram(
    "deskmate_outcome_seconds",
    "From a message's arrival, or its burst's, until its outcome is stored.",
    buckets=(*_SECONDS, 120, 300, 900),
)
LOAD_SECONDS = Gauge(
    "deskmate_models_load_seconds",
    "Time to load and warm the models.",
    multiprocess_mode="max",
)
PART_UP = Gauge(
    "deskmate_part_up",
    "Whether a supervised part runs: a connector, a worker process, a Chroma server.",
    ["kind", "name"],
    multiprocess_mode="livemostrecent",
)
PART_RESTARTS = Counter(
    "deskmate_part_restarts", "Restarts of a supervised part.", ["kind", "name"]
)


def count_outcome(outcome: Outcome, received_at: datetime) -> None:
    """Counts an outcome of a message that came then, with the times of its steps."""
    OUTCOMES.labels(outcome.action).inc()
    OUTCOME_SECONDS.observe((datetime.now(UTC) - received_at).total_seconds())
    for step in outcome.trace:
        STEP_SECONDS.labels(step.name).observe(step.milliseconds / 1_000)
