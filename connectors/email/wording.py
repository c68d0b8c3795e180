"""What stands around an answer, in the customer's language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Wording:
    """`by_assistant` says who wrote, `checked` that a person looked at it, `person` how to reach
    one; `picture` stands for one that cannot be seen; `wrote` introduces what is quoted, with a
    date and a name."""

    by_assistant: str
    checked: str
    person: str
    sources: str
    picture: str
    wrote: str


_WORDINGS = {
    "en": Wording(
        "This answer was written by an automatic assistant.",
        "This answer was written by an automatic assistant and checked by a person.",
        "To reach a person, reply with the one word “person”.",
        "Sources",
        "Picture",
        "On {date}, {name} wrote:",
    ),
    "de": Wording(
        "Diese Antwort hat ein automatischer Assistent geschrieben.",
        "Diese Antwort hat ein automatischer Assistent geschrieben und ein Mensch geprüft.",
        "Einen Menschen erreichen Sie, wenn Sie nur mit dem Wort „person“ antworten.",
        "Quellen",
        "Bild",
        "Am {date} schrieb {name}:",
    ),
    "fr": Wording(
        "Cette réponse a été rédigée par un assistant automatique.",
        "Cette réponse a été rédigée par un assistant automatique et relue par une personne.",
        "Pour joindre une personne, répondez avec le seul mot « person ».",
        "Sources",
        "Image",
        "Le {date}, {name} a écrit :",
    ),
    "es": Wording(
        "Esta respuesta la ha escrito un asistente automático.",
        "Esta respuesta la ha escrito un asistente automático y la ha revisado una persona.",
        "Para hablar con una persona, responda solo con la palabra «person».",
        "Fuentes",
        "Imagen",
        "El {date}, {name} escribió:",
    ),
    "it": Wording(
        "Questa risposta è stata scritta da un assistente automatico.",
        "Questa risposta è stata scritta da un assistente automatico e controllata da una persona.",
        "Per parlare con una persona, risponda con la sola parola «person».",
        "Fonti",
        "Immagine",
        "Il {date}, {name} ha scritto:",
    ),
    "nl": Wording(
        "Dit antwoord is geschreven door een automatische assistent.",
        "Dit antwoord is geschreven door een automatische assistent en door een mens nagekeken.",
        "Antwoord met alleen het woord ‘person’ om een mens te bereiken.",
        "Bronnen",
        "Afbeelding",
        "Op {date} schreef {name}:",
    ),
    "pt": Wording(
        "Esta resposta foi escrita por um assistente automático.",
        "Esta resposta foi escrita por um assistente automático e revista por uma pessoa.",
        "Para falar com uma pessoa, responda apenas com a palavra “person”.",
        "Fontes",
        "Imagem",
        "Em {date}, {name} escreveu:",
    ),
}


def of(language: str | None) -> Wording:
    """The words of a language; English where we have none."""
    return _WORDINGS.get(language or "en", _WORDINGS["en"])
