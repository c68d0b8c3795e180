"""What is answered, and where."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from assistant import Message, hookimpl
from tests.channel_desk import eventually, replies_with
from tests.slack_desk import buttons, shown


def test_a_mention_is_answered_in_its_thread_with_sources_and_buttons(
    slack, desk, help_channel, ana
) -> None:
    post = slack.post(help_channel, ana, f"{slack.mention} Where is my invoice?")
    reply = desk.reply(help_channel, post)

    assert shown(reply).splitlines() == [
        "You asked: Where is my invoice? <https://help.example/invoices|[1]>",
        "[1] <https://help.example/invoices|Download an invoice>",
        "[👍 This helps]",
        "[👎 It does not]",
        "[Talk to a person]",
    ]
    assert desk.ticket(help_channel, post).customer == f"Ana Lima ({ana})"


def test_it_says_at_once_that_it_is_looking(slack, desk, help_channel, ana) -> None:
    post = slack.post(help_channel, ana, f"{slack.mention} Where is my invoice?")
    desk.reply(help_channel, post)

    status = slack.called("assistant.threads.setStatus")[-1]
    assert (status["thread_ts"], status["status"]) == (post["ts"], "is looking into it …")


def test_where_there_is_no_status_only_the_sender_is_told(slack, desk, help_channel, ana) -> None:
    slack.fail("assistant.threads.setStatus", "unknown_method")
    post = slack.post(help_channel, ana, f"{slack.mention} Where is my invoice?")
    desk.reply(help_channel, post)

    note = slack.workspaces.ephemeral[-1]
    assert (note["user"], note["text"]) == (ana, "Looking into it …")


def test_posts_that_are_not_for_the_bot_are_left(slack, desk, help_channel, ana) -> None:
    slack.post(help_channel, ana, "Lunch?")
    post = slack.post(help_channel, slack.add_user("Bo"), f"{slack.mention} Invoice?")
    desk.reply(help_channel, post)
    desk.settled()

    assert len(slack.by_bot(help_channel)) == 1


def test_in_a_chosen_channel_every_post_is_answered(slack, desk, chosen, ana) -> None:
    post = slack.post(chosen, ana, "Where is my invoice?")

    assert "You asked: Where is my invoice?" in shown(desk.reply(chosen, post))


def test_a_thread_is_one_conversation_and_needs_one_mention(slack, desk, help_channel, ana) -> None:
    heard = []

    def answer(message, ticket, conversation):
        heard.append([(turn.author, turn.text) for turn in conversation])
        return replies_with(f"Re: {message.text}")

    desk.answer = answer
    post = slack.post(help_channel, ana, f"{slack.mention} Where is my invoice?")
    desk.reply(help_channel, post)
    desk.settled()

    slack.post(help_channel, ana, "And the one of May?", thread_ts=post["ts"])
    second = desk.reply(help_channel, post, 2)

    assert second["text"] == "Re: And the one of May?"
    assert heard[1] == [
        ("customer", "Where is my invoice?"),
        ("assistant", "Re: Where is my invoice?"),
    ]


def test_the_thread_from_before_the_bot_came_is_read(slack, desk, help_channel, ana, kim) -> None:
    bo = slack.add_user("Bo")
    heard = {}

    def answer(message, ticket, conversation):
        heard["question"] = message.text
        heard["before"] = [(turn.author, turn.text) for turn in conversation]
        heard["files"] = [file.filename for file in message.attachments]
        return replies_with("Done")

    desk.answer = answer
    files = [("a.png", b"png")]
    root = slack.post(help_channel, ana, "It fails &amp; stops", files=files, tell=False)
    for user, text in ((bo, "Same here"), (kim, "Which version?"), (ana, "Version 3")):
        slack.post(help_channel, user, text, thread_ts=root["ts"], tell=False)

    slack.post(help_channel, bo, f"{slack.mention} can you help?", thread_ts=root["ts"])
    desk.reply(help_channel, root)

    assert heard == {
        "question": "It fails & stops\n\nVersion 3\n\ncan you help?",
        "before": [("customer", "Same here"), ("staff", "Which version?")],
        "files": ["a.png"],
    }
    assert desk.ticket(help_channel, root).customer == f"Ana Lima ({ana})"


def test_a_question_below_what_staff_told_everybody_is_the_customers(
    slack, desk, chosen, ana, kim
) -> None:
    heard = {}

    def answer(message, ticket, conversation):
        heard["question"] = message.text
        heard["before"] = [(turn.author, turn.text) for turn in conversation]
        return replies_with("Done")

    desk.answer = answer
    before = len(slack.by_bot(chosen))
    news = slack.post(chosen, kim, "Version 4 is out!")
    desk.settled()
    slack.post(chosen, ana, "How do I get it?", thread_ts=news["ts"])
    desk.reply(chosen, news)
    desk.settled()

    assert heard == {"question": "How do I get it?", "before": [("staff", "Version 4 is out!")]}
    assert desk.ticket(chosen, news).customer == f"Ana Lima ({ana})"
    assert len(slack.by_bot(chosen)) == before + 1


def test_direct_messages_are_one_talk_until_it_is_solved(slack, desk, ana) -> None:
    direct = slack.add_dm(ana)

    slack.post(direct, ana, "Where is my invoice?")
    eventually(lambda: len(slack.by_bot(direct)) == 1)
    slack.post(direct, ana, "And the one of May?")
    eventually(lambda: len(slack.by_bot(direct)) == 2)

    assert all("thread_ts" not in message for message in slack.by_bot(direct))
    assert len(desk.tickets.list(customer=f"({ana})")) == 1
    assert [note["user"] for note in slack.workspaces.ephemeral].count(ana) == 1


def test_three_posts_in_a_row_are_one_question(slack, desk, chosen, ana) -> None:
    before = len(slack.by_bot(chosen))
    first = slack.post(chosen, ana, "Hello")
    slack.post(chosen, ana, "I have a question")
    time.sleep(0.3)
    slack.post(chosen, ana, "Where is my invoice?")
    reply = desk.reply(chosen, first)
    desk.settled()

    assert reply["text"] == "You asked: Hello\n\nI have a question\n\nWhere is my invoice? [1]"
    assert len(slack.by_bot(chosen)) == before + 1


def test_posts_of_bots_and_joins_are_left(slack, desk, chosen, ana) -> None:
    channel, before = slack.workspaces.channel(chosen), len(slack.by_bot(chosen))

    for about in ({"bot_id": "B9", "text": "Build failed"}, {"subtype": "channel_join"}):
        message = slack.workspaces.add_message(channel, {"user": ana, "text": "", **about})
        slack._events.message(channel, message, slack.team)
    desk.settled()
    time.sleep(1)

    assert desk.tickets.list(customer=f"({ana})") == ()
    assert len(slack.by_bot(chosen)) == before + 1  # the build's own


def test_words_to_somebody_else_in_the_thread_are_not_answered(
    slack, desk, help_channel, ana
) -> None:
    bo = slack.add_user("Bo Dahl")
    post = slack.post(help_channel, ana, f"{slack.mention} Where is my invoice?")
    desk.reply(help_channel, post)
    desk.settled()

    slack.post(help_channel, ana, f"<@{bo}> do you have yours?", thread_ts=post["ts"])
    desk.settled()
    time.sleep(0.5)

    assert len(slack.by_bot(help_channel)) == 1
    assert (
        desk.tickets.conversation(desk.ticket(help_channel, post).id)[-1].text
        == "@Bo Dahl do you have yours?"
    )


def test_the_shortcut_answers_a_post_in_its_thread(slack, desk, help_channel, ana, kim) -> None:
    post = slack.post(help_channel, ana, "Where is my invoice?")

    slack.shortcut(help_channel, post, "answer_this", kim)
    reply = desk.reply(help_channel, post)
    slack.shortcut(help_channel, post, "answer_this", kim)
    eventually(lambda: "answered already" in slack.web.responses[-1]["text"])
    desk.settled()

    assert "You asked: Where is my invoice?" in shown(reply)
    assert len(slack.by_bot(help_channel)) == 1


def test_an_edit_before_the_answer_changes_the_question(slack, desk, help_channel, ana) -> None:
    post = slack.post(help_channel, ana, f"{slack.mention} Where is my invoce?")
    slack.edit(help_channel, post, f"{slack.mention} Where is my invoice?")
    reply = desk.reply(help_channel, post)
    desk.settled()

    assert "You asked: Where is my invoice?" in shown(reply)
    assert len(slack.by_bot(help_channel)) == 1


def test_what_is_stored_without_an_answer_is_stored_as_plugins_leave_it(
    slack, desk, help_channel, ana
) -> None:
    class Censor:
        @hookimpl
        def message_arriving(self, message: Message) -> Message:
            return replace(message, text=message.text.replace("hunter2", "***"))

    desk.desk.plugins.register("censor", Censor())
    root = slack.post(help_channel, ana, "The password hunter2 fails", tell=False)
    slack.post(help_channel, slack.add_user("Bo"), "hunter2 works for me", thread_ts=root["ts"])
    post = slack.post(help_channel, ana, f"{slack.mention} Why is that?", thread_ts=root["ts"])
    slack.edit(help_channel, post, f"{slack.mention} Why does hunter2 fail?")
    desk.reply(help_channel, root)
    desk.settled()

    ticket = desk.ticket(help_channel, root)
    stored = [message.text for message in desk.tickets.messages(ticket.id)]
    assert "*** works for me" in stored
    assert "hunter2" not in "".join(stored)


@pytest.mark.parametrize(
    ("text", "answers"), [("Where is my invoice", 1), ("How do I cancel my whole plan?", 2)]
)
def test_an_edit_after_the_answer_is_answered_if_it_asks_something_else(
    slack, desk, help_channel, ana, text: str, answers: int
) -> None:
    post = slack.post(help_channel, ana, f"{slack.mention} Where is my invoice?")
    desk.reply(help_channel, post)
    desk.settled()

    slack.edit(help_channel, post, f"{slack.mention} {text}")
    desk.settled()
    desk.reply(help_channel, post, answers)
    desk.settled()

    assert len(slack.by_bot(help_channel)) == answers


def test_an_edit_that_first_mentions_the_bot_is_a_question(slack, desk, help_channel, ana) -> None:
    post = slack.post(help_channel, ana, "Where is my invoice?")
    desk.settled()

    slack.edit(help_channel, post, f"{slack.mention} Where is my invoice?")

    assert "You asked: Where is my invoice?" in shown(desk.reply(help_channel, post))


def test_a_deleted_post_is_forgotten_and_not_answered(slack, desk, help_channel, ana) -> None:
    post = slack.post(help_channel, ana, f"{slack.mention} My password is tulip")
    ticket = desk.ticket(help_channel, post)
    slack.delete(help_channel, post)
    desk.settled()
    time.sleep(1.5)

    assert slack.by_bot(help_channel) == []
    stored = desk.tickets.messages(ticket.id)
    assert [message.text for message in stored] == [""]


def test_long_answers_are_split_and_keep_every_word(slack, desk, help_channel, ana) -> None:
    words = " ".join(f"<word{n}>" for n in range(9_000))

    def answer(message, ticket, conversation):
        return replies_with(words)

    desk.answer = answer
    post = slack.post(help_channel, ana, f"{slack.mention} Everything?")
    desk.reply(help_channel, post)
    desk.settled()

    replies = slack.by_bot(help_channel)
    texts = [b["text"]["text"] for m in replies for b in m["blocks"] if b["type"] == "section"]
    assert len(replies) > 1
    assert " ".join(texts).split() == [f"&lt;word{n}&gt;" for n in range(9_000)]
    assert [bool(buttons(m)) for m in replies] == [*[False] * (len(replies) - 1), True]


def test_nobody_is_called_by_what_a_customer_or_an_article_says(
    slack, desk, help_channel, ana
) -> None:
    post = slack.post(help_channel, ana, f"{slack.mention} &lt;!channel&gt; &lt;@U1&gt; @here")
    reply = desk.reply(help_channel, post)

    assert "<!" not in shown(reply)
    assert "<@" not in shown(reply)
    assert "<!" not in reply["text"]
    assert "You asked: &lt;!channel&gt; &lt;@U1&gt; @here" in shown(reply)
