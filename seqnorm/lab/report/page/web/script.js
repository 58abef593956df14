"use strict";
// Arms are switched on and off per data set; the pointer over a chart shows the values below it.
(function () {
  const tip = document.getElementById("tip");

  function each(root, selector, act) {
    root.querySelectorAll(selector).forEach(act);
  }

  // Names of arms are what runs say: compared as text, never put into a selector.
  const named = (section, selector, arm) =>
    Array.from(section.querySelectorAll(selector)).filter((part) => part.dataset.arm === arm);

  each(document, "section[data-set]", function (section) {
    each(section, ".legend button", function (button) {
      const arm = button.dataset.arm;
      button.addEventListener("click", function () {
        const shown = button.getAttribute("aria-pressed") !== "true";
        named(section, ".legend button", arm).forEach((b) => b.setAttribute("aria-pressed", String(shown)));
        named(section, "svg.chart [data-arm]", arm).forEach((part) => part.classList.toggle("off", !shown));
      });
      const dim = (on) =>
        each(section, "svg.chart [data-arm]", (part) =>
          part.classList.toggle("dim", on && part.dataset.arm !== arm));
      button.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && dim(true));
      button.addEventListener("pointerleave", () => dim(false));
    });
  });

  function pairs(text) {
    return text ? text.split(" ").map((pair) => pair.split(",").map(Number)) : [];
  }

  // The shown series of a chart, each with its places in pixels and its values.
  function seriesOf(chart) {
    if (!chart.series) {
      chart.series = Array.from(chart.querySelectorAll(".series[data-values]"), (part) => ({
        part,
        label: part.dataset.arm,
        colour: part.style.getPropertyValue("--c"),
        places: pairs(part.dataset.places || part.querySelector(".mean").getAttribute("points")),
        values: pairs(part.dataset.values),
      }));
    }
    return chart.series.filter((s) => s.places.length && !s.part.classList.contains("off"));
  }

  function nearest(places, x) {
    let best = 0;
    places.forEach((place, index) => {
      if (Math.abs(place[0] - x) < Math.abs(places[best][0] - x)) best = index;
    });
    return best;
  }

  function short(value) {
    const size = Math.abs(value);
    return size && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : String(+value.toPrecision(4));
  }

  function cursorOf(chart) {
    if (!chart.cursor) {
      chart.cursor = document.createElementNS("http://www.w3.org/2000/svg", "path");
      chart.cursor.setAttribute("class", "cursor");
      chart.append(chart.cursor);
    }
    return chart.cursor;
  }

  function line(entry, index) {
    const row = document.createElement("div");
    const mark = document.createElement("i");
    mark.style.background = entry.colour;
    const value = document.createElement("b");
    value.textContent = short(entry.values[index][1]);
    row.append(mark, `${entry.label}  `, value);
    return row;
  }

  function show(chart, event) {
    const box = chart.getBoundingClientRect();
    const scale = chart.viewBox.baseVal.width / box.width;
    const x = (event.clientX - box.left) * scale;
    const shown = seriesOf(chart);
    if (!shown.length) return hide(chart);
    const closest = shown
      .map((s) => s.places[nearest(s.places, x)][0])
      .reduce((a, b) => (Math.abs(b - x) < Math.abs(a - x) ? b : a));
    tip.replaceChildren();
    let head = null;
    shown.forEach((s) => {
      const index = nearest(s.places, closest);
      if (Math.abs(s.places[index][0] - closest) > 8) return;  // this arm has ended before
      if (head === null) head = s.values[index][0];
      tip.append(line(s, index));
    });
    const title = document.createElement("div");
    title.textContent = `${chart.dataset.x} ${short(head)}`;
    tip.prepend(title);
    cursorOf(chart).setAttribute("d", `M${closest} ${chart.dataset.top}V${chart.dataset.bottom}`);
    tip.style.display = "block";
    const left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
    const above = event.clientY - tip.offsetHeight - 14;
    tip.style.left = `${Math.max(4, left)}px`;
    tip.style.top = `${above > 4 ? above : event.clientY + 18}px`;
  }

  function hide(chart) {
    tip.style.display = "none";
    if (chart.cursor) chart.cursor.setAttribute("d", "");
  }

  each(document, "svg.lines", function (chart) {
    chart.addEventListener("pointermove", (event) => show(chart, event));
    chart.addEventListener("pointerdown", (event) => show(chart, event));
    chart.addEventListener("pointerleave", () => hide(chart));
  });

  // Menus: a narrow screen starts with the contents closed; a choice, or a click elsewhere, closes.
  const narrow = window.matchMedia("(max-width: 700px)");
  const contents = document.querySelector("nav .contents");
  const fold = () => {
    each(contents, ".menu", (menu) => { menu.open = false; });
    contents.open = !narrow.matches;
  };
  narrow.addEventListener("change", fold);
  document.addEventListener("click", (event) => {
    if (event.target.closest("nav a") || !event.target.closest("nav")) fold();
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && fold());
  fold();

  // Paper has no buttons: what is folded away on the screen is printed.
  window.addEventListener("beforeprint", () =>
    each(document, "main details, footer details", (d) => { d.open = true; }));
})();
