"""Block Kit's limits, as Slack holds to them (https://docs.slack.dev/reference/block-kit)."""

from __future__ import annotations

from typing import Any

from assistant.testing.slack.workspaces import ApiError, Json

BLOCKS_IN_MESSAGE = 50
BLOCKS_IN_VIEW = 100
TEXT_IN_SECTION = 3_000
ELEMENTS_IN_CONTEXT = 10
ELEMENTS_IN_ACTIONS = 25
TEXT_IN_BUTTON = 75
VALUE_IN_BUTTON = 2_000
ID_LENGTH = 255
TEXT_IN_MESSAGE = 40_000
TEXT_IN_HEADER = 150
INITIAL_VALUE = 3_000


def check_message(args: Json) -> None:
    """Raises ApiError if Slack would not take the message."""
    blocks = args.get("blocks") or []
    if not args.get("text") and not blocks:
        raise ApiError("no_text")
    if len(args.get("text") or "") > TEXT_IN_MESSAGE:
        raise ApiError("msg_too_long")
    _check(blocks, BLOCKS_IN_MESSAGE)


def check_view(view: Json) -> None:
    """Raises ApiError if Slack would not show the modal or the App Home."""
    if len(view.get("private_metadata", "")) > TEXT_IN_SECTION:
        raise ApiError("invalid_arguments")
    _check(view.get("blocks", []), BLOCKS_IN_VIEW)


def _check(blocks: list[Json], most: int) -> None:
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    fine = len(blocks) <= most and len(ids) == len(set(ids)) and all(map(_fits, blocks))
    if not fine:
        raise ApiError("invalid_blocks")


def _fits(block: Json) -> bool:
    match block.get("type"):
        case "section":
            return 0 < len(block["text"]["text"]) <= TEXT_IN_SECTION
        case "header":
            return 0 < len(block["text"]["text"]) <= TEXT_IN_HEADER
        case "context":
            elements = block["elements"]
            texts_fit = all(0 < len(e.get("text", " ")) <= TEXT_IN_SECTION for e in elements)
            return 0 < len(elements) <= ELEMENTS_IN_CONTEXT and texts_fit
        case "actions":
            return 0 < len(block["elements"]) <= ELEMENTS_IN_ACTIONS and all(
                map(_button_fits, block["elements"])
            )
        case "input":
            return len(block["element"].get("initial_value", "")) <= INITIAL_VALUE
        case "divider":
            return True
        case _:
            return False


def _button_fits(button: dict[str, Any]) -> bool:
    return (
        0 < len(button["text"]["text"]) <= TEXT_IN_BUTTON
        and len(button.get("value", "")) <= VALUE_IN_BUTTON
        and 0 < len(button["action_id"]) <= ID_LENGTH
    )
