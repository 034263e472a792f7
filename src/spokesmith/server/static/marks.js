// Marks in the strings of an answer: what stands in the text, and what is made up.

/**
 * Where each character of a JSON string's content begins, with the end as the last entry: the
 * server counts characters without escapes.
 */
export function characterStarts(raw) {
  const starts = [];
  let at = 0;
  while (at < raw.length) {
    starts.push(at);
    at += characterLength(raw, at);
  }
  starts.push(raw.length);
  return starts;
}

function characterLength(raw, at) {
  if (raw[at] !== "\\") return raw.codePointAt(at) > 0xffff ? 2 : 1;
  if (raw[at + 1] !== "u") return 2;
  const isPair = /^\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}/.test(raw.slice(at, at + 12));
  return isPair ? 12 : 6;
}

/**
 * Rebuild a value with its marks.
 *
 * A made-up fact hides a quote behind it. A fact inside a quote is underlined and shows its own
 * place to the mouse; the keyboard stops at the quote, which holds that place.
 *
 * @param value of an AnswerView.
 * @param marks { span, kind: "made-up" | "quote" | "fact", ... }, spans as the server counts.
 * @param make (mark, isOuter) => element for a mark, without its text.
 */
export function markValue(value, marks, make) {
  const { raw, element } = value;
  const starts = value.isString ? characterStarts(raw) : null;
  const outer = new Array(raw.length).fill(null);
  const inner = new Array(raw.length).fill(null);
  const fill = (places, mark, content) => {
    const [start, end] = starts ? mark.span.map((at) => starts[at]) : [0, raw.length];
    places.fill(content, start, end);
  };
  const length = (mark) => mark.span[1] - mark.span[0];
  const ofKind = (kind) => marks.filter((mark) => mark.kind === kind);
  // The shortest last: it hides those that it lies in.
  for (const fact of ofKind("fact").sort((one, other) => length(other) - length(one))) {
    fill(outer, fact, fact);
    fill(inner, fact, fact);
  }
  for (const quote of ofKind("quote")) fill(outer, quote, quote);
  for (const madeUp of ofKind("made-up")) {
    fill(outer, madeUp, madeUp);
    fill(inner, madeUp, null);
  }
  element.replaceChildren();
  for (const [start, end] of runs(outer, 0, raw.length)) {
    const mark = outer[start];
    const parent = mark ? make(mark, true) : element;
    if (mark) element.append(parent);
    for (const [first, last] of runs(inner, start, end)) {
      const fact = inner[first] && inner[first] !== mark ? make(inner[first], false) : parent;
      if (fact !== parent) parent.append(fact);
      appendShaded(fact, value, first, last);
    }
  }
}

function appendShaded(parent, { raw, origins }, start, end) {
  for (const [first, last] of runs(origins, start, end)) {
    const part = document.createElement("span");
    part.className = origins[first];
    part.textContent = raw.slice(first, last);
    parent.append(part);
  }
}

/** Stretches of equal entries, as [start, end). */
export function* runs(entries, start, end) {
  let first = start;
  for (let at = start + 1; at <= end; at += 1) {
    if (at === end || entries[at] !== entries[first]) {
      yield [first, at];
      first = at;
    }
  }
}
