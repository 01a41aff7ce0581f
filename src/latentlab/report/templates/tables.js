"use strict";

// Sorting: click a column's head, first ascending, then descending; rows without a value stay last.
const valueOf = (row, column) => {
  const cell = row.cells[column];
  const order = cell.dataset.order;
  if (order !== undefined) return Number(order);
  const text = cell.textContent.trim();
  return text === "—" || text === "" ? null : text;
};
const compare = (a, b) => {
  const [x, y] = [Number(a), Number(b)];
  return Number.isNaN(x) || Number.isNaN(y) ? String(a).localeCompare(String(b), "en", { numeric: true }) : x - y;
};
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.setAttribute("aria-sort", "none"); // its arrows are shown from here on
    head.querySelector("button").addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of heads) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
      const rows = [...table.tBodies[0].rows].map((row) => [valueOf(row, column), row]);
      rows.sort(([a], [b]) => (a === null) - (b === null) || (a === null ? 0 : sign * compare(a, b)));
      table.tBodies[0].append(...rows.map(([, row]) => row));
    });
  });
}

// Folding: where many settings vary, the columns of the first are shown, and any of the buttons shows all in every table.
const folds = [...document.querySelectorAll("button.fold")];
const fold = (isFolded) => {
  document.body.classList.toggle("folded", isFolded);
  for (const button of folds) button.setAttribute("aria-expanded", String(!isFolded));
};
for (const button of folds) {
  button.hidden = false;
  button.addEventListener("click", () => fold(!document.body.classList.contains("folded")));
}
fold(folds.length > 0);
