"""Tells customers when people are there, and people whose turn it is.

    [plugins.business-hours]
    hours = { mon = "09:00-17:30", tue = "09:00-17:30", fri = "09:00-15:00" }
    zone = "Europe/Berlin"
    closed = ["2026-12-25"]
    rotation = ["Ann", "Ben", "Chris"]

A hand-over outside these hours says when the team is back; one within them stays as it is. The
reason that staff read names the next of the rotation, who takes the ticket: nobody is made the
owner of a ticket by a machine.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator

from assistant import Outcome, Ticket, hookimpl

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LOOK_AHEAD_DAYS = 30


class BusinessHours:
    """The plugin: `[plugins.business-hours]`; without `hours` and `rotation` it does nothing."""

    permissions = frozenset({"tickets:read", "tickets:write"})

    class Settings(BaseModel):
        """When people are there, and who."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        hours: dict[Day, str] = Field({}, description='Such as { mon = "09:00-17:30" }.')
        zone: str = Field("UTC", description="IANA time zone of the hours.")
        closed: tuple[dt.date, ...] = Field((), description="Days off, such as 2026-12-25.")
        text: str = Field(
            "Our team is back on {day} at {time}.", description="Added to a hand-over when closed."
        )
        day: str = Field("%A, %d %B", description="How {day} is written, as strftime has it.")
        rotation: tuple[str, ...] = Field((), description="Who takes hand-overs, in turn.")

        @field_validator("hours")
        @classmethod
        def _are_spans(cls, value: dict[Day, str]) -> dict[Day, str]:
            for span in value.values():
                _span(span)
            return value

        @field_validator("zone")
        @classmethod
        def _is_known(cls, value: str) -> str:
            try:
                ZoneInfo(value)
            except (ZoneInfoNotFoundError, ValueError):
                raise ValueError("no time zone; write it as Europe/Berlin") from None
            return value

    def __init__(
        self,
        settings: Settings,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self.settings = settings
        self._now = now

    @hookimpl
    def outcome_decided(self, ticket: Ticket, outcome: Outcome) -> Outcome | None:
        """Adds to hand-overs only."""
        if outcome.action != "hand over":
            return None
        text, reason = outcome.text, outcome.reason
        opens = self.next_opening()
        if opens and text:
            words = {"day": opens.strftime(self.settings.day), "time": f"{opens:%H:%M}"}
            text = f"{text} {self.settings.text.format_map(words)}"
        if self.settings.rotation:
            # By the ticket's number, so that all workers agree and a second try changes nothing.
            turn = self.settings.rotation[ticket.id % len(self.settings.rotation)]
            reason = f"{reason}; it is {turn}'s turn"
        return replace(outcome, text=text, reason=reason)

    def next_opening(self) -> dt.datetime | None:
        """When people come back; None while they are there, or if no hours are set."""
        zone = ZoneInfo(self.settings.zone)
        now = self._now().astimezone(zone)
        for ahead in range(LOOK_AHEAD_DAYS if self.settings.hours else 0):
            day = now.date() + dt.timedelta(days=ahead)
            span = self.settings.hours.get(DAYS[day.weekday()])
            if span is None or day in self.settings.closed:
                continue
            opens, closes = (dt.datetime.combine(day, time, zone) for time in _span(span))
            if opens <= now < closes:
                return None
            if now < opens:
                return opens
        return None


def _span(text: str) -> tuple[dt.time, dt.time]:
    try:
        opens, closes = (dt.time.fromisoformat(part.strip()) for part in text.split("-"))
    except ValueError:
        raise ValueError(f"{text!r} is no span of time; write it as 09:00-17:30") from None
    if opens >= closes:
        raise ValueError(f"{text!r} ends before it begins; nights are not supported")
    return opens, closes
