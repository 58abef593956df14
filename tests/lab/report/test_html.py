"""The page: complete in itself, sound as HTML, small, and seen in a real browser."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from seqnorm.lab.report.page.charts import Dot, DotChart, Line, LineChart, Row, plain_band
from seqnorm.lab.report.page.html import table_html
from seqnorm.lab.report.page.report import write_report
from seqnorm.lab.report.page.styles import Look, norm_colour
from seqnorm.lab.report.page.svg import chart_svg
from seqnorm.lab.report.page.tables import Table
from tests.lab.report.fabricate import fabricate_comparison, fabricate_run
from tests.lab.report.many import fabricate_many
from tests.tiers import exhaustive

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
VOID = {"meta", "path", "polyline", "polygon", "br"}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page alone, without the files that were written beside it."""
    scratch = tmp_path_factory.mktemp("page")
    fabricate_comparison(scratch / "runs", seeds=4, diverged=("batch", 1))
    written = write_report([scratch / "runs"], pictures=False).path
    alone = scratch / "alone"
    alone.mkdir()
    return Path(shutil.copy(written, alone / "report.html"))


class Nesting(HTMLParser):
    """Follows the tags and notes everything that would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "srcset", "data", "action", "poster") or tag in (
                "link",
                "img",
                "iframe",
            ):
                self.fetched.append(f"{tag} {name}={value}")
            if name == "id":
                self.ids.append(str(value))
            if name == "href":
                self.links.append(str(value))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)


def test_page_is_sound_and_refers_to_nothing_outside(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    parser = Nesting()
    parser.feed(text)
    assert parser.open == [] and parser.fetched == []
    assert len(set(parser.ids)) == len(parser.ids)
    saved = [link for link in parser.links if link.startswith("data:text/csv")]
    places = [link.removeprefix("#") for link in parser.links if link not in saved]
    assert saved and places and all(place in parser.ids for place in places)
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest", text)
    # The name of SVG in the script is an identifier, no address that is visited.
    assert set(re.findall(r"https?://[\w./]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in text and "nan" not in re.sub(r"<[^>]*>", "", text).split()


def test_a_chart_reads_its_values_out() -> None:
    x = np.array([1.0, 2.0])
    line = Line(Look("layer", "layer"), plain_band(x, np.array([0.5, 0.875])))
    assert 'aria-label="accuracy, layer 0.875"' in chart_svg(LineChart("accuracy", "steps", [line]))
    dots = DotChart("F1", [Row("earn", [Dot("layer", Look("layer", "layer"), 0.75)])])
    assert 'aria-label="F1, earn 0.75"' in chart_svg(dots)


def test_a_long_name_of_an_arm_stands_in_two_lines() -> None:
    name = "batch, max_length=400, reestimate=true"
    drawn = chart_svg(DotChart("F1", [Row(name, [Dot(name, Look("batch", "batch"), 0.75)])]))
    lines = re.findall(r'<text class="row" [^>]*>([^<]*)</text>', drawn)
    assert lines == ["batch, max_length=400,", "reestimate=true"]
    assert f"<title>{name}</title>" in drawn


def test_long_names_one_below_the_other_do_not_touch() -> None:
    names = [f"batch, max_length={length}, reestimate=true" for length in (100, 200, 400)]
    rows = [Row(name, [Dot(name, Look("batch", "batch"), 0.75)]) for name in names]
    drawn = chart_svg(DotChart("F1", rows))
    heights = [float(y) for y in re.findall(r'<text class="row" [^>]*y="([\d.]+)"', drawn)]
    assert len(heights) == 6
    of_one, to_the_next = heights[1] - heights[0], heights[2] - heights[1]
    assert to_the_next > of_one


def test_the_name_of_a_reference_lies_above_the_frame_of_its_chart() -> None:
    x = np.array([1.0, 2.0])
    line = Line(Look("layer", "layer"), plain_band(x, np.array([0.55, 0.6])))
    names = {"bag of words (test)": 0.53, "majority class (test)": 0.499, "far": 0.1}
    for chart in (
        LineChart("accuracy", "steps", [line], names),
        DotChart("accuracy", [Row("a", [Dot("a", line.look, 0.55)])], names),
    ):
        svg = chart_svg(chart)
        places = [float(y) for y in re.findall(r'class="reference" x="[\d.]+" y="([\d.]+)"', svg)]
        frame = min(float(y) for y in re.findall(r'class="grid" d="M[\d.]+ ([\d.]+)V', svg))
        assert len(set(places)) == 3 and max(places) < frame


def test_what_runs_say_is_text_and_no_markup() -> None:
    table = Table(("<b>", "n"), (("<script>alert(1)</script>", "&"),))
    html = table_html(table, 'a "name"', 'a "file"')
    assert "<script>" not in html and "&lt;script&gt;" in html and "&amp;" in html


def test_a_table_can_be_saved_as_it_stands() -> None:
    table = Table(("arm", "95 %"), (("lstm layer, few=8", "0.8–0.9"), ('a "norm"', "-")))
    (link,) = re.findall(r'href="data:text/csv;charset=utf-8,([^"]*)"', table_html(table, "t", "f"))
    assert list(csv.reader(unquote(link).splitlines())) == [
        [*table.headings],
        *map(list, table.rows),
    ]


def test_a_long_table_is_folded_away() -> None:
    short, long = (
        table_html(Table(("arm",), tuple((f"arm {n}",) for n in range(count))), "t", "f")
        for count in (40, 41)
    )
    assert "<details>" not in short
    assert long.startswith("<details><summary>All 41 rows</summary>")


def test_names_that_runs_choose_stay_names(tmp_path: Path) -> None:
    """Keys and data sets of another machine's runs end up in anchors and in names of files."""
    key = 'data.x"><script>alert(1)</script>'
    for value in (1, 2):
        result = fabricate_run(tmp_path / "runs", seed=value, changes={key: value}) / "result.json"
        result.write_text(result.read_text().replace('"imdb"', '"../../evil"'))
    page = write_report([tmp_path / "runs"], tmp_path / "out" / "report").path
    assert "<script>alert" not in page.read_text(encoding="utf-8")
    assert {path.name for path in tmp_path.rglob("*evil*.png")} == {
        path.name for path in page.parent.glob("*evil*.png")
    }
    assert any(page.parent.glob("*evil*.png"))


