// Epochs: a slider below a picture shows it as it was during training; its last position is the picture of the end.
for (const figure of document.querySelectorAll("figure:has(template)")) {
  const picture = figure.querySelector("img");
  const frames = [...figure.querySelector("template").content.querySelectorAll("img"), picture.cloneNode()];
  const slider = figure.querySelector("input");
  slider.closest("label").hidden = false;
  slider.value = slider.max;
  const turn = () => {
    const { src, alt, dataset } = frames[slider.value];
    Object.assign(picture, { src, alt });
    const when = dataset.epoch ? `epoch ${dataset.epoch}` : "end";
    slider.setAttribute("aria-valuetext", when);
    figure.querySelector("output").textContent = when;
  };
  slider.addEventListener("input", turn);
  turn();
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
const step = (by) => {
  const row = [...shown.parentElement.children].filter(({ hidden }) => !hidden); // without those that are filtered out
  show(row[row.indexOf(shown) + by]);
};
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

if (location.hash.startsWith(PREFIX)) setFilter(fromAddress());
