"""Screenshots, recordings and other files of posts."""

from __future__ import annotations

import pytest

from connectors.slack import files
from connectors.slack.client import Client, Limits
from tests.channel_desk import eventually, replies_with

MB = 1_000_000


@pytest.fixture
def client(slack) -> Client:
    return Client(slack.team.bot_token, slack.api_url, Limits())


def attachments(desk, channel, post):
    desk.reply(channel, post)
    (message,) = desk.tickets.messages(desk.ticket(channel, post).id)
    return [(file.media_type, file.filename, file.content) for file in message.attachments]


def test_files_of_every_kind_come_with_the_message(slack, desk, help_channel, ana) -> None:
    sent = [("a.png", b"picture"), ("film.mp4", b"recording"), ("voice.m4a", b"voice")]

    post = slack.post(help_channel, ana, f"{slack.mention} It fails:", files=sent)

    assert attachments(desk, help_channel, post) == [
        ("image/png", "a.png", b"picture"),
        ("video/mp4", "film.mp4", b"recording"),
        ("audio/mp4", "voice.m4a", b"voice"),
    ]


def test_a_mention_that_names_no_files_is_looked_up(
    slack, desk, help_channel, ana, monkeypatch
) -> None:
    event = slack._events.event

    def only_the_mention_without_files(about, *more):
        if about["type"] == "app_mention":
            event({k: v for k, v in about.items() if k != "files"}, *more)

    monkeypatch.setattr(slack._events, "event", only_the_mention_without_files)
    post = slack.post(help_channel, ana, f"{slack.mention} Why?", files=[("a.png", b"picture")])

    assert attachments(desk, help_channel, post) == [("image/png", "a.png", b"picture")]


def test_a_file_without_words_is_a_question(slack, desk, chosen, ana) -> None:
    post = slack.post(chosen, ana, files=[("a.png", b"picture")])

    assert attachments(desk, chosen, post) == [("image/png", "a.png", b"picture")]


def test_files_that_slack_does_not_give_just_now_are_asked_for_again(
    slack, desk, help_channel, ana
) -> None:
    slack.fail("files", status=503, times=1)

    post = slack.post(help_channel, ana, f"{slack.mention} Why?", files=[("a.png", b"picture")])

    assert attachments(desk, help_channel, post) == [("image/png", "a.png", b"picture")]


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        ({"size": 11 * MB}, "it is larger than 10 MB"),
        ({"mode": "tombstone"}, "it was deleted in Slack, or is hidden by the plan's limit"),
        ({"is_external": True, "external_type": "gdrive"}, "it lies outside of Slack (gdrive)"),
        (
            {"url_private_download": "https://files.slack.com.evil.example/x"},
            "Slack names no address for it",
        ),
        ({"url_private_download": "http://files.slack.com/x"}, "Slack names no address for it"),
    ],
)
def test_what_cannot_be_fetched_is_accounted_for(slack, client, about, reason: str) -> None:
    (file,) = slack.workspaces.add_files(slack.url, [("film.mp4", b"1")], **about)

    attachment = files.fetch(client, file, 10 * MB)

    assert (attachment.filename, attachment.content) == ("film.mp4", b"")
    assert attachment.missing == reason


def test_a_file_larger_than_it_says_is_not_read_to_its_end(slack, client) -> None:
    (file,) = slack.workspaces.add_files(slack.url, [("a.png", b"x" * 2_000)], size=1)

    assert files.fetch(client, file, 1_000).missing == "it is larger than 0 MB"


def test_slacks_sign_in_page_is_not_taken_for_the_file(slack, client) -> None:
    (file,) = slack.workspaces.add_files(slack.url, [("a.png", b"picture")])
    client.token = "xoxb-wrong"

    attachment = files.fetch(client, file, 10 * MB)

    assert attachment.missing.startswith("Slack asked to sign in: the app lacks files:read")


def test_files_of_other_organisations_are_looked_up_first(slack, client) -> None:
    (file,) = slack.workspaces.add_files(slack.url, [("a.png", b"picture")])

    attachment = files.fetch(client, {"id": file["id"], "file_access": "check_file_info"}, 10 * MB)

    assert (attachment.filename, attachment.content) == ("a.png", b"picture")


def test_the_customer_reads_which_file_was_not_read(slack, desk, help_channel, ana) -> None:
    from assistant.model.attachments import AttachmentReader

    heard = {}

    def answer(message, ticket, conversation):
        reader = AttachmentReader(lambda content: None, max_mb=25)
        heard["notes"] = [report.note for report in reader.read(message.attachments).reports]
        return replies_with("Done")

    desk.answer = answer
    sent = [("film.mp4", b"\0\0\0\x18ftypisom"), ("gone.png", b"")]
    post = slack.post(help_channel, ana, f"{slack.mention} It fails:", files=sent)
    desk.reply(help_channel, post)
    eventually(lambda: heard)

    damaged, empty = heard["notes"]
    assert damaged.startswith("the recording is damaged")
    assert empty == "the file is empty"


HEARD = {"status": "complete", "preview": {"content": "My export stops.", "has_more": False}}


def test_a_voice_note_comes_as_the_words_that_slack_heard(slack, desk, help_channel, ana) -> None:
    fields = {"subtype": "slack_audio", "transcription": HEARD}

    post = slack.post(
        help_channel, ana, slack.mention, files=[("note.mp4", b"voice")], file_fields=fields
    )

    words = ("text/plain", "note.mp4.txt", b"My export stops.")
    assert attachments(desk, help_channel, post) == [words]


def test_a_recording_comes_with_the_words_that_slack_heard(slack, desk, help_channel, ana) -> None:
    fields = {"subtype": "slack_video", "transcription": HEARD}

    post = slack.post(
        help_channel, ana, slack.mention, files=[("clip.mp4", b"film")], file_fields=fields
    )

    assert attachments(desk, help_channel, post) == [
        ("text/plain", "clip.mp4.txt", b"My export stops."),
        ("video/mp4", "clip.mp4", b"film"),
    ]


def test_words_that_slack_still_writes_are_waited_for(slack, desk, help_channel, ana) -> None:
    fields = {"subtype": "slack_audio", "transcription": {"status": "processing"}}
    post = slack.post(
        help_channel, ana, slack.mention, files=[("note.m4a", b"voice")], file_fields=fields
    )
    eventually(lambda: slack.called("files.info"))
    slack.workspaces.files[post["files"][0]["id"]][0]["transcription"] = HEARD

    words = ("text/plain", "note.m4a.txt", b"My export stops.")
    assert attachments(desk, help_channel, post) == [words]


def test_a_long_voice_note_is_read_to_its_end(slack, client) -> None:
    vtt = (
        "WEBVTT\n\n1\n00:00:00.000 --> 00:00:02.000\n<v Ana>My export\n\n"
        "2\n00:00:02.000 --> 00:00:04.000\nstops &amp; says KT-4031.\n"
    )
    (file,) = slack.workspaces.add_files(slack.url, [("words.vtt", vtt.encode())])
    heard = {"status": "complete", "preview": {"content": "My", "has_more": True}}
    about = {"id": "F1", "name": "note.m4a", "transcription": heard, "vtt": file["url_private"]}

    attachment = files.transcript(client, about, MB)

    assert attachment is not None
    assert attachment.content.decode() == "My export stops & says KT-4031."


@pytest.mark.parametrize("transcription", [None, {"status": "none"}, {"status": "failed"}])
def test_where_slack_heard_nothing_there_are_no_words(client, transcription) -> None:
    about = {"id": "F1", "name": "note.m4a", "transcription": transcription}

    assert files.transcript(client, about, MB) is None
