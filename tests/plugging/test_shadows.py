"""A new version sees live messages, its changes are recorded, and it is used once promoted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from assistant import Answer, Attachment, Citation, Hit, Message, Passage, PluginError, Reply
from assistant.plugging import Plugins, shadows
from assistant.plugging.shadows import Trial
from assistant.plugging.versions import Brought, Versions

SAYS = """
from dataclasses import replace
from assistant import hookimpl

@hookimpl
def message_received(message):
    return replace(message, text=message.text + "{word}")
"""
GRANTED = ("sending", "tickets:read", "tickets:write")


class Trying:
    """A folder with the plugin `says` that runs, and a version beside it that is tried."""

    def __init__(self, root: Path) -> None:
        self.root, self.folder = root, root / "plugins"
        self.versions = Versions(root / "versions")
        self.folder.mkdir()
        self.trials: list[Trial] = []

    def live(self, code: str) -> None:
        (self.folder / "says.py").write_text(code)

    def tried(self, code: str, granted: tuple[str, ...] = GRANTED, name: str = "says") -> None:
        (self.root / "new.py").write_text(code)
        number = self.versions.bring(name, str(self.root / "new.py"))
        self.versions.shadow(name, Brought(number, granted))

    def open(self) -> Plugins:
        plugins = Plugins.installed({}, folder=self.folder, versions=self.versions.folder)
        plugins.shadows.note = self.trials.append
        return plugins

    def noted(self, plugins: Plugins) -> list[Trial]:
        plugins.shadows.finish()
        return self.trials


@pytest.fixture
def trying(tmp_path: Path) -> Trying:
    return Trying(tmp_path)


def test_what_a_new_version_would_change_is_recorded_and_not_used(
    trying: Trying, message, ticket
) -> None:
    trying.live(SAYS.format(word=" one"))
    trying.tried(SAYS.format(word=" two"))
    plugins, faults = trying.open(), []

    seen = plugins.message_received(message("Hello"), ticket, faults)
    (trial,) = trying.noted(plugins)

    assert (seen.text, faults) == ("Hello one", [])
    assert (trial.plugin, trial.number, trial.hook) == ("says", 1, "message_received")
    assert trial.about == message().key
    assert trial.change == "-text: Hello one\n+text: Hello two"
    assert (trial.ms > 0, trial.error) == (True, "")


def test_a_version_that_does_the_same_changes_nothing(trying: Trying, message, ticket) -> None:
    trying.live(SAYS.format(word=" one"))
    trying.tried("# A comment.\n" + SAYS.format(word=" one"))
    plugins = trying.open()

    plugins.message_received(message("Hello"), ticket, [])

    assert [trial.change for trial in trying.noted(plugins)] == [""]


def test_a_plugin_that_did_not_run_before_can_be_tried(trying: Trying, message, ticket) -> None:
    trying.tried(SAYS.format(word=" new"))
    plugins = trying.open()

    assert plugins.message_received(message("Hello"), ticket, []).text == "Hello"
    assert trying.noted(plugins)[0].change == "-text: Hello\n+text: Hello new"


@pytest.mark.parametrize(
    ("code", "granted", "error"),
    [
        (SAYS.format(word="") + "\nreplace = None\n", GRANTED, "TypeError"),
        (SAYS.format(word=" two"), ("tickets:read",), "without the permission tickets:write"),
        (SAYS.format(word="").replace("message.text", "7"), GRANTED, "TypeError"),
    ],
)
def test_its_faults_are_recorded_and_cost_the_live_one_nothing(
    trying: Trying, message, ticket, code: str, granted: tuple[str, ...], error: str
) -> None:
    trying.live(SAYS.format(word=" one"))
    trying.tried(code, granted)
    plugins, faults = trying.open(), []

    texts = {plugins.message_received(message("Hello"), ticket, faults).text for _ in range(8)}

    assert (texts, faults, plugins.caller.off("says")) == ({"Hello one"}, [], ())
    assert error in trying.noted(plugins)[0].error


def test_no_message_waits_for_it(trying: Trying, message, ticket) -> None:
    trying.live(SAYS.format(word=" one"))
    slow = SAYS.format(word=" two").replace(
        "    return", "    import time; time.sleep(2)\n    return"
    )
    trying.tried(slow)
    plugins = trying.open()

    began = time.monotonic()
    plugins.message_received(message("Hello"), ticket, [])

    assert time.monotonic() - began < 1
    assert trying.noted(plugins)[0].ms > 1_900


def test_every_hook_that_changes_something_is_tried(trying: Trying, message, ticket) -> None:
    trying.tried(
        "from dataclasses import replace\nfrom assistant import hookimpl\n"
        "@hookimpl\ndef passages_found(hits): return hits[1:]\n"
        "@hookimpl\ndef answer_drafted(answer): return replace(answer, text='Four days [1].')\n"
        "@hookimpl\ndef reply_sending(reply): return 'it is Sunday'\n"
        "@hookimpl\ndef ticket_solved(ticket): raise AssertionError('not called')\n"
    )
    plugins, faults = trying.open(), []
    passage = Passage("p1", "a1", ("Refunds",), "Refunds take three days.")
    answer = Answer("Three days [1].", (Citation(1, passage, "three days"),), 0.9)
    reply = Reply("r1", 1, "test", "thread", "ann@example.com", "Re: Help", "Three days.")

    hits = plugins.passages_found(message(), [Hit(passage, 0.5)], faults)
    assert (len(hits), plugins.answer_drafted(message(), answer, faults)) == (1, answer)
    assert plugins.reply_sending(reply, faults) is None
    plugins.ticket_solved(ticket, faults)

    found = {trial.hook: (trial.about, trial.change) for trial in trying.noted(plugins)}
    assert "-1.passage.text: Refunds take three days." in found["passages_found"][1]
    assert found["answer_drafted"][1] == "-text: Three days [1].\n+text: Four days [1]."
    assert found["reply_sending"] == ("reply:r1", "+it is Sunday")
    assert (len(found), faults) == (3, [])


def test_of_what_arrives_it_is_recorded_which_fields_change_and_no_words(
    trying: Trying, message
) -> None:
    trying.live(SAYS.replace("received", "arriving").format(word=" one"))
    trying.tried(SAYS.replace("received", "arriving").format(word=" or two"))
    plugins, faults, once_stored = trying.open(), [], []

    stored = plugins.message_arriving(message("Hello"), lambda a: (), faults, once_stored)

    assert (stored.text, faults, trying.noted(plugins)) == ("Hello one", [], [])
    for work in once_stored:
        work()
    (trial,) = trying.noted(plugins)
    assert (trial.hook, trial.about) == ("message_arriving", message().key)
    assert trial.change == "-text: 9 characters\n+text: 12 characters"


def test_a_fault_over_what_arrives_is_recorded_by_its_kind(trying: Trying, message) -> None:
    code = SAYS.replace("received", "arriving").replace("return ", "return int(message.text) and ")
    trying.tried(code.format(word=""))
    plugins, once_stored = trying.open(), []

    plugins.message_arriving(message("4111 1111"), lambda a: (), [], once_stored)
    once_stored[0]()

    assert [(trial.change, trial.error) for trial in trying.noted(plugins)] == [("", "ValueError")]


def test_promote_uses_it_and_rollback_takes_it_back_without_a_restart(
    trying: Trying, message, ticket
) -> None:
    trying.live(SAYS.format(word=" one"))
    trying.tried(SAYS.format(word=" two"))
    plugins = trying.open()
    texts = []

    for step in (lambda name: None, trying.versions.promote, trying.versions.roll_back):
        step("says")
        plugins = plugins.renewed("says")
        texts.append(plugins.message_received(message("Hello"), ticket, []).text)

    assert texts == ["Hello one", "Hello two", "Hello one"]
    with pytest.raises(PluginError, match="no way back"):
        trying.versions.roll_back("says")


def test_rollback_ends_a_trial_first(trying: Trying) -> None:
    trying.live(SAYS.format(word=" one"))
    for word in ("two", "three"):
        trying.tried(SAYS.format(word=word))
        if word == "two":
            trying.versions.promote("says")

    first, second = trying.versions.roll_back("says"), trying.versions.roll_back("says")

    assert ([one.number for one in first.used], first.shadow) == ([1], None)
    assert second.used == ()


def test_a_brought_version_stays_as_it_was_when_its_file_changes(
    trying: Trying, message, ticket
) -> None:
    trying.tried(SAYS.format(word=" two"))
    (trying.root / "new.py").write_text("raise SystemExit\n")
    trying.versions.promote("says")

    assert trying.open().message_received(message("Hello"), ticket, []).text == "Hello two"


def test_a_broken_trial_stops_neither_the_desk_nor_the_live_version(
    trying: Trying, message, ticket
) -> None:
    trying.live(SAYS.format(word=" one"))
    trying.tried("raise SystemExit\n")

    assert trying.open().message_received(message("Hello"), ticket, []).text == "Hello one"


@pytest.mark.parametrize("stored", ["{", "[]", '{"used": [{"granted": []}], "shadow": null}'])
def test_a_damaged_file_of_versions_is_named(trying: Trying, stored: str) -> None:
    trying.tried(SAYS.format(word=""))
    (trying.versions.folder / "says" / "versions.json").write_text(stored)

    with pytest.raises(PluginError, match=r"says/versions\.json: cannot be read"):
        trying.versions.state("says")


@pytest.mark.parametrize(
    ("source", "error"),
    [("nothing-here.whl", "pip cannot install it"), ("../x.py", "pip cannot install it")],
)
def test_what_cannot_be_brought_leaves_nothing_behind(
    trying: Trying, monkeypatch: pytest.MonkeyPatch, source: str, error: str
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    with pytest.raises(PluginError, match=error):
        trying.versions.bring("says", source)

    assert list((trying.versions.folder / "says").iterdir()) == []


def test_differences_are_named_by_their_field() -> None:
    one = Message("test", "1", "t", "ann", "Hello\nWorld", product="Kettle")
    difference: Callable[..., str] = shadows.difference

    assert difference(one, one) == ""
    assert difference(one, Message(**{**vars(one), "text": "Hello\nYou", "product": None})) == (
        "-text: World\n+text: You\n-product: Kettle"
    )


def test_a_picture_is_told_by_its_size_and_hash_also_without_words(message) -> None:
    sent = message("Hi")
    one, other = (
        replace(sent, attachments=(Attachment("image/png", name, name.encode()),))
        for name in ("a.png", "ab.png")
    )

    assert shadows.without_words(shadows.difference(one, other)).splitlines() == [
        "-attachments 1.filename: 5 characters",
        "-attachments 1.content (5 bytes, sha256 7f071235805f)",
        "+attachments 1.filename: 6 characters",
        "+attachments 1.content (6 bytes, sha256 0773fb1a9e2b)",
    ]


def test_the_file_of_versions_says_what_was_granted(trying: Trying) -> None:
    trying.tried(SAYS.format(word=""), ("tickets:read",))

    stored = json.loads((trying.versions.folder / "says" / "versions.json").read_text())

    assert stored == {"used": [], "shadow": {"number": 1, "granted": ["tickets:read"]}}
