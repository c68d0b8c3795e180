"""What the articles lack: questions without an answer, and articles that say the same twice, or
may disagree."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial

from starlette.responses import Response

from assistant.console.access import Pages
from assistant.console.calls import Call
from assistant.console.routes.knowledge import work_now
from assistant.console.views import number
from assistant.console.work import Progress
from assistant.desk import Desk
from assistant.knowledge import gaps as finding_gaps
from assistant.knowledge import overlaps as finding_overlaps
from assistant.knowledge.gaps import Quote

DAYS = 90
QUESTIONS = 1_000

pages = Pages()


@pages.get("/knowledge/gaps", allow="viewer")
def gaps(call: Call) -> Response:
    """Questions that are alike and were not answered, each with an article's outline."""
    found = call.tickets.findings.last("gaps")
    return call.show("gaps.html", found=found, days=DAYS, **work_now(call))


@pages.post("/knowledge/gaps", allow="agent")
def look_for_gaps(call: Call) -> Response:
    """Looks for gaps in the background."""
    job = partial(_gaps, call.office.desk)
    call.office.work.begin("Looking for gaps", call.who, job)
    return call.go("/knowledge/gaps")


@pages.get("/knowledge/overlaps", allow="viewer")
def overlaps(call: Call) -> Response:
    """Passages of different articles that say the same, or may disagree."""
    found = call.tickets.findings.last("overlaps")
    return call.show("overlaps.html", found=found, **work_now(call))


@pages.post("/knowledge/overlaps", allow="agent")
def look_for_overlaps(call: Call) -> Response:
    """Compares all passages in the background."""
    job = partial(_overlaps, call.office.desk)
    call.office.work.begin("Comparing articles", call.who, job)
    return call.go("/knowledge/overlaps")


def _gaps(desk: Desk, progress: Progress) -> str:
    stored = desk.tickets.gaps
    asked = stored.unanswered(datetime.now(UTC) - timedelta(days=DAYS), QUESTIONS)
    found = finding_gaps.find(
        [Quote(one.ticket_id, one.text) for one in asked],
        lambda tickets: [Quote(*answer) for answer in stored.staff_answers(tickets)],
        desk.encoder.encode_texts,
    )
    shown = [{**asdict(gap), "outline": gap.outline} for gap in found]
    desk.tickets.findings.keep("gaps", shown)
    again = "1 thing was" if len(found) == 1 else f"{len(found)} things were"
    return f"{number(len(asked), 'question')} had no answer; {again} asked repeatedly"


def _overlaps(desk: Desk, progress: Progress) -> str:
    found = finding_overlaps.find(desk.store.vectors())
    desk.tickets.findings.keep("overlaps", [asdict(overlap) for overlap in found])
    differ = sum(overlap.kind == "may disagree" for overlap in found)
    return f"{number(differ, 'pair')} of passages may disagree, {len(found) - differ} say the same"
