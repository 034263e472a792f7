// The text behind its input: the place that a value of the answer comes from, and what was lost.

import { made } from "./dom.js";
import { runs } from "./marks.js";

const CONTEXT = 48;
const LOST = 1;
const SHOWN = 2;
const CLASSES = { [LOST]: "lost", [SHOWN]: "shown" };

export class SourceView {
  /**
   * @param input the textarea.
   * @param backdrop an element of the same form behind it, which shows the marks.
   */
  constructor(input, backdrop) {
    this.input = input;
    this.backdrop = backdrop;
    this.text = null;
    input.addEventListener("scroll", () => this.#follow());
    input.addEventListener("input", () => this.#draw());
  }

  /** The text that an answer was made from. */
  hold(text) {
    this.text = text;
    // Where each character begins, with the end as the last entry: the server counts characters.
    this.starts = [];
    let at = 0;
    for (const character of text) {
      this.starts.push(at);
      at += character.length;
    }
    this.starts.push(at);
    // For each unit of the text LOST or 0.
    this.lost = new Uint8Array(text.length);
    this.shown = null;
    this.#draw();
  }

  /** Mark facts that the answer lacks, by spans as the server counts. */
  markLost(spans) {
    for (const span of spans) this.lost.fill(LOST, ...this.#units(span));
    this.#draw();
  }

  /** Mark the place of a value; null marks none. */
  show(span) {
    if (!span && !this.shown) return;
    this.shown = span && this.#units(span);
    this.#draw();
    if (span && this.isCurrent) this.#reveal();
  }

  /** Select a place in the text, for the keyboard and for screen readers. */
  select(span) {
    if (!this.isCurrent) return;
    const [start, end] = this.#units(span);
    this.input.focus();
    this.input.setSelectionRange(start, end);
  }

  /** What stands before a place, in it and after it. */
  context([start, end]) {
    const length = this.starts.length - 1;
    const first = Math.max(0, start - CONTEXT);
    const last = Math.min(length, end + CONTEXT);
    const part = (...span) => this.text.slice(...this.#units(span));
    const before = part(first, start);
    const after = part(end, last);
    return {
      before: first ? `…${before.replace(/^\S*\s/, "")}` : before,
      words: part(start, end),
      after: last < length ? `${after.replace(/\s\S*$/, "")}…` : after,
    };
  }

  /** Whether the input still holds the text of the answer. */
  get isCurrent() {
    return this.text !== null && this.input.value === this.text;
  }

  #units([start, end]) {
    return [this.starts[start], this.starts[end]];
  }

  #draw() {
    this.backdrop.replaceChildren();
    if (!this.isCurrent) return;
    const marks = this.lost.slice();
    if (this.shown) marks.fill(SHOWN, ...this.shown);
    for (const [start, end] of runs(marks, 0, marks.length)) {
      const part = this.text.slice(start, end);
      const name = CLASSES[marks[start]];
      this.backdrop.append(name ? made("mark", name, part) : part);
    }
    // A textarea has an empty last line where its text ends with a break.
    this.backdrop.append("\n");
    this.#follow();
  }

  #follow() {
    this.backdrop.scrollTop = this.input.scrollTop;
  }

  #reveal() {
    const mark = this.backdrop.querySelector("mark.shown");
    if (!mark) return;
    const top = mark.offsetTop;
    const { scrollTop, clientHeight } = this.input;
    if (top < scrollTop || top + mark.offsetHeight > scrollTop + clientHeight) {
      this.input.scrollTop = Math.max(0, top - clientHeight / 3);
    }
  }
}
