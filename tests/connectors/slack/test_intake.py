"""What is for the bot, decided before anything is fetched."""

from __future__ import annotations

from typing import Any

import pytest

from assistant.messages import Message
from assistant.tickets.repository import Tickets
from connectors.slack.intake import Intake

BOT = "<@UBOT>"


@pytest.fixture
def intake(tickets: Tickets) -> Intake:
    return Intake(tickets, ["CHELP"], wake=lambda: None)


def event(ts: float, text: str = "Hello", **about: Any) -> dict[str, Any]:
    base = {"type": "message", "channel": "C1", "channel_type": "channel", "user": "UANA"}
    return {**base, "ts": f"{ts:.6f}", "text": text, **about}


def hear(intake: Intake, about: dict[str, Any]) -> bool:
    return intake.post("T1", about, asked=BOT in about["text"], shared=False)


def edited(ts: float, at: float, text: str, before: str = "?") -> dict[str, Any]:
    message = {**event(ts, text), "edited": {"user": "UANA", "ts": f"{at:.6f}"}}
    previous = event(ts, before)
    return {"channel": "C1", "ts": f"{at:.6f}", "message": message, "previous_message": previous}


def deleted(ts: float, at: float) -> dict[str, Any]:
    return {"channel": "C1", "ts": f"{at:.6f}", "deleted_ts": f"{ts:.6f}"}


def waiting(tickets: Tickets) -> list[tuple[str, str, str]]:
    return [
        (a.external_id, a.conversation, a.payload["kind"]) for a in tickets.arrivals.due("slack")
    ]


def test_mentions_chosen_channels_and_direct_messages_are_for_the_bot(tickets, intake) -> None:
    heard = [
        hear(intake, event(1_000, "Lunch?")),
        hear(intake, event(2_000, f"{BOT} Hello")),
        hear(intake, event(3_000, channel="CHELP")),
        hear(intake, event(4_000, channel="D1", channel_type="im")),
    ]

    assert heard == [False, True, True, True]
    assert [place for _, place, _ in waiting(tickets)] == [
        "T1/C1/2000.000000",
        "T1/CHELP/3000.000000",
        "T1/D1/4000.000000/top",
    ]


def test_all_that_is_delivered_about_a_post_is_noted_once(tickets, intake) -> None:
    post = event(1_000, f"{BOT} Hello")

    heard = [hear(intake, each) for each in (post, {**post, "type": "app_mention"}, post)]

    assert heard == [True, False, False]


def test_posts_below_each_other_belong_together_for_half_a_minute(tickets, intake) -> None:
    hear(intake, event(1_000, f"{BOT} Hello"))
    hear(intake, event(1_020, "a screenshot"))
    hear(intake, event(1_045, "and another"))
    late = hear(intake, event(1_100, "Lunch?"))
    other = hear(intake, event(1_050, "Not me", user="UBO"))

    assert (late, other) == (False, False)
    assert {place for _, place, _ in waiting(tickets)} == {"T1/C1/1000.000000"}
    assert len(waiting(tickets)) == 3


def test_a_reply_elsewhere_does_not_draw_a_post_into_its_thread(tickets, intake) -> None:
    hear(intake, event(1_000, f"{BOT} Hello"))
    hear(intake, event(1_100, "More", thread_ts="1000.000000"))

    assert not hear(intake, event(1_110, "Lunch?"))


def test_a_thread_is_followed_without_a_mention(tickets, intake) -> None:
    tickets.store_message(Message("slack", "C1/900", "T1/C1/900.000000", "Ana (UANA)", "Hello"))

    followed = hear(intake, event(5_000, "More", thread_ts="900.000000"))
    stranger = hear(intake, event(5_001, "More", thread_ts="901.000000"))

    assert (followed, stranger) == (True, False)


def test_a_talk_goes_on_until_it_is_solved_or_the_day_is_over(tickets, intake) -> None:
    direct = {"channel": "D1", "channel_type": "im"}
    place = "T1/D1/1000.000000/top"
    hear(intake, event(1_000, **direct))
    tickets.store_message(Message("slack", "D1/1000", place, "Ana (UANA)", "Hello"))
    hear(intake, event(4_600, **direct))
    tickets.solutions.mark(1, "Kim")
    hear(intake, event(8_200, **direct))
    hear(intake, event(8_200 + 9 * 3_600, **direct))

    assert [where for _, where, _ in waiting(tickets)] == [
        place,
        place,
        "T1/D1/8200.000000/top",
        f"T1/D1/{8_200 + 9 * 3_600}.000000/top",
    ]


def test_an_edit_that_overtakes_its_post_is_the_post(tickets, intake) -> None:
    intake.edit("T1", edited(1_000, 1_002, f"{BOT} invoice"), mention=BOT, shared=False)
    late = hear(intake, event(1_000, f"{BOT} invoce"))

    assert not late
    (arrival,) = tickets.arrivals.due("slack")
    assert arrival.payload["event"]["text"] == f"{BOT} invoice"


def test_a_deletion_that_overtakes_its_post_leaves_nothing_to_hear(tickets, intake) -> None:
    intake.delete("T1", deleted(1_000, 1_002))
    late = hear(intake, event(1_000, f"{BOT} my password is tulip"))

    assert not late
    assert [kind for _, _, kind in waiting(tickets)] == ["delete"]


def test_edits_and_deletions_of_old_posts_that_were_not_for_us_are_left(tickets, intake) -> None:
    intake.edit("T1", edited(1_000, 9_000, "Dinner?", "Lunch?"), mention=BOT, shared=False)
    intake.delete("T1", deleted(1_000, 9_000))

    assert waiting(tickets) == []


def test_a_links_preview_is_no_edit(tickets, intake) -> None:
    hear(intake, event(1_000, f"{BOT} see https://a.example"))
    same = f"{BOT} see https://a.example"
    intake.edit("T1", edited(1_000, 1_001, same, same), mention=BOT, shared=False)

    assert len(waiting(tickets)) == 1
