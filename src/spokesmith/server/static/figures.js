// The figures of an answer: time, rate, and where its tokens came from.

import { element, made } from "./dom.js";

const ORIGINS = [
  ["forced", "forced", "the schema left no choice"],
  ["copied", "copied", "proposed from the text or an answer, confirmed by the model"],
  ["model", "by the model", "one token at a time"],
  ["closing", "closing", "ends an answer that was cut"],
];
const number = new Intl.NumberFormat("en");

/** While the answer arrives: what the page itself can measure. */
export function drawProgress({ seconds, writingSeconds, numTokens }) {
  drawFigures([
    ["time", `${seconds.toFixed(1)} s`],
    ["tokens/s", writingSeconds > 0 ? shortened(numTokens / writingSeconds) : "–"],
    ["tokens", number.format(numTokens)],
  ]);
}

/** Seconds from the request to the whole answer, waiting included. */
export function totalSeconds({ waiting_ms, prompt_ms, predicted_ms }) {
  return (waiting_ms + prompt_ms + predicted_ms) / 1000;
}

const shortened = (rate) => number.format(rate < 100 ? Number(rate.toFixed(1)) : Math.round(rate));

function drawFigures(figures) {
  const parts = figures.map(([name, value]) => {
    const part = made("div");
    part.append(made("dt", "", name), made("dd", "", value));
    return part;
  });
  element("figures").replaceChildren(...parts);
}

/** After the end: what the server measured. */
export function drawTimings({ timings, usage, spokesmith }) {
  drawFigures([
    ["time", `${totalSeconds(timings).toFixed(2)} s`],
    ["tokens/s", shortened(timings.predicted_per_second)],
    ["tokens", number.format(usage.completion_tokens)],
    ["forward passes", number.format(spokesmith.forwards)],
    ["first token after", `${((timings.waiting_ms + timings.prompt_ms) / 1000).toFixed(2)} s`],
  ]);
}

/** The bar and the legend: which share of the tokens has which origin. */
export function drawShares(counts) {
  const whole = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const shown = ORIGINS.filter(([origin]) => origin !== "closing" || counts.closing);
  let from = 0;
  const bars = shown.map(([origin]) => {
    const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const width = whole ? (100 * (counts[origin] ?? 0)) / whole : 0;
    bar.setAttribute("class", origin);
    bar.setAttribute("x", from);
    bar.setAttribute("width", width);
    bar.setAttribute("height", 1);
    from += width;
    return bar;
  });
  element("shares").replaceChildren(...bars);
  const items = shown.map(([origin, name, meaning]) => {
    const item = made("li");
    item.title = meaning;
    const share = whole ? Math.round((100 * (counts[origin] ?? 0)) / whole) : 0;
    item.append(made("span", `swatch ${origin}`), `${name} ${share} %`);
    return item;
  });
  element("origins").replaceChildren(...items);
}

