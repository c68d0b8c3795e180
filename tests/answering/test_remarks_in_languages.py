"""Remarks in other languages than English."""

from __future__ import annotations

import pytest

from assistant.answering.remarks import asks_for_person, confirms, decide
from assistant.messages import Message, Turn, now

ANSWERED = (
    Turn("customer", "Warum bricht mein Export ab?", now()),
    Turn("assistant", "Klicken Sie auf Weiter. [1]", now()),
)
TOLD = {
    "de": "Natürlich: ",
    "fr": "Bien sûr : ",
    "es": "Por supuesto: ",
    "it": "Certamente: ",
    "pt": "Claro: ",
    "nl": "Natuurlijk: ",
}

CONFIRMED = {
    "de": [
        "Danke, das hat funktioniert",
        "danke hat geklappt und einen schönen Tag",
        "Danke, hat geklappt!",
        "Super, jetzt geht's wieder. Vielen Dank für die schnelle Hilfe!",
        "Es funktioniert jetzt, danke",
        "Problem gelöst, danke",
        "Das Problem ist behoben. Vielen Dank!\n\nMit freundlichen Grüßen\nJana Beck",
        "hat mir sehr geholfen, danke schön",
        "läuft wieder",
        "funktioniert",
    ],
    "fr": [
        "Merci, ça a marché",
        "Ça fonctionne maintenant, merci beaucoup !",
        "Le problème est résolu. Merci pour votre aide et bonne journée",
        "C'est résolu, merci",
        "Ca marche parfaitement",
    ],
    "es": [
        "Gracias, funcionó",
        "¡Ya funciona, muchas gracias!",
        "Problema resuelto, gracias por su ayuda",
        "Me ha funcionado perfectamente",
        "Solucionado. Un saludo, Marta",
        "Hola, ya está resuelto y muchas gracias",
    ],
    "it": [
        "Grazie, ha funzionato",
        "Ora funziona, grazie mille!",
        "Il problema è risolto, grazie per l'aiuto",
        "Risolto!",
        "Perfetto, adesso funziona tutto. Cordiali saluti\nPaolo",
    ],
    "pt": [
        "Obrigado, funcionou",
        "Deu certo, muito obrigada!",
        "O problema foi resolvido. Obrigado pela ajuda",
        "Agora está a funcionar, obrigado",
        "Já consegui resolver, obrigado",
    ],
    "nl": [
        "Bedankt, het werkt nu",
        "Het is gelukt, dank je wel!",
        "Het probleem is opgelost, bedankt voor de hulp",
        "Top, nu werkt het weer",
        "Dat heeft geholpen, dank u wel. Met vriendelijke groet, Jan",
    ],
}

NEAR_MISSES = [
    "Danke, funktioniert leider nicht",
    "hat nicht geklappt",
    "hat gestern noch funktioniert",
    "funktioniert jetzt, aber nur am Handy",
    "Danke, nein",
    "es geht",
    "Funktioniert das jetzt?",
    "jetzt geht gar nichts mehr",
    "Erledigt.",
    "Das hat funktioniert, und wie lösche ich das Konto",
    "geht nicht",
    "Danke, das Problem ist nicht gelöst",
    "Merci mais ça ne marche pas",
    "ça marche",
    "Ça a marché hier",
    "ça ne fonctionne toujours pas, merci",
    "Merci, le problème n'est pas résolu",
    "ça marche mais pas sur mon téléphone",
    "Merci. Toujours pas",
    "Gracias, pero no funciona",
    "no funcionó",
    "ya no funciona",
    "funcionó hasta ayer",
    "el problema no está resuelto",
    "Gracias. No está solucionado",
    "funciona a veces",
    "Grazie ma non funziona",
    "non ha funzionato",
    "funziona solo a volte",
    "il problema non è risolto",
    "Grazie, ha funzionato ma ora manca la fattura",
    "funzionava",
    "Obrigado, mas não funcionou",
    "não deu certo",
    "funcionou até ontem",
    "o problema não foi resolvido",
    "Obrigado, não funciona",
    "agora não funciona",
    "Bedankt, maar het werkt niet",
    "het werkt nog niet",
    "het werkt alleen op mijn telefoon",
    "is het opgelost?",
    "het werkte tot gisteren",
    "niet gelukt",
    "Dank je, maar nee",
]

