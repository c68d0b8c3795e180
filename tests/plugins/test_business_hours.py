"""Business hours: what a customer is told after hours, and whose turn it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from assistant import SettingsError
from assistant.testing.desk import PluginDesk
from plugins.business_hours import BusinessHours

WEEK = {
    "hours": {"mon": "09:00-17:30", "tue": "09:00-17:30", "fri": "09:00-15:00"},
    "zone": "Europe/Berlin",
    "closed": ["2026-11-24"],
}
HANDED_OVER = "A colleague will answer you."


def at(now: datetime, **settings: Any) -> PluginDesk:
    """A desk at a moment; November's Berlin is an hour ahead of UTC."""
    desk = PluginDesk()
    made = BusinessHours.Settings.model_validate({**WEEK, **settings})
    desk.add("business-hours", BusinessHours(made, lambda: now))
    return desk


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (datetime(2026, 11, 23, 8, 30, tzinfo=UTC), HANDED_OVER),  # Monday, half past nine
        (
            datetime(2026, 11, 23, 7, 59, tzinfo=UTC),
            f"{HANDED_OVER} Our team is back on Monday, 23 November at 09:00.",
        ),
        (  # Tuesday is a day off, and there are no hours until Friday
            datetime(2026, 11, 23, 16, 30, tzinfo=UTC),
            f"{HANDED_OVER} Our team is back on Friday, 27 November at 09:00.",
        ),
        (
            datetime(2026, 11, 27, 14, 0, tzinfo=UTC),
            f"{HANDED_OVER} Our team is back on Monday, 30 November at 09:00.",
        ),
    ],
)
def test_a_hand_over_after_hours_says_when_the_team_is_back(now: datetime, told: str) -> None:
    assert at(now).decide("hand over", HANDED_OVER).text == told


def test_daylight_saving_time_is_kept() -> None:
    desk = at(datetime(2026, 3, 29, 20, 0, tzinfo=UTC))  # the clocks went forward this morning

    assert desk.decide("hand over", "Wait.").text.endswith("Monday, 30 March at 09:00.")


@pytest.mark.parametrize("action", ["reply", "draft", "ask", "refuse"])
def test_answers_stay_as_they_are(action: Any) -> None:
    desk = at(datetime(2026, 11, 22, tzinfo=UTC), rotation=["Ann"])

    assert desk.decide(action, "In three days.").text == "In three days."


def test_hand_overs_go_round() -> None:
    from dataclasses import replace

    desk = at(datetime(2026, 11, 23, 9, 0, tzinfo=UTC), rotation=["Ann", "Ben"])
    reasons = []
    for number in range(2, 5):
        desk.ticket = replace(desk.ticket, id=number)
        reasons.append(desk.decide("hand over").reason)

    assert [reason.split("; ")[1] for reason in reasons] == [
        "it is Ann's turn",
        "it is Ben's turn",
        "it is Ann's turn",
    ]


def test_without_settings_it_changes_nothing(plugin_desk: PluginDesk) -> None:
    plugin_desk.add("business-hours", BusinessHours)

    assert plugin_desk.decide("hand over", HANDED_OVER).text == HANDED_OVER


@pytest.mark.parametrize(
    ("table", "error"),
    [
        ({"hours": {"mon": "9-17"}}, "write it as 09:00-17:30"),
        ({"hours": {"mon": "17:00-09:00"}}, "ends before it begins"),
        ({"zone": "Mars/Olympus"}, "no time zone"),
        ({"hours": {"monday": "09:00-17:30"}}, "plugins.business-hours.hours"),
    ],
)
def test_wrong_settings_are_named(
    plugin_desk: PluginDesk, table: dict[str, Any], error: str
) -> None:
    with pytest.raises(SettingsError, match=error):
        plugin_desk.add("business-hours", BusinessHours, table)
