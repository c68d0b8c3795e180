"""What a plugin may do, and for which contract it was written."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from assistant import Message, PluginError, Reply, SettingsError, hookimpl, hooks
from assistant.plugging import Plugins

REPLY = Reply("r1", 1, "test", "thread", "ann@example.com", "Re: Help", "Three days.")


class Both:
    """Changes messages, and holds every reply back."""

    @hookimpl
    def message_received(self, message: Message) -> Message:
        return replace(message, text="changed")

    @hookimpl
    def reply_sending(self, reply: Reply) -> str:
        return "wait"


def test_without_a_declaration_a_plugin_asks_for_what_its_hooks_need(plugins: Plugins) -> None:
    plugins.register("both", Both())

    assert plugins.list()[0].asked == {"tickets:read", "tickets:write", "sending"}
    assert plugins.list()[0].missing == ()


def test_a_hook_outside_the_grant_is_not_called(plugins, faults, message, ticket) -> None:
    plugins.register("both", Both(), granted=["tickets:read", "tickets:write"])

    assert plugins.message_received(message(), ticket, faults).text == "changed"
    assert plugins.reply_sending(REPLY, faults) is None
    assert (faults, plugins.list()[0].missing) == ([], ("sending",))


def test_who_may_only_read_changes_nothing(plugins, faults, message, ticket) -> None:
    plugins.register("both", Both(), granted=["tickets:read"])

    assert plugins.message_received(message("Hello"), ticket, faults).text == "Hello"
    assert "without the permission tickets:write" in faults[0].error


def test_nothing_is_granted_that_was_not_asked_for(plugins) -> None:
    plugins.register("both", Both(), granted=hooks.NEEDS.values())

    assert "commands" not in plugins.list()[0].granted


def test_every_hook_needs_a_permission() -> None:
    assert hooks.NEEDS.keys() == hooks.TIME_LIMITS_S.keys()


DECLARED = {
    "less than its hooks need": ({"tickets:read"}, "reply_sending: needs the permission sending"),
    "no permission": ({"root"}, "there is no permission root. Known: commands"),
    "a word": ("sending", "permissions is a set of names"),
}


@pytest.mark.parametrize("what", DECLARED)
def test_a_wrong_declaration_is_refused_and_leaves_nothing_behind(
    plugins, faults, message, ticket, what: str
) -> None:
    plugin = Both()
    plugin.permissions, error = DECLARED[what]  # type: ignore[attr-defined]

    with pytest.raises(PluginError, match=error):
        plugins.register("both", plugin)

    assert plugins.list() == ()
    assert plugins.message_received(message("Hello"), ticket, faults).text == "Hello"


def test_an_unknown_grant_is_a_wrong_setting() -> None:
    with pytest.raises(SettingsError, match=r"granted\.both: there is no permission 'all'"):
        Plugins.installed({}, granted={"both": ["all"]})


@pytest.mark.parametrize(
    ("contract", "upgrade"),
    [(hooks.CONTRACT + 1, "Deskmate"), (hooks.OLDEST_CONTRACT - 1, "the plugin"), ("1", "the pl")],
)
def test_a_plugin_for_another_contract_is_refused(plugins, contract, upgrade: str) -> None:
    plugin = Both()
    plugin.contract = contract  # type: ignore[attr-defined]

    with pytest.raises(PluginError, match=f"written for version .* Upgrade {upgrade}"):
        plugins.register("both", plugin)


def test_what_is_deprecated_is_said_and_goes_on_working(
    monkeypatch: pytest.MonkeyPatch, faults, plugin
) -> None:
    marks = {
        **hooks.reply_sending.deskmate_spec,  # type: ignore[attr-defined]
        "warn_on_impl": DeprecationWarning("reply_sending ends with contract 2"),
    }
    monkeypatch.setattr(hooks.reply_sending, "deskmate_spec", marks)
    plugins = Plugins()
    plugins.register("old", plugin("reply_sending", lambda reply: "wait"))

    assert plugins.list()[0].warnings == ("reply_sending ends with contract 2",)
    assert plugins.reply_sending(REPLY, faults) == "old: wait"


def test_a_module_may_declare_as_well(plugins) -> None:
    module = SimpleNamespace(
        permissions={"sending", "network"},
        reply_sending=hookimpl(specname="reply_sending")(lambda reply: None),
    )
    plugins.register("module", module)

    assert plugins.list()[0].asked == {"sending", "network"}
