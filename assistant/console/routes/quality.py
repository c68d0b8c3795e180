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


@pages.get("/quality/cost", allow="viewer")
def cost(call: Call) -> Response:
    """What answering took. A part of its own, as `trust` is."""
    days, channel = _period(call)
    since = _days_ago(days)
    found = call.tickets.costs.costs(since, channel)
    return call.show(
        "cost.html",
        found=found,
        plots=figures.costs(found, since),
        chat_model=call.office.desk.settings.answering.chat_model,
    )


@pages.get("/quality/trust", allow="viewer")
def trust(call: Call) -> Response:
    """Whether confidences can be believed. A part of its own, so that the page need not wait."""
    days, channel = _period(call)
    judged = call.tickets.verdicts.bins(_days_ago(days), channel)
    return call.show(
        "trust.html",
        trust=figures.trust(judged),
        judged=sum(one.right + one.wrong for one in judged),
    )


@pages.get("/quality/preview", allow="viewer")
def preview(call: Call) -> Response:
    """What other thresholds would have done last month."""
    try:
        reply_at, draft_at = _share(call.asked("reply_at")), _share(call.asked("draft_at"))
    except DeskmateError as error:
        return call.show("problem_part.html", 400, code=400, words=str(error))
    last_month = call.tickets.verdicts.bins(_days_ago(PREVIEWED_DAYS))
    return call.show("preview.html", preview=figures.preview(last_month, reply_at, draft_at))


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
    days, channel = _period(call)
    since = _days_ago(days)
    found = call.tickets.quality.figures(since, channel)
    return call.show(
        "quality.html",
        status,
        days=days,
        periods=PERIODS,
        channel=channel,
        channels=sorted({*call.office.desk.connectors, *found.channels}),
        found=found,
        plots=figures.plots(found, since),
        policy=call.office.desk.policy(),
        chosen=call.tickets.thresholds.chosen(),
        settings=call.office.desk.settings.policy,
        problem=problem,
    )


def _period(call: Call) -> tuple[int, str]:
    """For how many days figures are wanted, and of which channel."""
    asked = call.asked("days")
    days = int(asked) if asked.isdecimal() else PREVIEWED_DAYS
    return (days if days in PERIODS else PREVIEWED_DAYS), call.asked("channel")


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
