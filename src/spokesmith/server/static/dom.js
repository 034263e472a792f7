// Short names for what the modules of the page do all the time.

export const element = (id) => document.getElementById(id);

/** A new element, its text as text. */
export function made(tag, className, text) {
  const found = document.createElement(tag);
  if (className) found.className = className;
  if (text !== undefined) found.textContent = text;
  return found;
}