@exhaustive
def test_two_thousand_runs_stay_below_five_megabytes(tmp_path: Path) -> None:
    count = fabricate_many(tmp_path, 2000, texts=100)
    page = write_report([tmp_path], pictures=False).path
    assert count == 2000 and page.stat().st_size < 5e6


def browse(page: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    if CHROMIUM is None:
        pytest.skip("needs a browser: apt-get install chromium")
    profile = page.parent / "profile"
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        # The browser's own business: it asks for the time and for updates unless told not to.
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--disable-features=NetworkTimeServiceQuerying", "--no-first-run",
        "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr",
        "--virtual-time-budget=2000", f"--user-data-dir={profile}", *arguments, page.as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def share_of(picture: np.ndarray, colour: str) -> float:
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return float(np.mean((np.abs(picture.astype(int) - rgb) < 12).all(axis=-1)))


@pytest.mark.parametrize(
    ("width", "height"), [(1200, 4000), (500, 9000)], ids=["desktop", "narrow"]
)
def test_a_browser_draws_every_arm_without_complaint(page: Path, width: int, height: int) -> None:
    shot = page.with_name(f"{width}.png")
    done = browse(page, f"--window-size={width},{height}", f"--screenshot={shot}")
    assert "CONSOLE" not in done.stderr, done.stderr  # neither an error nor a refused request
    picture = np.asarray(Image.open(shot).convert("RGB"))
    assert picture.shape[1] == width
    for colour in map(norm_colour, ("layer", "batch")):
        assert share_of(picture, colour) > 2e-4, colour
    # Nothing is cut off at the right: the outermost pixels are the paper (or lines across it).
    assert (picture[200:, -4:] > 200).all()


WATCH = """<head><script>
const refused = [];
document.addEventListener("securitypolicyviolation", (event) => refused.push(event.blockedURI));
</script>"""
PROBE = """
<script>
const button = document.querySelector('.legend button[data-arm="lstm layer"]');
const shown = () => document.querySelectorAll('.series[data-arm="lstm layer"]:not(.off)').length;
const facts = {before: shown()};
button.click(); facts.after = shown(); button.click(); facts.again = shown();
const chart = document.querySelector("svg.lines");
const box = chart.getBoundingClientRect();
const place = {clientX: box.left + box.width / 2, clientY: box.top + box.height / 2};
chart.dispatchEvent(new PointerEvent("pointermove", place));
facts.tip = document.getElementById("tip").innerText;
facts.wide = document.documentElement.scrollWidth - window.innerWidth;
const marks = (svg) => [...svg.querySelectorAll(".series, .dot")].filter((mark) => {
  const size = mark.getBBox();
  return size.width + size.height > 0;
}).length;
facts.marks = [...document.querySelectorAll("figure svg")].map(marks);
window.addEventListener("load", () => setTimeout(() => {
  facts.fetched = performance.getEntriesByType("resource").length + refused.length;
  document.body.setAttribute("data-facts", JSON.stringify(facts));
}, 300));
</script></body>"""


def probed(page: Path, addition: str = "") -> dict[str, Any]:
    """What the page is and does in the browser, at the width of a small window."""
    text = page.read_text(encoding="utf-8").replace("<head>", WATCH)
    other = page.with_name("probed.html")
    other.write_text(text.replace("</body>", addition + PROBE), encoding="utf-8")
    dom = browse(other, "--window-size=500,900", "--dump-dom").stdout
    found = re.search(r'data-facts="([^"]*)"', dom)
    assert found, dom[-2000:]
    return json.loads(unescape(found[1]))


def test_arms_can_be_switched_values_read_and_nothing_is_fetched(page: Path) -> None:
    facts = probed(page)
    assert facts["before"] == facts["again"] > 0 and facts["after"] == 0
    assert "optimiser steps" in facts["tip"] and re.search(r"lstm layer\s+0\.\d", facts["tip"])
    assert facts["wide"] == 0  # the page itself never scrolls sideways
    assert facts["fetched"] == 0


def test_every_figure_is_drawn(page: Path) -> None:
    marks = probed(page)["marks"]
    assert len(marks) == page.read_text(encoding="utf-8").count("<figure>") > 15
    assert all(count > 0 for count in marks), marks


def test_the_page_is_no_wider_than_a_phone(page: Path) -> None:
    """A window is no narrower than 500 pixels; a frame in it can be as narrow as a phone."""
    frame = page.with_name("phone.html")
    frame.write_text(
        '<iframe id="phone" src="report.html" width="390" height="800" style="border:0"></iframe>'
        "<script>document.getElementById('phone').onload = (event) => {"
        " const root = event.target.contentDocument.documentElement;"
        " document.body.setAttribute('data-wide', root.scrollWidth + ' ' + root.clientWidth); };"
        "</script>",
        encoding="utf-8",
    )
    dom = browse(frame, "--allow-file-access-from-files", "--dump-dom").stdout
    (found,) = re.findall(r'data-wide="(\d+) (\d+)"', dom)
    wide, seen = map(int, found)
    assert wide == seen <= 390


MENUS = """
<script>
window.addEventListener("load", () => setTimeout(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const seen = (part) => part.checkVisibility();
  const facts = {height: document.querySelector("nav").offsetHeight};
  facts.sections = all("nav .menu > summary").filter(seen).map((part) => part.textContent);
  facts.links = all("nav a").filter(seen).length;
  document.querySelector("nav .menu").open = true;
  facts.opened = all("nav a").filter(seen).map((part) => part.textContent);
  document.querySelector("main").click();
  facts.closed = all("nav a").filter(seen).length;
  facts.cut = all(".wrap").filter((part) => part.scrollWidth > part.clientWidth).length;
  facts.tables = all(".wrap").length;
  document.body.setAttribute("data-facts", JSON.stringify(facts));
}, 300));
</script></body>"""


def test_sections_are_menus_and_tables_fit_a_desktop(tmp_path: Path) -> None:
    for data in ("imdb", "reuters"):
        fabricate_comparison(tmp_path / "runs", data=data, seeds=2, texts=50)
    page = write_report([tmp_path / "runs"], pictures=False).path
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("</body>", MENUS), encoding="utf-8")
    dom = browse(page, "--window-size=1280,900", "--dump-dom").stdout
    found = re.search(r'data-facts="([^"]*)"', dom)
    assert found, dom[-2000:]
    facts = json.loads(unescape(found[1]))
    assert facts["sections"] == ["imdb", "reuters"] and facts["height"] < 60
    assert (facts["links"], facts["closed"]) == (0, 0)
    assert facts["opened"][0] == "In short" and "Commands" in facts["opened"]
    assert facts["tables"] > 8 and facts["cut"] == 0


@pytest.mark.parametrize("addition", ['<img src="picture.png">', '<script src="a.js"></script>'])
def test_a_page_that_fetches_is_caught(page: Path, addition: str) -> None:
    assert probed(page, addition)["fetched"] > 0
