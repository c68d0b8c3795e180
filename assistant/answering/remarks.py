"""What a customer says about the conversation instead of asking something: that it is solved,
thanks, or that a person is wanted.

A remark is recognised only if nothing else is said: each clause has to be one of a few forms, and
what is in doubt is a question, which at worst is answered once too often. The forms are English;
in other languages these messages go the usual way.
"""

from __future__ import annotations

import re

from assistant.messages import Message, Outcome, Turn

CONFIRMED = Outcome("solve", "the customer says that it is solved", text="")
THANKED = Outcome("ignore", "the customer says thanks and asks nothing", text="")
WANTED = Outcome(
    "hand over",
    "the customer asks for a person",
    text="Of course: a person from our team takes over and will answer you here.",
)

_IT = r"(?:it|this|that|the \w+|everything|all)"
_MUCH = (
    r"(?:now|again|finally|indeed|perfectly|great|fine|well|nicely|just fine|for me|like a charm)"
)
_WORKED = (
    rf"(?:(?:yes|yep|yeah|ok|okay|great|perfect) )?"
    rf"(?:"
    rf"{_IT} (?:has |have |is |'s )?(?:now |all |just )?"
    rf"(?:worked|works|working|work|did it|did the trick|fixed (?:it|this|that|the \w+)|fixed|"
    rf"solved(?: (?:it|this|that|(?:the|my) \w+))?|helped(?: me)?|resolved|sorted)"
    rf"|it's (?:now |all )?(?:working|fixed|solved|resolved|sorted)"
    rf"|(?:all )?(?:solved|fixed|resolved|sorted)|works|working|worked"
    rf"|(?:the |my )?(?:problem|issue) (?:is |was )?(?:now )?(?:solved|fixed|resolved|gone)"
    rf"|(?:i )?got it (?:working|to work)|i (?:can|could) (?:now )?(?:sign in|log in) (?:now|again)"
    rf")(?: {_MUCH})*"
)
_THANKS = (
    r"(?:(?:many |ok |okay |great |perfect )?(?:thanks|thank you|thx|ty|cheers|much appreciated)"
    r"(?: (?:so much|very much|a lot|a million|again|for (?:your|the|all your)(?: \w+)? ?help|"
    r"for the (?:quick )?(?:reply|answer|response)|team|all))*"
    r"|(?:great|perfect|awesome|amazing|brilliant|excellent|wonderful|super|cool|nice|lovely|ok|okay)"
    r")"
)
_CONFIRM = re.compile(rf"(?:{_THANKS} )?{_WORKED}(?: {_THANKS})?")
_THANK = re.compile(_THANKS)
_GREETING = re.compile(
    r"(?:hi|hello|hey|dear)(?: (?:there|team|all))?|bye"
    r"|(?:have|wish you) a (?:nice|great|good|lovely) (?:day|evening|weekend|one)"
)
_SIGN_OFF = re.compile(r"(?:best|kind|warm|many)? ?(?:regards|wishes)|best|all the best|sincerely")
_NAME = re.compile(r"[^\W\d]+(?: [^\W\d]+){0,2}")

_PERSON = (
    r"(?:a |an |some |the |your )?(?:(?:real|live|actual|human) )*"
    r"(?:person|human(?: being)?|agent|representative|rep|operator|someone|somebody|"
    r"colleague|member of (?:your )?(?:staff|team)|support (?:team|agent|person)|customer service)"
)
_TALK = r"(?:talk|speak|chat|be (?:connected|transferred|put through)|be passed on|write)"
_WANT = (
    r"(?:i (?:want|need|wish|prefer|would like|would prefer|'d like|'d prefer)|i'd (?:like|prefer)|"
    r"can i|could i|may i|can we|let me|please let me|is it possible|how (?:can|do) i|please)"
)
_ASKS_FOR_PERSON = re.compile(
    rf"(?:(?:hi|hello|no|ok|please|sorry|but)\W+)*"
    rf"(?:{_WANT} (?:to )?(?:please )?{_TALK} (?:to|with) {_PERSON}"
    rf"|{_TALK} (?:to|with) {_PERSON}"
    rf"|(?:please )?(?:connect|transfer|pass|put) me (?:to|with|through to|on to) {_PERSON}"
    rf"|(?:can|could) you (?:please )?(?:connect|transfer|put) me (?:to|with|through to) {_PERSON}"
    rf"|(?:get|give) me {_PERSON}|i (?:want|need) {_PERSON}"
    rf"|(?:a )?(?:real |live |actual )*(?:person|human|agent|representative|operator)"
    rf"|(?:is there )?(?:a )?(?:real|live|actual|human) (?:person|being|agent)(?: there)?"
    rf")(?: (?:please|now|instead|here|directly|from (?:your|the) (?:team|staff|support(?: team)?)|"
    rf"in (?:your )?support|about (?:this|it|that)))*"
)


def decide(message: Message, conversation: tuple[Turn, ...]) -> Outcome | None:
    """The outcome of a message that is nothing but a remark, given what was said before; None for
    everything else."""
    if message.attachments:
        return None
    if asks_for_person(message.text):
        return WANTED
    if any(turn.author != "customer" for turn in conversation):
        if confirms(message):
            return CONFIRMED
        if _says(message.text, _THANK):
            return THANKED
    return None


def confirms(message: Message) -> bool:
    """Whether the message says that the problem is solved, and nothing else but thanks."""
    return not message.attachments and _says(message.text, _CONFIRM)


def asks_for_person(text: str) -> bool:
    """Whether one of the sentences asks for a person to talk to, in so many words."""
    sentences = re.split(r"[.!?;,\n]+", _plain(text))
    return any(_ASKS_FOR_PERSON.fullmatch(sentence.strip()) for sentence in sentences)


def _says(text: str, form: re.Pattern[str]) -> bool:
    """Whether a clause has this form, and all others, up to a signature, thank or greet."""
    if "?" in text:
        return False
    said = False
    clauses = _clauses(text)
    for number, clause in enumerate(clauses):
        if _SIGN_OFF.fullmatch(clause):
            rest = clauses[number + 1 :]
            return said and (not rest or (len(rest) == 1 and bool(_NAME.fullmatch(rest[0]))))
        if form.fullmatch(clause):
            said = True
        elif not (_THANK.fullmatch(clause) or _GREETING.fullmatch(clause)):
            return False
    return said


def _clauses(text: str) -> list[str]:
    parts = re.split(r"[.!,;:\n()–—-]+|\band\b", _plain(text))
    return [clause for part in parts if (clause := part.strip())]


def _plain(text: str) -> str:
    """Lower case, straight apostrophes, one space between words, no emoji."""
    text = re.sub(r"[’`]", "'", text.lower())
    text = re.sub(r"[^\w\s'.!?,;:()–—-]|:-?\)", " ", text)
    return re.sub(r"[^\S\n]+", " ", text)
