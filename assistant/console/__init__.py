"""The admin console: where people see, correct and trust the assistant.

app.py        the application: pages, errors, the order of what wraps them
access.py     roles, and the rule that every page declares
calls.py      one request as a page sees it
security.py   headers, and where a request may come from
passwords.py  hashing, and what makes a password
setup.py      the one-time link of a new desk
sign_on.py    single sign-on by OpenID Connect
live.py       news as server-sent events, and who is looking
views.py      templates, and how moments, differences and answers are shown
drafts.py     what the ticket's page shows of an outcome
work.py       work in the background, and how far it is
tries.py      what was tried in the playground
figures.py    the figures of the page Quality, and plots.py: how they are drawn
routes/       one file a group of pages
templates/    one file a page; layout.html around them, macros.html in them
static/       style, script, htmx

A new page is a function with a rule in `routes/`, its template, and what it asks the ticket
database: see `routes/audit.py`. Its module is named once, in `app.py`.
"""
