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

// Filtering: rows that contain every word are shown.
for (const box of document.querySelectorAll("input[data-filters]")) {
  const rows = [...document.getElementById(box.dataset.filters).tBodies[0].rows];
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const counts = document.querySelector(`output[data-counts="${box.dataset.filters}"]`);
  box.addEventListener("input", () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      row.hidden = !words.every((word) => texts.get(row).includes(word));
      shown += !row.hidden;
    }
    counts.textContent = words.length ? `${shown} of ${rows.length}` : "";
  });
}

// Zooming: one picture over the whole page; the arrow keys show its neighbours.
const zoom = document.getElementById("zoom");
let shown = null;
const show = (figure) => {
  if (!figure) return;
  shown = figure;
  const picture = figure.querySelector("img");
  zoom.querySelector("img").src = picture.src;
  zoom.querySelector("img").alt = picture.alt;
  zoom.querySelector("p").textContent = picture.alt;
  if (!zoom.open) zoom.showModal();
};
const step = (by) => show(by < 0 ? shown.previousElementSibling : shown.nextElementSibling);
for (const button of document.querySelectorAll("button.picture")) {
  button.addEventListener("click", () => show(button.closest("figure")));
}
zoom.addEventListener("click", (event) => {
  if (event.target.dataset.step) step(Number(event.target.dataset.step));
  else if (event.target === zoom || event.target.tagName === "IMG") zoom.close();
});
zoom.addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") step(-1);
  if (event.key === "ArrowRight") step(1);
});
zoom.addEventListener("close", () => shown?.querySelector("button").focus());
