"""The example help centre is complete, and it does not contradict itself."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"
CENTRE = EXAMPLES / "help-centre"
ARTICLES = sorted(p for p in (CENTRE / "articles").rglob("*.*") if p.suffix != ".png")
PICTURES = sorted((CENTRE / "articles").rglob("*.png"))
CUSTOMERS = EXAMPLES / "customers"
MESSAGES = sorted(CUSTOMERS.glob("*/message.toml"))
QUESTIONS = [json.loads(line) for line in (CENTRE / "questions.jsonl").open(encoding="utf-8")]

PICTURE_BYTES = 120_000
ALL_PICTURES_BYTES = 2_500_000
ERROR_CODE = re.compile(r"TB-\d{4}")
REFERENCE = re.compile(
    r'!\[(?P<alt>[^\]]+)\]\((?P<a>[^)]+)\)|image:: (?P<b>\S+)|src="(?P<c>[^"]+)"'
)

FACTS = tomllib.loads(Path(__file__).with_name("facts.toml").read_text(encoding="utf-8"))


def front_matter(article: Path) -> dict[str, Any]:
    """What an article says about itself."""
    text = article.read_text(encoding="utf-8")
    if article.suffix != ".html":
        return dict(yaml.safe_load(text.split("---\n")[1]))
    said = dict(re.findall(r'<meta name="(\w+)" content="([^"]+)"', text))
    for name, pattern in [
        ("title", r"<title>(.+)</title>"),
        ("url", r'rel="canonical" href="([^"]+)"'),
        ("language", r'<html lang="(\w+)"'),
    ]:
        said[name] = "".join(re.findall(pattern, text))
    return said


def shown_in(article: Path) -> list[Path]:
    """The pictures an article shows."""
    text = article.read_text(encoding="utf-8")
    return [
        (article.parent / next(filter(None, match.group("a", "b", "c")))).resolve()
        for match in REFERENCE.finditer(text)
    ]


def stated(pattern: str) -> list[tuple[str, str]]:
    """Each place in articles and screens that states a fact, and the value it gives."""
    screens = CENTRE / "screens"
    return [
        (path.name, value)
        for path in [*ARTICLES, *sorted(screens.rglob("*.html")), screens / "screens.toml"]
        for value in re.findall(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
    ]


@pytest.mark.parametrize("article", ARTICLES, ids=lambda p: p.name)
def test_article_names_itself_and_has_a_readable_length(article: Path) -> None:
    said = front_matter(article)
    words = len(article.read_text(encoding="utf-8").split())

    assert said["title"]
    assert said["url"] == f"https://help.tallybeck.example/{article.stem}"
    assert (said["product"], said["language"]) == ("Tallybeck", "en")
    assert said["audience"] == ("internal" if article.parent.name == "staff" else "public")
    assert 120 <= words <= 450


def test_titles_are_unique() -> None:
    titles = [front_matter(article)["title"] for article in ARTICLES]

    assert len(ARTICLES) >= 34
    assert len(set(titles)) == len(titles)


def test_every_picture_is_shown_in_exactly_one_article() -> None:
    shown = Counter(picture for article in ARTICLES for picture in shown_in(article))

    assert len(PICTURES) >= 24
    assert shown == Counter(picture.resolve() for picture in PICTURES)


def test_every_picture_has_an_alternative_text_that_says_something() -> None:
    for article in ARTICLES:
        for match in re.finditer(r"!\[([^\]]*)\]|alt=\"([^\"]*)\"|:alt: (.*)", article.read_text()):
            assert len("".join(filter(None, match.groups())).split()) >= 5, article.name


def test_pictures_open_and_are_small() -> None:
    pictures = PICTURES + sorted(CUSTOMERS.rglob("*.png"))

    for picture in pictures:
        with Image.open(picture) as image:
            image.load()
        assert picture.stat().st_size < PICTURE_BYTES, picture.name
    assert sum(picture.stat().st_size for picture in pictures) < ALL_PICTURES_BYTES


def test_customers_screenshots_are_not_the_articles_pictures() -> None:
    seen = {picture.read_bytes() for picture in PICTURES}

    assert not [p.name for p in CUSTOMERS.rglob("*.png") if p.read_bytes() in seen]


def test_the_plan_of_screens_makes_exactly_the_pictures_there_are() -> None:
    plan = tomllib.loads((CENTRE / "screens" / "screens.toml").read_text(encoding="utf-8"))

    planned = [(CENTRE / "screens" / shot["file"]).resolve() for shot in plan["shot"]]

    assert sorted(planned) == sorted(p.resolve() for p in EXAMPLES.rglob("*.png"))


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q["id"])
def test_question_names_articles_and_screenshots_that_exist(question: dict[str, Any]) -> None:
    assert question.get("text") or question.get("screenshots")
    assert question["answerable"] == bool(question["articles"])
    for article in question["articles"]:
        assert CENTRE / "articles" / article in ARTICLES
        assert front_matter(CENTRE / "articles" / article)["audience"] == "public"
    for screenshot in question.get("screenshots", []):
        assert (CENTRE / screenshot).is_file()


def test_questions_are_many_and_of_each_kind() -> None:
    ids = [question["id"] for question in QUESTIONS]

    assert len(QUESTIONS) >= 60
    assert len(set(ids)) == len(ids)
    assert sum(not question["answerable"] for question in QUESTIONS) >= 12
    assert sum("screenshots" in question for question in QUESTIONS) >= 12


@pytest.mark.parametrize("file", MESSAGES, ids=lambda p: p.parent.name)
def test_demo_message_is_complete(file: Path) -> None:
    message = tomllib.loads(file.read_text(encoding="utf-8"))
    expected = message["expected"]

    assert message["text"].strip() or message["screenshots"]
    assert all((file.parent / name).is_file() for name in message["screenshots"])
    assert all((CENTRE / "articles" / name).is_file() for name in expected["articles"])
    assert expected["action"] in (("reply", "draft") if expected["articles"] else ("hand over",))


def test_every_error_code_on_a_screen_is_explained_in_an_article() -> None:
    plan = (CENTRE / "screens" / "screens.toml").read_text(encoding="utf-8")
    pages = "".join(p.read_text(encoding="utf-8") for p in (CENTRE / "screens").rglob("*.html"))
    explained = "".join(article.read_text(encoding="utf-8") for article in ARTICLES)

    assert set(ERROR_CODE.findall(plan + pages)) <= set(ERROR_CODE.findall(explained))


@pytest.mark.parametrize("fact", FACTS)
def test_fact_is_the_same_wherever_it_is_stated(fact: str) -> None:
    found = {pattern: stated(pattern) for pattern in FACTS[fact]["patterns"]}
    places = [place for some in found.values() for place in some]

    assert all(found.values()), "a pattern finds nothing any more"
    assert len(places) >= 2, "a fact that is stated once needs no check"
    assert {value for _, value in places} == {FACTS[fact]["value"]}, places
