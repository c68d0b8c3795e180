"""The HTTP API: other programs, and chat widgets in web pages, bring messages and see the answers.

    POST /api/messages ──> handlers ──> inbox            (coming in)
    GET  /api/…/events <── events   <── the event log    (going out)

A reply is sent as soon as it can be read: the channel is the database, so every process may answer,
and what is streamed is read from there.

plugin.py     the hooks, `deskmate api`    settings.py   [connectors.api]
connector.py  what the desk holds          service.py    a request's way through the checks
operations.py all operations, in a table   openapi.py    their description, made from it
handlers.py   what each of them does       schema.py     what goes in and out
access.py     keys and tokens              limits.py     how often
bodies.py     reading what was posted      problems.py   errors, RFC 9457
events.py     server-sent events
"""
