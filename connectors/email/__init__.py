"""E-mail: a mailbox that answers itself, without looping, leaking or losing a message.

    IMAP ──> receiving ──> lanes ──> working ──> inbox         (coming in)
    SMTP <── smtp <── compose <── connector <── inbox          (going out)

A mail's bytes are stored before anything looks at them (`receiving`) and taken apart in a child
process (`guard`, `mime`); the mail is marked in the mailbox once it was accepted. Each rule is
readable on its own:

loops.py      what is never answered, or only by a person     brakes.py    how much leaves an hour
threads.py    which ticket a mail belongs to                  tokens.py    our signed marks
trust.py      whether the sender is who it says               kinds.py     what kind of mail it is
quotations.py, signatures.py, html.py, bodies.py, parts.py, headers.py, charsets.py, tnef.py
"""
