"""Training on a company's own solved tickets and labelled messages: what `deskmate train` does.

    cases.py      solved tickets as questions, and their two parts: to learn from, to measure on
    screens.py    which lines of a screenshot matter, and how articles are scored
    questions.py  an adapter of questions' vectors
    intents.py    intent, priority, out of scope
    verdict.py    whether new weights are better than those in use, and the report

What is learned from tickets starts from the weights that the package brings. New weights are
measured on cases that they were not made from, beside the weights in use, and are taken into use
only if they do better there.
"""
