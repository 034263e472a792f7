// One answer, from its first event to its verdict.

import { AnswerView } from "./answer.js";
import { element, made } from "./dom.js";
import { FactsView } from "./facts.js";
import { drawProgress, drawShares, drawTimings, totalSeconds } from "./figures.js";
import { fits } from "./schema.js";

const TICK_MS = 100;
const FIELD_WORDS = { "": "", now: ", being written", valid: ", valid", invalid: ", not valid" };

export class Run {
  /**
   * @param text that was sent.
   * @param source the SourceView that shows it.
   */
  constructor(text, source) {
    this.source = source;
    this.answer = "";
    this.summary = [];
    this.schema = {};
    this.counts = {};
    this.began = performance.now();
    source.hold(text);
    for (const id of ["intro", "facts", "copy-json", "place", "fields", "reading"]) element(id).hidden = true;
    for (const id of ["told", "figures"]) element(id).hidden = false;
    element("json").classList.add("growing");
    this.view = new AnswerView(element("json"), {
      onField: (name, json) => this.#onField(name, json),
    });
    this.#tick();
    this.timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** An event of the server's. Throws where it tells of an error. */
  take(event) {
    if (event.type === "start") this.#onStart(event);
    else if (event.type === "piece") this.#onPiece(event);
    else if (event.type === "result") this.#onResult(event.result);
    else if (event.type === "error") throw new Error(event.error.message);
  }

  /** No more will come, whatever happened. */
  close() {
    clearInterval(this.timer);
    for (const item of element("fields").querySelectorAll(".now")) showState(item, "");
    element("json").classList.remove("growing");
    if (!this.view.text) for (const id of ["told", "figures"]) element(id).hidden = true;
  }

  #tick() {
    const numTokens = Object.values(this.counts).reduce((sum, count) => sum + count, 0);
    const now = performance.now();
    drawProgress({
      seconds: (now - this.began) / 1000,
      writingSeconds: (now - (this.firstPiece ?? now)) / 1000,
      numTokens,
    });
    drawShares(this.counts);
  }

  #onStart(event) {
    this.schema = event.schema;
    const items = Object.keys(event.schema.properties ?? {}).map((name) => {
      const item = made("li", "", name);
      item.dataset.name = name;
      item.append(made("span", "state unseen"));
      return item;
    });
    element("fields").replaceChildren(...items);
    element("fields").hidden = !items.length;
  }

  #onPiece(event) {
    this.firstPiece ??= performance.now();
    for (const [origin, count] of Object.entries(event.tokens)) {
      this.counts[origin] = (this.counts[origin] ?? 0) + count;
    }
    for (const [text, origin] of event.segments) this.view.push(text, origin);
  }

  #onField(name, json) {
    if (json === undefined) {
      setField(name, "now");
      return;
    }
    const schema = this.schema.properties?.[name] ?? true;
    setField(name, isValid(json, schema, this.schema) ? "valid" : "invalid");
  }

  #onResult(result) {
    this.close();
    // As it was written: a number of JavaScript holds fewer digits, an object another order.
    this.answer = this.view.text;
    for (const [name, holds] of Object.entries(result.fields)) {
      setField(name, holds ? "valid" : "invalid");
    }
    drawTimings(result);
    drawShares(result.spokesmith.tokens);
    new FactsView(result, this.source).draw(this.view.values);
    for (const id of ["copy-json", "reading"]) element(id).hidden = false;
    this.summary = summaryOf(result);
  }
}

function isValid(json, schema, root) {
  try {
    return fits(JSON.parse(json), schema, root);
  } catch {
    return false;
  }
}

function setField(name, state) {
  const item = element("fields").querySelector(`[data-name="${CSS.escape(name)}"]`);
  if (item) showState(item, state);
}

function showState(item, state) {
  item.className = state;
  item.querySelector(".state").textContent = FIELD_WORDS[state];
}

/** The verdict in a line, as nodes; the figures are there for who does not see them below. */
function summaryOf({ ungrounded, lost, usage, timings, spokesmith }) {
  const madeUp = ungrounded.length
    ? made("span", "no", `${ungrounded.length} made up`)
    : made("span", "yes", "nothing made up");
  const gone = lost.length
    ? made("span", "gone", `${lost.length} lost`)
    : made("span", "yes", "nothing lost");
  const valid = spokesmith.closed ? "valid, cut and closed" : "valid";
  const seconds = totalSeconds(timings).toFixed(2);
  return [
    made("span", "yes", valid), " ", madeUp, " ", gone,
    made("span", "unseen", `, ${usage.completion_tokens} tokens in ${seconds} seconds`),
  ];
}
