"""Slack: a thread is a conversation, a channel of staff gets drafts and hand-overs.

    Slack ──> listeners ──> intake ──> lanes ──> reading ──> inbox         (coming in)
    Slack <── sending, notices <── inbox                                   (going out)

What Slack delivers is noted in the database and acknowledged at once (`intake`); files, the thread
before it and people's names are fetched afterwards (`connectors.lanes`, `reading`), however long
that takes.

plugin.py     the hooks              settings.py    [connectors.slack]
connector.py  what the desk holds    workspaces.py  tokens of one workspace or several
listeners.py  what bolt calls        client.py      rate limits
sending.py    replies                notices.py     the staff channel
"""
