// Shows JSON while it arrives: laid out in lines, each character shaded by the origin of its token.
// All text goes in as text nodes.

const MOST_INDENTS = 8;

export class AnswerView {
  /**
   * @param root element that is filled.
   * @param onField called with the name and the JSON of each member of the whole as it ends, and
   *   with the name alone as it begins.
   */
  constructor(root, { onField }) {
    this.root = root;
    this.onField = onField;
    this.text = "";
    // Strings and numbers: { pointer, element, raw, origins, isString }.
    this.values = [];
    this.stack = [];
    this.value = null;
    this.inString = false;
    this.inKey = false;
    this.isEscaped = false;
    this.breaks = false;
    this.run = null;
    root.replaceChildren();
    this.#newLine(0);
  }

  /** Take the next characters, whose tokens have one origin. */
  push(text, origin) {
    for (const character of text) {
      this.text += character;
      if (this.inString) this.#stringCharacter(character, origin);
      else this.#character(character, origin);
    }
  }

  #character(character, origin) {
    if (this.value && /[\s,\]}]/.test(character)) this.#endLiteral();
    if (/\s/.test(character)) return;
    const frame = this.stack.at(-1);
    if (character === "}" || character === "]") {
      if (frame?.count) this.#newLine(this.stack.length - 1);
      this.breaks = false;
      this.#write(character, origin, this.line);
      this.stack.pop();
      this.#endValue();
      return;
    }
    if (this.breaks) {
      this.#newLine(this.stack.length);
      this.breaks = false;
    }
    if (character === ":" || character === ",") {
      this.#write(character, origin, this.line);
      if (character === ":") this.line.append(" ");
      if (character === "," && frame) {
        frame.expectsKey = frame.isObject;
        this.breaks = true;
      }
      return;
    }
    if (character === '"' && frame?.expectsKey) {
      this.#beginKey(frame, character, origin);
      return;
    }
    if (!this.value) this.#beginValue(character, origin);
    else this.#literal(character, origin);
  }

  #beginKey(frame, character, origin) {
    frame.expectsKey = false;
    frame.key = "";
    this.inString = this.inKey = true;
    this.target = this.#element("key", this.line);
    this.#write(character, origin, this.target);
  }

  #beginValue(character, origin) {
    const frame = this.stack.at(-1);
    if (frame) {
      frame.count += 1;
      if (!frame.isObject) frame.key = String(frame.count - 1);
    }
    if (this.stack.length === 1) {
      this.fieldStart = this.text.length - character.length;
      if (frame.isObject) this.onField(frame.key);
    }
    if (character === "{" || character === "[") {
      const pointer = this.#pointer();
      this.#write(character, origin, this.line);
      const isObject = character === "{";
      this.stack.push({ isObject, pointer, count: 0, key: "", expectsKey: isObject });
      this.breaks = true;
      return;
    }
    const isString = character === '"';
    const element = this.#element(isString ? "string" : "literal", this.line);
    this.value = { pointer: this.#pointer(), raw: "", origins: [], isString };
    this.values.push(this.value);
    if (isString) {
      this.inString = true;
      this.#write(character, origin, element);
      this.value.element = this.#element("content", element);
      this.closing = element;
    } else {
      this.value.element = element;
      this.#literal(character, origin);
    }
  }

  #stringCharacter(character, origin) {
    if (character === '"' && !this.isEscaped) {
      this.inString = false;
      if (this.inKey) {
        this.inKey = false;
        const frame = this.stack.at(-1);
        try {
          frame.key = JSON.parse(`"${frame.key}"`);
        } catch {
          // Not JSON: the name stays as it is written.
        }
        this.#write(character, origin, this.target);
      } else {
        this.#write(character, origin, this.closing);
        this.value = null;
        this.#endValue();
      }
      return;
    }
    this.isEscaped = character === "\\" && !this.isEscaped;
    if (this.inKey) {
      this.stack.at(-1).key += character;
      this.#write(character, origin, this.target);
    } else {
      this.#literal(character, origin);
    }
  }

  #literal(character, origin) {
    this.value.raw += character;
    for (let unit = 0; unit < character.length; unit += 1) this.value.origins.push(origin);
    this.#write(character, origin, this.value.element);
  }

  /** At the character behind it: only that tells where a number ends. */
  #endLiteral() {
    this.value = null;
    this.#endValue(1);
  }

  /** @param after characters that came since the value's last. */
  #endValue(after = 0) {
    const frame = this.stack.at(-1);
    if (this.stack.length === 1 && frame.isObject) {
      this.onField(frame.key, this.text.slice(this.fieldStart, this.text.length - after));
    }
  }

  #pointer() {
    const frame = this.stack.at(-1);
    if (!frame) return "";
    return `${frame.pointer}/${frame.key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  }

  #newLine(depth) {
    this.line = document.createElement("div");
    this.line.className = `line indent-${Math.min(depth, MOST_INDENTS)}`;
    this.root.append(this.line);
  }

  #element(className, parent) {
    const element = document.createElement("span");
    element.className = className;
    parent.append(element);
    return element;
  }

  #write(character, origin, parent) {
    if (this.run?.parent !== parent || this.run.origin !== origin || !this.run.isLast()) {
      const element = this.#element(origin, parent);
      const node = document.createTextNode("");
      element.append(node);
      this.run = { parent, origin, node, isLast: () => parent.lastChild === element };
    }
    this.run.node.appendData(character);
  }
}
