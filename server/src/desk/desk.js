// What pages can do beyond links and forms: charts, and asking before what cannot be undone.
// Everything works without it, but for the drawings: their numbers are in tables, too.
"use strict";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const short = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const dayOf = (seconds) => short.format(new Date(seconds * 1e3));
const compact = new Intl.NumberFormat("en", { notation: "compact" });
const wholeOf = (it) => {
  if (!Number.isInteger(it)) return "";
  return it < 100_000 ? it.toLocaleString("en") : compact.format(it);
};

/** Draws the numbers of a figure: `data-chart` is {days: [seconds], series: [{label, values}]}. */
function draw(figure) {
  const { days, series, bars } = JSON.parse(figure.dataset.chart);
  const place = figure.querySelector(".plot");
  if (!place) return;
  place.replaceChildren();
  if (days.length === 0 || typeof uPlot === "undefined") return;
  const strokes = ["--first", "--second", "--third", "--dim"].map(colour);
  const axis = {
    stroke: colour("--dim"),
    font: "12px system-ui, sans-serif",
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  const below = { ...axis, grid: { show: false }, space: 70, size: 28 };
  below.values = (_, all) => all.map(dayOf);
  const beside = { ...axis, size: 48, values: (_, all) => all.map(wholeOf) };
  const last = days.length - 1;
  // Bars stand on both sides of their day.
  const half = bars && last > 0 ? (days[1] - days[0]) / 2 : 0;
  const lines = series.map((one, at) => ({
    label: one.label,
    stroke: strokes[at % strokes.length],
    fill: bars ? strokes[at % strokes.length] : series.length === 1 ? `${strokes[0]}1c` : undefined,
    width: bars ? 0 : 2,
    paths: bars ? uPlot.paths.bars({ size: [0.7, 40] }) : undefined,
    points: { show: days.length === 1 },
  }));
  const options = {
    width: place.clientWidth,
    height: 220,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC"),
    cursor: { drag: { x: false, y: false } },
    legend: { live: true },
    scales: {
      x: { range: (_, first, end) => [first - half, end + half] },
      y: { range: (_, least, most) => [Math.min(0, least), most > 0 ? most * 1.08 : 1] },
    },
    axes: [below, beside],
    // Where nobody points, the legend has the newest.
    hooks: {
      ready: [(plot) => plot.setLegend({ idx: last })],
      setCursor: [(plot) => plot.cursor.idx === null && plot.setLegend({ idx: last })],
    },
    series: [{ label: "Day", value: "{YYYY}-{MM}-{DD}" }, ...lines],
  };
  const plot = new uPlot(options, [days, ...series.map((one) => one.values)], place);
  new ResizeObserver(() => {
    const width = place.clientWidth;
    if (width !== plot.width) plot.setSize({ width, height: plot.height });
  }).observe(place);
}

function drawAll(within) {
  for (const figure of within.querySelectorAll("figure[data-chart]")) draw(figure);
}

document.addEventListener("DOMContentLoaded", () => drawAll(document));
document.addEventListener("htmx:after:swap", () => {
  for (const figure of document.querySelectorAll("figure[data-chart]")) {
    if (!figure.querySelector(".uplot")) draw(figure);
  }
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll(document));

// A text that is shown once can be taken with one press.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy).textContent.trim();
  await navigator.clipboard.writeText(text);
  button.textContent = "Copied";
});
