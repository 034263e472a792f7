"use strict";
// The page is whole without this: it adds a filter, hovering on both sides, and opened sections.

const filter = document.getElementById("filter");
if (filter) {
  const words = document.getElementById("words");
  const failing = document.getElementById("failing");
  const rows = [...document.querySelectorAll("tr[data-probe]")].map((row) => {
    const section = document.getElementById(row.dataset.probe).closest("details");
    return { row, section, text: section.textContent.toLowerCase() };
  });
  const show = () => {
    const wanted = words.value.trim().toLowerCase();
    let count = 0;
    for (const { row, section, text } of rows) {
      const hides =
        !text.includes(wanted) || (failing.checked && !row.classList.contains("fails"));
      row.hidden = section.hidden = hides;
      count += hides ? 0 : 1;
    }
    document.getElementById("shown").textContent = `${count} of ${rows.length} shown`;
  };
  filter.hidden = false;
  filter.addEventListener("input", show);
  filter.addEventListener("submit", (event) => event.preventDefault());
  show();
}

// Some browsers do not open a closed section that holds the target of a link.
const reveal = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const section = target && target.closest("details");
  if (section && !section.open) {
    section.open = true;
    target.scrollIntoView();
  }
};
addEventListener("hashchange", reveal);

const partners = (element) => {
  const fact = element.closest && element.closest("a.ok, mark[id]");
  if (!fact) return [];
  const id = fact.id || fact.hash.slice(1);
  return [document.getElementById(id), ...document.querySelectorAll(`a.ok[href="#${id}"]`)];
};
const heat = (isHot) => (event) =>
  partners(event.target).forEach((one) => one.classList.toggle("hot", isHot));
for (const name of ["mouseover", "focusin"]) document.addEventListener(name, heat(true));
for (const name of ["mouseout", "focusout"]) document.addEventListener(name, heat(false));

// Last: what stands behind the sign may be no text that can be decoded.
reveal();
