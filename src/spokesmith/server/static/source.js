// The text behind its input: the place that a value of the answer comes from, and what was lost.

const CONTEXT = 48;

export class SourceView {
  /**
   * @param input the textarea.
   * @param backdrop an element of the same form behind it, which shows the marks.
   */
  constructor(input, backdrop) {
    this.input = input;
    this.backdrop = backdrop;
    this.forget();
    input.addEventListener("scroll", () => this.#follow());
    input.addEventListener("input", () => this.#draw());
  }

  /** No answer, no marks. */
  forget() {
    this.text = null;
    this.starts = [];
    this.lost = [];
    this.shown = null;
    this.#draw();
  }

  /** The text that an answer was made from. */
  hold(text) {
    this.text = text;
    this.starts = [];
    let at = 0;
    for (const character of text) {
      this.starts.push(at);
      at += character.length;
    }
    this.starts.push(at);
    this.lost = [];
    this.shown = null;
    this.#draw();
  }

  /** Mark facts that the answer lacks, by spans as the server counts. */
  markLost(spans) {
    this.lost = spans.map((span) => this.#units(span));
    this.#draw();
  }

  /** Mark the place of a value; null marks none. */
  show(span) {
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
  context(span) {
    const [start, end] = this.#units(span);
    const first = Math.max(0, start - CONTEXT);
    const last = Math.min(this.text.length, end + CONTEXT);
    const before = this.text.slice(first, start);
    const after = this.text.slice(end, last);
    return {
      before: first ? `…${before.replace(/^\S*\s/, "")}` : before,
      words: this.text.slice(start, end),
      after: last < this.text.length ? `${after.replace(/\s\S*$/, "")}…` : after,
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
    const spans = this.shown ? [...this.lost, this.shown] : this.lost;
    const cuts = [...new Set([0, ...spans.flat(), this.text.length])].sort((a, b) => a - b);
    for (let place = 0; place + 1 < cuts.length; place += 1) {
      const [start, end] = [cuts[place], cuts[place + 1]];
      const inside = (span) => span && span[0] <= start && end <= span[1];
      const part = this.text.slice(start, end);
      const isShown = inside(this.shown);
      if (!isShown && !this.lost.some(inside)) {
        this.backdrop.append(part);
        continue;
      }
      const mark = document.createElement("mark");
      mark.className = isShown ? "shown" : "lost";
      mark.textContent = part;
      this.backdrop.append(mark);
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
