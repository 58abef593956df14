"""The report as one page of HTML that needs nothing else to be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from urllib.parse import quote

from seqnorm.lab.report.page.charts import Chart, DotChart, Picture
from seqnorm.lab.report.page.section import (
    Explained,
    Section,
    config_text,
    effort,
    provenance,
    remake_commands,
)
from seqnorm.lab.report.page.svg import chart_svg, sample
from seqnorm.lab.report.page.tables import Table

# Nothing may be fetched, and a browser enforces it.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_LONG = 60  # characters from which a cell may break
_MANY = 40  # rows of a table that is folded away


@cache
def _asset(name: str) -> str:
    return files("seqnorm.lab.report.page.web").joinpath(name).read_text(encoding="utf-8").strip()


def _cell(text: str, word: bool, scope: str = "") -> str:
    kinds = {"word": word, "long": len(text) > _LONG, "pair": not word and " (" in text}
    names = [name for name, on in kinds.items() if on]
    attributes = f' class="{" ".join(names)}"' if names else ""
    if scope:
        return f'<th scope="{scope}"{attributes}>{escape(text)}</th>'
    return f"<td{attributes}>{escape(text)}</td>"


def _row(cells: Sequence[str], table: Table) -> str:
    inner = "".join(
        _cell(text, place < table.words, "" if place else "row") for place, text in enumerate(cells)
    )
    floor = cells[0].startswith(table.floors)
    attribute = ' class="floor"' if floor else ""
    return f"<tr{attribute}>{inner}</tr>"


def table_html(table: Table, name: str, file: str) -> str:
    """A table that scrolls sideways where the screen is narrow, also by the keyboard.

    A shadow at its edge says that there is more (see the style). Below it a link saves it as CSV; a
    long one is folded away.
    """
    head = "".join(_cell(text, at < table.words, "col") for at, text in enumerate(table.headings))
    body = "\n".join(_row(row, table) for row in table.rows)
    shown = (
        f'<div class="wrap" tabindex="0" role="region" aria-label="{escape(name)}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>"
        f'<a class="csv" download="{escape(file)}.csv" '
        f'href="data:text/csv;charset=utf-8,{quote(table.csv())}">Save as CSV</a>'
    )
    if len(table.rows) <= _MANY:
        return shown
    return f"<details><summary>All {len(table.rows)} rows</summary>{shown}</details>"


def _legend(picture: Picture) -> str:
    if not picture.arms:
        return ""
    dotted = isinstance(picture.charts[0], DotChart)
    buttons = "".join(
        f'<button type="button" data-arm="{escape(look.name)}" aria-pressed="true">'
        f"{sample(look, dotted)}{escape(look.name)}</button>"
        for look in picture.arms
    )
    return f'<div class="legend">{buttons}</div>'


def _figure(chart: Chart) -> str:
    svg = chart_svg(chart)
    return f"<figure><h4>{escape(chart.title)}</h4>{svg}</figure>" if svg else ""


def _explained(entry: Explained | None, file: str) -> Iterator[str]:
    if entry is not None:
        yield table_html(entry.table, entry.heading, file)
        yield f'<p class="note">{escape(entry.note)}</p>'


def _picture(picture: Picture, section: Section) -> Iterator[str]:
    name = f"{section.comparison.slug}-{picture.key}"
    yield f'<h3 id="{escape(name)}">{escape(picture.title)}</h3>'
    yield from _explained(section.tables.get(picture.key), name)
    yield _legend(picture)
    single = " one" if len(picture.charts) == 1 else ""
    yield f'<div class="charts{single}">'
    yield from map(_figure, picture.charts)
    yield "</div>"
    yield f'<p class="caption">{escape(picture.caption)}</p>'
    yield from _explained(section.values.get(picture.key), f"{name}-values")


def _results(section: Section) -> Iterator[str]:
    """Every picture below its table; a table whose picture has nothing to draw stands by itself."""
    shown = {picture.key for picture in section.pictures}
    for key, entry in section.tables.items():
        if key not in shown:
            yield f"<h3>{escape(entry.heading)}</h3>"
            yield from _explained(entry, f"{section.comparison.slug}-{key}")
    for picture in section.pictures:
        yield from _picture(picture, section)


def _making(section: Section) -> Iterator[str]:
    comparison = section.comparison
    yield f'<h3 id="{escape(comparison.slug)}-commands">How to make it again</h3>'
    yield f"<pre>{escape(chr(10).join(remake_commands(comparison)))}</pre>"
    yield f'<p class="note">{escape("; ".join([effort(comparison), *provenance(comparison)]))}</p>'
    yield "<details><summary>Settings of each arm, and those that all runs share</summary>"
    file = f"{comparison.slug}-settings"
    yield table_html(section.settings, "Settings of each arm", file)
    yield f"<pre>{escape(chr(10).join(config_text(comparison)))}</pre></details>"


def _section(section: Section, first: bool) -> Iterator[str]:
    slug, title = (escape(text) for text in (section.comparison.slug, section.comparison.title))
    yield f'<section data-set="{slug}">'
    yield f'<h2 id="{slug}"{" class=first" if first else ""}>{title}</h2>'
    yield '<ul class="short">'
    yield from (f"<li>{escape(sentence)}</li>" for sentence in section.sentences)
    yield "</ul>"
    yield from _results(section)
    yield from _making(section)
    yield "</section>"


def _links(section: Section) -> Iterator[str]:
    slug = escape(section.comparison.slug)
    yield f'<a href="#{slug}">In short</a>'
    for picture in section.pictures:
        yield f'<a href="#{slug}-{picture.key}">{escape(picture.title)}</a>'
    yield f'<a href="#{slug}-commands">Commands</a>'


def _navigation(sections: Sequence[Section]) -> Iterator[str]:
    """A menu for each section; on a narrow screen behind one more, which the script closes."""
    yield '<nav><details class="contents" open><summary>Contents</summary><div class="menus">'
    if len(sections) == 1:
        yield f'<div class="links">{"".join(_links(sections[0]))}</div>'
    for section in sections if len(sections) > 1 else ():
        yield '<details class="menu" name="menu">'
        yield f"<summary>{escape(section.comparison.title)}</summary>"
        yield f'<div class="links">{"".join(_links(section))}</div></details>'
    yield "</div></details></nav>"


def html_page(
    sections: Sequence[Section], ignored: Sequence[str], notes: Sequence[str], lead: str
) -> str:
    """The whole page. The same findings give the same bytes: it carries no date.

    Args:
        sections: One per data set and question.
        ignored: One line per run folder that was left out.
        notes: Anything else a reader should know about single runs.
        lead: The sentence below the title.
    """
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Comparison of runs</title>\n<style>\n{_asset('style.css')}\n</style>\n</head>",
        '<body>\n<header class="top"><h1>Comparison of runs</h1>',
        f'<p class="lead">{escape(lead)}</p></header>',
        *_navigation(sections),
        "<main>",
    ]
    for place, section in enumerate(sections):
        parts += _section(section, first=place == 0)
    parts.append("</main>\n<footer>")
    for heading, lines in (("Run folders left out", ignored), ("Notes", notes)):
        if lines:
            items = "".join(f"<li>{escape(line)}</li>" for line in lines)
            title = f"{heading}: {len(lines)}"
            parts.append(f"<details><summary>{title}</summary><ul>{items}</ul></details>")
    parts.append(f'</footer>\n<div id="tip"></div>\n<script>\n{_asset("script.js")}\n</script>')
    return "\n".join(part for part in [*parts, "</body>\n</html>"] if part) + "\n"