WANTED = {
    "de": [
        "Kann ich mit einem Menschen sprechen?",
        "Ich möchte mit einem Mitarbeiter sprechen",
        "Bitte verbinden Sie mich mit dem Kundenservice",
        "Mensch bitte",
        "Das hilft mir nicht. Ich will mit jemandem reden!",
        "Echter Mensch",
        "Mitarbeiter",
        "Könnten Sie mich bitte mit einem Kollegen verbinden?",
        "Hallo, ich hätte gern einen Ansprechpartner",
    ],
    "fr": [
        "Je voudrais parler à un humain",
        "Puis-je parler à quelqu'un ?",
        "Un conseiller s'il vous plaît",
        "Non. Je veux parler à une vraie personne !",
        "Pouvez-vous me mettre en relation avec un conseiller ?",
        "J'ai besoin d'un humain",
        "parler à un agent svp",
    ],
    "es": [
        "Quiero hablar con una persona",
        "¿Puedo hablar con un agente?",
        "Necesito un agente humano",
        "No me sirve. Quiero hablar con alguien de verdad",
        "una persona por favor",
        "Me gustaría hablar con atención al cliente",
        "agente",
    ],
    "it": [
        "Vorrei parlare con un operatore",
        "Posso parlare con una persona vera?",
        "Non mi aiuta, voglio parlare con qualcuno",
        "Operatore",
        "una persona reale per favore",
        "Mi passi un operatore",
        "parlare con l'assistenza",
    ],
    "pt": [
        "Quero falar com um atendente",
        "Posso falar com uma pessoa?",
        "Gostaria de falar com alguém do suporte",
        "atendente",
        "Preciso de falar com uma pessoa real, por favor",
        "uma pessoa por favor",
        "Pode me transferir para um atendente?",
    ],
    "nl": [
        "Kan ik met een medewerker praten?",
        "Ik wil een mens spreken",
        "Kunt u mij doorverbinden met een medewerker?",
        "medewerker graag",
        "Ik wil graag iemand spreken",
        "echt mens",
        "Mag ik met iemand van de klantenservice spreken?",
    ],
}

ABOUT_PERSONS = [
    "Mensch, das klappt nicht",
    "Wie füge ich eine Person zu meinem Team hinzu?",
    "Mein Kunde möchte mit einem Menschen sprechen",
    "Ich möchte einen Mitarbeiter hinzufügen",
    "Ich brauche Support für Windows 7",
    "Ein Mitarbeiter kann sich nicht anmelden",
    "Comment ajouter une personne à mon équipe ?",
    "Une personne de mon équipe n'a pas accès",
    "Je voudrais parler à mon équipe dans un canal",
    "Mon client veut parler à un humain",
    "¿Cómo añado una persona a mi equipo?",
    "Necesito un agente de usuario distinto",
    "Un agente no puede entrar",
    "mi cliente quiere hablar con una persona",
    "Come aggiungo una persona al team?",
    "Un operatore non vede i ticket",
    "Il mio cliente vuole parlare con una persona",
    "Como adiciono uma pessoa à equipa?",
    "Um atendente não consegue entrar",
    "quero uma pessoa removida da equipa",
    "Hoe voeg ik een medewerker toe?",
    "Ik wil een medewerker verwijderen",
    "Een medewerker kan niet inloggen",
    "Mijn klant wil met een mens praten",
]


def said(text: str) -> Message:
    return Message("email", "2", "t1", "kim@example.org", text)


def each(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(language, text) for language, texts in table.items() for text in texts]


@pytest.mark.parametrize(("language", "text"), each(CONFIRMED))
def test_a_customer_confirms(language: str, text: str) -> None:
    outcome = decide(said(text), ANSWERED)

    assert outcome is not None
    assert outcome.action == "solve"


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_near_misses_are_no_confirmation(text: str) -> None:
    assert not confirms(said(text))
    assert decide(said(text), ANSWERED) is None


@pytest.mark.parametrize("language", TOLD)
def test_what_is_not_yet_answered_is_not_confirmed(language: str) -> None:
    assert decide(said(CONFIRMED[language][0]), ()) is None


@pytest.mark.parametrize(
    "text",
    ["Vielen Dank!", "Merci beaucoup", "¡Muchas gracias!", "Grazie mille", "Obrigada", "Dank je"],
)
def test_thanks_alone_are_neither_answered_nor_taken_for_a_solution(text: str) -> None:
    outcome = decide(said(text), ANSWERED)

    assert outcome is not None
    assert outcome.action == "ignore"


@pytest.mark.parametrize(("language", "text"), each(WANTED))
def test_a_customer_asks_for_a_person_and_is_told_in_the_same_language(
    language: str, text: str
) -> None:
    outcome = decide(said(text), ())

    assert outcome is not None
    assert outcome.action == "hand over"
    assert outcome.text.startswith(TOLD[language])


@pytest.mark.parametrize("text", ABOUT_PERSONS)
def test_a_question_about_persons_is_a_question(text: str) -> None:
    assert not asks_for_person(text)


def test_accents_may_be_left_out() -> None:
    assert confirms(said("Le probleme est resolu, merci"))
    assert confirms(said("El problema esta resuelto"))
    assert confirms(said("Das Problem ist geloest"))


def test_two_languages_do_not_make_one_remark() -> None:
    assert not confirms(said("Danke, solved, pero"))
    assert not confirms(said("Es funktioniert, mais pas ici"))
