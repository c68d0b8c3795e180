"""Plots, drawn by pygal on the server as SVG in the page, with their numbers as a table beside.

pygal's own styles and scripts are taken out: the page's policy allows neither, and the console's
style sheet colours plots in light and dark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any

from lxml import etree
from markupsafe import Markup

WIDTH, HEIGHT = 480, 180
_SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Plot:
    """A picture, what it shows in words, the names of its series, and its numbers as rows."""

    svg: Markup
    title: str
    note: str
    series: Sequence[str]
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def bars(
    title: str, labels: Sequence[str], series: Mapping[str, Sequence[int]], note: str = ""
) -> Plot:
    """Numbers stacked on each other, a bar a label."""
    from pygal import StackedBar

    chart = StackedBar(**_options(labels), value_formatter=_whole)
    for name, values in series.items():
        chart.add(name, list(values))
    rows = [
        [label, *(f"{values[row]:,}" for values in series.values())]
        for row, label in enumerate(labels)
    ]
    return _plot(chart, title, note, list(series), ["", *series], rows)


def shares(
    title: str, labels: Sequence[str], series: Mapping[str, Sequence[float | None]], note: str = ""
) -> Plot:
    """Shares from 0 to 1 as lines; None leaves a gap."""
    return _lines(title, labels, series, note, percent, range=(0, 1), **_PERCENT)


def amounts(
    title: str,
    labels: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    note: str = "",
) -> Plot:
    """Amounts from 0 on as lines, the largest with two digits at least; None leaves a gap."""
    most = max((v for values in series.values() for v in values if v), default=1)
    decimals = max(0, 1 - floor(log10(most)))

    def shown(value: float | None) -> str:
        return "–" if value is None else f"{value:,.{decimals}f}"

    options = {"value_formatter": shown, "formatter": shown}
    return _lines(title, labels, series, note, shown, range=(0, most), **options)


def _lines(
    title: str,
    labels: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    note: str,
    shown: Callable[[float | None], str],
    **options: Any,
) -> Plot:
    from pygal import Line

    # A margin on the right, so that the last label is not cut.
    chart = Line(dots_size=2, margin_right=20, **_options(labels), **options)
    for name, values in series.items():
        chart.add(name, list(values))
    rows = [
        [label, *(shown(values[row]) for values in series.values())]
        for row, label in enumerate(labels)
    ]
    return _plot(chart, title, note, list(series), ["", *series], rows)


def curve(
    title: str,
    across: str,
    up: str,
    points: Sequence[tuple[float, float]],
    note: str = "",
    diagonal: bool = False,
) -> Plot:
    """One share over another, both from 0 to 1; `diagonal` draws where they are equal."""
    from pygal import XY

    options = {**_options([]), "height": 280, "width": 400}
    options |= {**_PERCENT, "formatter": lambda point: " → ".join(map(percent, point))}
    chart = XY(xrange=(0, 1), range=(0, 1), dots_size=2.5, margin_right=20, **options)
    chart.x_labels = [0, 0.25, 0.5, 0.75, 1]
    chart.x_value_formatter = percent
    chart.add(up, list(points))
    if diagonal:
        chart.add("as it should be", [(0, 0), (1, 1)], show_dots=False)
    rows = [[percent(x), percent(y)] for x, y in points]
    names = [up, "as it should be"] if diagonal else []
    return _plot(chart, title, note, names, [across, up], rows)


def percent(value: float | None) -> str:
    """A share in words."""
    return "–" if value is None else f"{100 * value:.0f} %"


def _whole(value: float) -> str:
    """A number of things; nothing for the half ones that an axis may have."""
    return f"{value:,.0f}" if value == int(value) else ""


_PERCENT: dict[str, Any] = {
    "y_labels": [0, 0.25, 0.5, 0.75, 1],
    "value_formatter": percent,
    "formatter": percent,
}


def _options(labels: Sequence[str]) -> dict[str, Any]:
    return {
        "x_labels": list(labels),
        "x_labels_major_every": max(1, len(labels) // 6),
        "show_minor_x_labels": False,
        "truncate_label": -1,
        "width": WIDTH,
        "height": HEIGHT,
        "margin": 6,
        "spacing": 4,
        "show_legend": False,
        "max_scale": 5,
        "print_values": False,
        "css": (),
        "js": (),
    }


def _plot(
    chart: Any,
    title: str,
    note: str,
    series: Sequence[str],
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
) -> Plot:
    tree = chart.render_tree()
    tree.attrib.pop("id", None)
    tree.set("role", "img")
    tree.set("aria-label", title)
    for element in list(tree.iter()):
        if callable(element.tag) or element.tag in (f"{_SVG}defs", "defs"):  # comments, styles
            _drop(element)
            continue
        element.attrib.pop("style", None)
        name = element.get("class", "")
        if element.tag.endswith("desc"):
            if name == "value":
                element.tag = element.tag.replace("desc", "title")
            else:
                _drop(element)
        elif "text-overlay" in name or name == "tooltip" or element.text == "Pygal":
            _drop(element)
    # pygal escapes what stands in it, and it is given our own words and numbers only.
    svg = Markup(etree.tostring(tree, encoding="unicode"))  # noqa: S704
    return Plot(svg, title, note, series, head, rows)


def _drop(element: Any) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
