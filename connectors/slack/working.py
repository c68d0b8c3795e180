"""What becomes of each kind of arrival, once there is time for it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from slack_sdk.webhook import WebhookClient

from assistant import Accept, DeskmateError, Message, Outcome
from connectors.slack import thread
from connectors.slack.intake import NAME
from connectors.slack.people import People
from connectors.slack.place import Place, message_id
from connectors.slack.reading import Reader, to_somebody_else
from connectors.slack.sending import outcome_blocks
from connectors.slack.status import Status
from connectors.slack.workspaces import Workspaces

if TYPE_CHECKING:
    from assistant import Desk, Ticket
    from assistant.tickets.arrivals import Arrival

Json = Mapping[str, Any]

FILE_TRIES = 4
ALIKE = 0.9  # of the characters; more of them the same is a mended slip of the pen
PERSON = "I would like to talk to a person."


class Worker:
    """Makes messages of arrivals and hands them to `accept`."""

    def __init__(
        self, desk: Desk, workspaces: Workspaces, people: People, reader: Reader, status: Status
    ) -> None:
        self.accept: Accept = lambda message: desk.inbox.accept(message)
        self._desk = desk
        self._workspaces = workspaces
        self._people = people
        self._reader = reader
        self._status = status

    def work(self, arrival: Arrival) -> None:
        """Does what the arrival asks for.

        Raises whatever went wrong: it comes again."""
        match arrival.payload["kind"]:
            case "post":
                self._post(arrival, arrival.payload["event"])
            case "edit":
                self._edit(arrival, arrival.payload["event"])
            case "delete":
                self._desk.tickets.history.withdraw(NAME, _post_of(arrival))
            case "person":
                self._person(arrival)
            case "question":
                self._question(arrival.payload["command"])

    def give_up(self, arrival: Arrival, error: str) -> None:
        """Leaves to a person what could not be read for a day, as Slack delivered it."""
        match arrival.payload["kind"]:
            case "post":
                event = arrival.payload["event"]
                user, text = event["user"], event.get("text") or ""
            case "person":
                user, text = arrival.payload["user"], PERSON
            case _:  # nobody waits for an answer to an edit; to a command it would come too late
                return
        sender = f"somebody ({user})"  # the name may be what Slack does not give
        thread_id = Place.parse(arrival.conversation).thread_id
        message = Message(NAME, arrival.external_id, thread_id, sender, text)
        tickets = self._desk.tickets
        ticket = tickets.store_message(message)
        outcome = Outcome("hand over", f"it could not be read from Slack: {error}", text="")
        tickets.outcomes.store(ticket.id, message, [message.external_id], outcome)

    def _post(self, arrival: Arrival, event: Json) -> None:
        place = Place.parse(arrival.conversation)
        asked, shared = arrival.payload["asked"], arrival.payload["shared"]
        ticket = self._desk.tickets.find(NAME, place.thread_id)
        author = self._author(place, event, asked)
        in_thread = place.threaded and place.ts != event["ts"]
        if author == "staff" and ticket is None and not in_thread:
            return  # what staff tell everybody is no question
        if ticket and ticket.status == "handed over" and asked and self._is_staff(event):
            ticket = self._hand_back(ticket, event)
        if author == "customer" and (ticket is None or ticket.status != "handed over"):
            self._status.show(place, event["user"])

        client = self._workspaces.client(place.team)
        event = thread.whole(client, place, event)
        last_try = arrival.attempts + 1 >= FILE_TRIES
        message = self._reader.message(place, event, author, shared=shared, last_try=last_try)
        if ticket is None and in_thread and event.get("thread_ts"):
            self._thread_before(arrival, event, message, last_try=last_try)
        if author == "customer" and not asked and in_thread and self._to_another(place, event):
            kept = self._desk.kept(message)
            self._desk.tickets.history.add([kept], "it is addressed to somebody else")
        else:
            self.accept(message)

    def _thread_before(
        self, arrival: Arrival, event: Json, message: Message, *, last_try: bool
    ) -> None:
        """Takes in what was said before the bot was asked for the first time in this thread."""
        place, shared = Place.parse(arrival.conversation), arrival.payload["shared"]
        workspace = self._workspaces.find(place.team)
        earlier = thread.before(self._workspaces.client(place.team), place, event["ts"])
        asked, context = thread.divide(earlier, workspace.user if workspace else "")
        own = bool(earlier) and earlier[0].get("user") == event["user"]
        if message.author == "staff" or not (arrival.payload["asked"] or own):
            asked, context = [], earlier  # a colleague answers, or it is another one's thread
        said = []
        for each in context:
            by_bot = workspace is not None and each.get("user") == workspace.user
            if each.get("bot_id") and not by_bot:
                continue
            author: Literal["assistant", "staff", "customer"] = (
                "assistant" if by_bot else "staff" if self._is_staff(each) else "customer"
            )
            post = self._reader.message(place, each, author, shared=shared, with_files=False)
            said.append(self._desk.kept(post))
        questions = [
            self._reader.message(place, each, shared=shared, last_try=last_try) for each in asked
        ]
        customer = (questions or [message])[0].sender
        self._desk.tickets.history.add(said, customer=customer)
        for question in questions:
            self.accept(question)

    def _edit(self, arrival: Arrival, event: Json) -> None:
        name, place = _post_of(arrival), Place.parse(arrival.conversation)
        text = self._reader.text(place.team, event)
        edited = Message(NAME, name, place.thread_id, event.get("user", ""), text)
        kept = self._desk.kept(edited).text
        if self._desk.tickets.history.change(NAME, name, kept) != "too late":
            return
        before = self._reader.text(place.team, {"text": arrival.payload["before"]})
        was = self._desk.tickets.message(NAME, name)
        if was.author == "customer" and says_something_else(before, text):
            message = self._reader.message(
                place, event, shared=arrival.payload["shared"], with_files=False
            )
            self.accept(replace(message, external_id=arrival.external_id))

    def _person(self, arrival: Arrival) -> None:
        place, user = Place.parse(arrival.conversation), arrival.payload["user"]
        sender = self._people.name(place.team, user)
        self.accept(Message(NAME, arrival.external_id, place.thread_id, sender, PERSON))

    def _question(self, command: Json) -> None:
        team, user = command["team_id"], command["user_id"]
        # Only the person who asked sees the answer, as in a direct message.
        audience = self._reader.audience(team, "D", user, shared=False)
        webhook = WebhookClient(command["response_url"], retry_handlers=[])
        try:
            outcome = self._desk.ask(command["question"], audience=audience)
        except DeskmateError as error:
            webhook.send(text=f"This cannot be answered now: {error}", response_type="ephemeral")
            return
        text, blocks = outcome_blocks(outcome)
        webhook.send(text=text, blocks=blocks, response_type="ephemeral")

    def _author(self, place: Place, event: Json, asked: bool) -> Literal["customer", "staff"]:
        """Staff are customers where they ask themselves: by mention, directly, in own threads."""
        own = event.get("parent_user_id") == event["user"]
        if asked or own or place.channel.startswith("D") or not self._is_staff(event):
            return "customer"
        return "staff"

    def _is_staff(self, event: Json) -> bool:
        return self._people.is_staff(event.get("user", ""))

    def _hand_back(self, ticket: Ticket, event: Json) -> Ticket:
        """A colleague calls the bot back into a conversation that a person had."""
        who = self._people.name(Place.parse(ticket.thread_id).team, event["user"])
        return self._desk.tickets.hand_back(ticket.id, who)

    def _to_another(self, place: Place, event: Json) -> bool:
        workspace = self._workspaces.find(place.team)
        return workspace is not None and to_somebody_else(event, workspace)


def says_something_else(before: str, after: str) -> bool:
    """Whether an edit changed what is asked: words with digits, such as error codes, or more than
    a few characters."""
    old, new = (" ".join(text.lower().split()) for text in (before, after))
    if set(re.findall(r"\w*\d\w*", old)) != set(re.findall(r"\w*\d\w*", new)):
        return True
    return difflib.SequenceMatcher(None, old, new, autojunk=False).ratio() < ALIKE


def _post_of(arrival: Arrival) -> str:
    """The name of the post that was edited or deleted."""
    return message_id(*arrival.external_id.split("/")[:2])
