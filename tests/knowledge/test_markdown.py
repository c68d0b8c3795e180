from __future__ import annotations

from assistant.articles import Section
from assistant.knowledge.markdown import read_markdown, slugify


def sections(text: str) -> tuple[Section, ...]:
    outline = read_markdown(text)
    return outline.sections(outline.title("Untitled"))


def text_of(text: str) -> str:
    return "\n".join(section.text for section in sections(text))


def test_headings_become_sections_with_their_path_and_anchor():
    found = sections("# Billing\n\nIntro.\n\n## Change your plan\n\nA.\n\n### On `mobile`\n\nB.\n")

    assert [(s.heading_path, s.anchor, s.text) for s in found] == [
        (("Billing",), "", "Intro."),
        (("Billing", "Change your plan"), "change-your-plan", "A."),
        (("Billing", "Change your plan", "On mobile"), "on-mobile", "B."),
    ]


def test_explicit_heading_ids_are_honoured_and_repeated_headings_counted():
    found = sections("# T\n\n## Setup {#first-steps}\n\na\n\n## Notes\n\nb\n\n## Notes\n\nc\n")

    assert [s.anchor for s in found] == ["first-steps", "notes", "notes-1"]
    assert found[0].heading_path == ("T", "Setup")


def test_slugs_are_those_of_github():
    taken: dict[str, int] = {}

    assert slugify("What's next? & More", taken) == "whats-next--more"
    assert slugify("Öffnen der Datei 2.0", taken) == "öffnen-der-datei-20"
    assert slugify("What's next? & More", taken) == "whats-next--more-1"


def test_steps_keep_their_numbers_and_nested_items_their_indentation():
    text = text_of("3. Open **Settings**.\n4. Click *Save*:\n   - at the top\n   - or below\n")

    assert text == "3. Open Settings.\n4. Click Save:\n  - at the top\n  - or below"


def test_tables_become_rows_and_code_stays_as_it_is():
    text = text_of(
        "| Plan | Price |\n|---|---|\n| Pro | 9 |\n\n```bash\nnpm i  <pkg>\n  --save\n```\n"
    )

    assert text == "Plan | Price\nPro | 9\n\nnpm i  <pkg>\n  --save"


def test_links_show_their_text_and_bare_links_their_address():
    text = text_of("See [the guide](guide.md) or <https://example.com/a>. <!-- not this -->\n")

    assert text == "See the guide or https://example.com/a."


def test_docusaurus_pages_lose_what_only_the_builder_reads():
    page = """import Box from '@site/src/Box';
import {
  A,
} from './a';

# Invite people

:::tip Already a member?
Ask *them*.
:::

:::note
Admins only.
:::

<div className="browser" style={{width: '50%'}}>

</div>

<Box
  headline="Try it"
  link="https://example.com/register"
/>

<Tabs>
<TabItem value="mac" label="On a Mac">

Press <kbd>Cmd</kbd>.

</TabItem>
</Tabs>

{/* a comment */}

Done {' '} now.
"""

    assert text_of(page) == (
        "Already a member?\n\nAsk them.\n\nAdmins only.\n\nOn a Mac\n\nPress Cmd.\n\nDone now."
    )


def test_components_and_tags_within_code_are_text():
    text = text_of("Use `<Tabs>` here.\n\n```jsx\nimport X from 'x';\n<Tabs />\n:::note\n```\n")

    assert text == "Use <Tabs> here.\n\nimport X from 'x';\n<Tabs />\n:::note"


def test_placeholders_in_angle_brackets_stay():
    assert text_of("Open https://<YOUR_HOST>/login.\n") == "Open https://<YOUR_HOST>/login."


def test_text_within_a_component_is_markdown():
    assert (
        text_of("<Note>\nInstall `cli`, see [guide](/g).\n</Note>\n") == "Install cli, see guide."
    )


def test_mkdocs_admonitions_and_tabs_are_text():
    page = '!!! warning "Careful"\n    This *deletes* it.\n\n=== "Linux"\n\n    Run it.\n'

    assert text_of(page) == "Careful\n\nThis deletes it.\n\nLinux\n\nRun it."


def test_myst_directives_and_roles_are_what_they_hold():
    page = (
        "```{note}\nMind *this*.\n```\n\n```{toctree}\n:maxdepth: 1\na\n```\n\n"
        "See {doc}`the guide <guide>` and {kbd}`Esc`.\n\n"
        "```{eval-rst}\n.. image:: shot.png\n   :alt: Login\n\n.. note::\n   Use :kbd:`F1`.\n```\n"
    )

    found = sections(page)

    assert found[0].text == "Mind this.\n\nSee the guide and Esc.\n\nUse F1."
    assert [(p.path, p.alt) for p in found[0].pictures] == [("shot.png", "Login")]


def test_pictures_are_listed_with_the_section_that_shows_them():
    page = (
        "# T\n\n![Login page](a.png)\n\n## Next\n\n"
        "<img src={useBaseUrl('/img/b.png')} alt=\"Menu\" />\n\ntext\n"
    )

    found = sections(page)

    assert [[(p.path, p.alt) for p in s.pictures] for s in found] == [
        [("a.png", "Login page")],
        [("/img/b.png", "Menu")],
    ]


def test_restructuredtext_under_a_markdown_name_is_read_as_such():
    page = (
        "# Log in\n\n.. note::\n   See :doc:`the guide </guide>`.\n\n# Reset\n\nUse ``/reset``.\n"
    )

    found = sections(page)

    assert [(s.heading_path, s.text) for s in found] == [
        (("Log in",), "See the guide."),
        (("Log in", "Reset"), "Use /reset."),
    ]


def test_characters_nobody_sees_are_dropped():
    assert text_of("Pay\u200bment\u00a0of \U000e0041\U000e0042five\u202e euros.\n") == (
        "Payment of five euros."
    )


def test_a_very_long_article_keeps_every_section():
    page = "# T\n\n" + "".join(f"## Part {i}\n\n{'word ' * 200}\n\n" for i in range(600))

    found = sections(page)

    assert len(found) == 600
    assert found[-1].heading_path == ("T", "Part 599")
