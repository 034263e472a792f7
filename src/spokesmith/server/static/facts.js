// What an answer states, where the text states it, and what is made up or lost.

import { element, made } from "./dom.js";
import { markValue } from "./marks.js";

const HINT = "Point at a value, tap it or move to it by Tab, to see where the text says so.";

export class FactsView {
  /**
   * @param result the server's verdict.
   * @param source the SourceView of the text.
   */
  constructor(result, source) {
    this.result = result;
    this.source = source;
    this.shown = null;
  }

  /** Mark the values of an AnswerView and list what is wrong. */
  draw(values) {
    const marks = new Map(values.map((value) => [value.pointer, []]));
    for (const mark of this.#marks()) marks.get(mark.field)?.push(mark);
    for (const value of values) {
      const found = marks.get(value.pointer);
      if (found.length) markValue(value, found, (mark, isOuter) => this.#make(mark, isOuter));
    }
    this.#rest();
    element("place").hidden = false;
    this.#list();
  }

  #marks() {
    const { grounded, quotes, ungrounded } = this.result;
    return [
      ...grounded.map((one) => ({ ...one, kind: "fact" })),
      ...quotes.map((one) => ({ ...one, kind: "quote" })),
      ...ungrounded.map((one) => ({ ...one, kind: "made-up" })),
    ];
  }

  /** A link to the place in the text; a fact in a quote is no link of its own. */
  #make(mark, isOuter) {
    if (mark.kind === "made-up") {
      const found = made("mark", "made-up");
      found.tabIndex = 0;
      found.setAttribute("aria-description", `made up: ${mark.reason}`);
      this.#listen(found, () => this.#showReason(mark));
      return found;
    }
    const found = made(isOuter ? "a" : "span", mark.kind);
    this.#listen(found, () => this.#showPlace(mark, found));
    if (isOuter) {
      found.href = "#text";
      found.setAttribute("aria-description", "stands in the text; follow to select it there");
      found.addEventListener("click", (event) => {
        event.preventDefault();
        // To select would open the keyboard of a phone.
        if (event.pointerType === "touch") this.#showPlace(mark, found);
        else this.source.select(mark.source_span);
      });
    }
    return found;
  }

  #listen(target, show) {
    for (const name of ["pointerover", "focus"]) {
      target.addEventListener(name, (event) => {
        event.stopPropagation();
        show();
      });
    }
    target.addEventListener("blur", () => this.#rest());
    target.addEventListener("pointerout", (event) => {
      // A finger is gone at once; what it touched stays shown.
      if (event.pointerType !== "touch") this.#rest();
    });
  }

  #showPlace(mark, found) {
    this.#rest();
    this.shown = found;
    found.classList.add("shown");
    const { before, words, after } = this.source.context(mark.source_span);
    this.source.show(mark.source_span);
    this.#tell("place", [made("span", "label", "In the text: "), before, made("b", "", words), after]);
  }

  #showReason(mark) {
    this.#rest();
    this.#tell("place bad", [made("span", "label", "Made up: "), mark.reason]);
  }

  #rest() {
    this.shown?.classList.remove("shown");
    this.source.show(null);
    this.#tell("place muted", [HINT]);
  }

  #tell(className, parts) {
    element("place").className = className;
    element("place").replaceChildren(...parts);
  }

  #list() {
    const { ungrounded, lost } = this.result;
    this.source.markLost(lost.map((one) => one.source_span));
    fill("made-up", ungrounded, ["Nothing made up", "made up: not in the text"], (one) => [
      made("b", "made-up", one.text), ` ${one.reason} `, made("code", "", one.field),
    ]);
    const words = "lost: the text states them, the answer does not, or less often";
    fill("lost", lost, ["Nothing lost", words], (one) => [
      made("b", "lost", one.text), ` ${one.kind}`,
    ]);
    element("facts").hidden = false;
  }
}

function fill(id, facts, [none, some], parts) {
  element(`${id}-heading`).textContent = facts.length ? `${facts.length} ${some}` : none;
  element(id).replaceChildren(...facts.map((one) => {
    const item = made("li");
    item.append(...parts(one));
    return item;
  }));
}
