"""How the page looks, and how its tables are sorted."""

STYLE = """
:root { --ink: #1c1e21; --soft: #5c6470; --line: #d9dde3; --link: #1b5e9b; }
* { box-sizing: border-box; }
body {
  margin: 0; color: var(--ink); background: #fff;
  font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif;
}
header, main { max-width: 1500px; margin: 0 auto; padding: 0 clamp(12px, 3vw, 40px); }
h1 { font-size: clamp(1.35rem, 4vw, 2rem); line-height: 1.2; margin: 1.2em 0 .4em; }
h2 { font-size: 1.3rem; margin: 2em 0 .5em; padding-top: .5em;
  border-top: 1px solid var(--line); }
nav { display: flex; flex-wrap: wrap; gap: .2em 1.1em; }
a { color: var(--link); }
p { max-width: 48em; overflow-wrap: anywhere; }
details { margin: 1em 0; }
summary { cursor: pointer; color: var(--soft); padding: .25em 0; max-width: 60em; }
.scroll { overflow-x: auto; }
/* Whole pixels, so that the lines of a column that stays in view meet the others. */
table { border-collapse: separate; border-spacing: 0; font-size: 14px;
  line-height: 20px; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 9px; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); white-space: nowrap; }
.number, .number button { text-align: right; }
th:first-child, td:first-child { position: sticky; left: 0;
  background: #fff; background-clip: padding-box; }
td.long { white-space: normal; min-width: 16em; max-width: 60em;
  overflow-wrap: anywhere; }
td small { display: block; color: var(--soft); font-size: 11px; line-height: 16px; }
thead th { vertical-align: bottom; border-bottom: 2px solid var(--soft); }
th button { font: inherit; font-weight: 600; color: inherit; background: none;
  border: 0; padding: 0; cursor: pointer; text-align: left; }
th button::after { content: "\\2195"; color: #a3aab4; padding-left: .25em; }
th[aria-sort="ascending"] button::after { content: "\\2191"; color: var(--link); }
th[aria-sort="descending"] button::after { content: "\\2193"; color: var(--link); }
tbody tr:hover { background: #f4f6f9; }
.charts { display: grid; gap: 1em;
  grid-template-columns: repeat(auto-fit, minmax(min(340px, 100%), 1fr)); }
figure { margin: 0; max-width: 560px; }
figure svg { width: 100%; height: auto; }
figcaption { color: var(--soft); font-size: .86rem; }
.gallery th, .gallery td { border: 0; padding: 3px; font-weight: 400;
  font-size: .8rem; white-space: normal; }
.gallery thead th { vertical-align: bottom; min-width: 64px; max-width: 128px; }
.gallery tbody th { vertical-align: middle; min-width: 6.5em; max-width: 12em; }
.gallery img { display: block; image-rendering: pixelated;
  width: clamp(64px, 9vw, 128px); height: auto; }
@media print { .scroll { overflow: visible; } }
"""

SCRIPT = """
for (const button of document.querySelectorAll("thead button")) {
  button.addEventListener("click", () => {
    const head = button.parentElement, body = head.closest("table").tBodies[0];
    const up = head.getAttribute("aria-sort") !== "ascending";
    const value = (row) => {
      const cell = row.cells[head.cellIndex];
      return cell.dataset.key ? Number(cell.dataset.key) : cell.textContent;
    };
    const order = (a, b) => {
      const x = value(a), y = value(b);
      // What has no number stands last, whichever way.
      if (typeof x !== typeof y) return typeof x === "number" ? -1 : 1;
      const less = typeof x === "number" ? x - y : x.localeCompare(y);
      return up ? less : -less;
    };
    body.append(...[...body.rows].sort(order));
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
  });
}
"""
