"""A Slack of your own, on loopback: Web API, Socket Mode, Events API over HTTP, files and OAuth.

    from assistant.testing.slack import Slack

    with Slack() as slack:
        ana = slack.add_user("Ana")
        help = slack.add_channel("help", [ana])
        slack.post(help, ana, "How do I void an invoice?")

Point `slack_sdk` at it with `WebClient(base_url=slack.api_url)`; Socket Mode follows from there. It
speaks what a support bot uses, refuses what Slack refuses (too long blocks, missing scopes, dead
tokens), delivers again what is not acknowledged, and does wrong on demand: `fail`, `disconnect`,
`redeliver`, `expire`.

server.py      the server, and what a test does as Slack's users
workspaces.py  teams, users, channels, messages, files
web.py         what is answered by HTTP
methods.py     the Web API's methods
events.py      what the app is told, in Slack's form
blocks.py      Block Kit's limits
delivery.py    events, interactions and commands on their way to the app
"""

from assistant.testing.slack.server import Slack
from assistant.testing.slack.workspaces import Team

__all__ = ["Slack", "Team"]
