"""How well the assistant does, and from which confidence it may act alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from starlette.responses import Response

from assistant.console import figures
from assistant.console.access import Pages
from assistant.console.calls import Call
from assistant.errors import DeskmateError

PERIODS = (7, 30, 90)
PREVIEWED_DAYS = 30

pages = Pages()


@pages.get("/quality", allow="viewer", title="Quality")
def quality(call: Call) -> Response:
    """The figures of a period, of all channels or of one."""
    return _page(call)


@pages.get("/quality/preview", allow="viewer")
def preview(call: Call) -> Response:
    """What other thresholds would have done last month."""
    try:
        reply_at, draft_at = _share(call.asked("reply_at")), _share(call.asked("draft_at"))
    except DeskmateError as error:
        return call.show("problem_part.html", 400, code=400, words=str(error))
    return call.show("preview.html", preview=_preview(call, reply_at, draft_at))


@pages.post("/quality/thresholds", allow="lead")
def choose(call: Call) -> Response:
    """Sets the thresholds, for all processes and from the next message on."""
    try:
        reply_at, draft_at = _share(call.text("reply_at")), _share(call.text("draft_at"))
        call.tickets.thresholds.choose(reply_at, draft_at, call.who)
    except DeskmateError as error:
        return _page(call, str(error), 400)
    return call.go("/quality", "The thresholds hold from the next message on.")


@pages.post("/quality/thresholds/forget", allow="lead")
def forget(call: Call) -> Response:
    """Lets the settings' thresholds hold again."""
    call.tickets.thresholds.forget(call.who)
    return call.go("/quality", "The settings' thresholds hold again.")


def _page(call: Call, problem: str = "", status: int = 200) -> Response:
    days = int(call.asked("days")) if call.asked("days").isdecimal() else 30
    days = days if days in PERIODS else 30
    channel = call.asked("channel")
    since = _days_ago(days)
    found = call.tickets.quality.figures(since, channel)
    judged = call.tickets.verdicts.bins(since, channel)
    policy = call.office.desk.policy()
    return call.show(
        "quality.html",
        status,
        days=days,
        periods=PERIODS,
        channel=channel,
        channels=sorted({*call.office.desk.connectors, *found.channels}),
        found=found,
        plots=figures.plots(found, since),
        trust=figures.trust(judged),
        judged=sum(one.right + one.wrong for one in judged),
        policy=policy,
        chosen=call.tickets.thresholds.chosen(),
        preview=_preview(call, policy.reply_at, policy.draft_at),
        problem=problem,
    )


def _preview(call: Call, reply_at: float, draft_at: float) -> figures.Preview:
    return figures.preview(
        call.tickets.verdicts.bins(_days_ago(PREVIEWED_DAYS)), reply_at, draft_at
    )


def _days_ago(days: int) -> datetime:
    """The beginning of the first of so many days, today among them."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days - 1)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise DeskmateError(f"{text!r} is no number from 0 to 1.") from None
    if not 0 <= value <= 1:
        raise DeskmateError(f"{text} does not lie between 0 and 1.")
    return value
