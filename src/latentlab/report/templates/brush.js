// Brushing: dragging along a parallel axis puts the values there into the filter; a click on the axis, or Escape, takes
// them out again. What is marked on the axes follows from the filter's text alone.
const areas = [...document.querySelectorAll("rect.brush")].map((area) => ({ area, ...area.dataset, ...JSON.parse(area.dataset.scale) }));
const CLICK = 3; // pixels
const bent = (axis, value) => (axis.log ? Math.log10(Math.max(value, 1e-300)) : value);
const clamp = (value, a, b) => Math.min(Math.max(value, Math.min(a, b)), Math.max(a, b));
const pixelOf = (axis, value) => {
  const [low, high] = [bent(axis, axis.low), bent(axis, axis.high)];
  const pixel = axis.start + ((bent(axis, value) - low) / (high - low)) * (axis.end - axis.start);
  return clamp(pixel, axis.start, axis.end);
};

// From pixels to the filter's text: names, or numbers with as many digits as pixels tell apart; open where it reaches an end.
const numberAt = (axis, pixel) => {
  const fraction = (pixel - axis.start) / (axis.end - axis.start);
  if (fraction < 0.01 || fraction > 0.99) return "";
  const [low, high] = [bent(axis, axis.low), bent(axis, axis.high)];
  const value = low + fraction * (high - low);
  if (axis.log) return String(Number((10 ** value).toPrecision(3)));
  return String(Number(value.toFixed(clamp(Math.ceil(-Math.log10((high - low) / 100)), 0, 20))));
};
const quoted = (name) => (/^\[[^\]]*\]$/.test(name) || !/[\s,"[\]]/.test(name) ? name.replace(/\s/g, "") : `"${name.replaceAll('"', "")}"`);
const termOf = (axis, from, to) => {
  const [low, high] = from > to ? [from, to] : [to, from]; // pixels grow downwards, values upwards
  const key = shortName(axis.key);
  if (!axis.names) {
    const [least, most] = [numberAt(axis, low), numberAt(axis, high)];
    return least || most ? `${key}=${least}..${most}` : "";
  }
  const away = (index) => Math.abs(pixelOf(axis, index) - (low + high) / 2);
  const inside = axis.names.filter((_, index) => away(index) <= (low - high) / 2);
  const nearest = axis.names.reduce((best, _, index) => (away(index) < away(best) ? index : best), 0);
  if (inside.length === axis.names.length) return "";
  return `${key}=${(inside.length ? inside : [axis.names[nearest]]).map(quoted).join(",")}`;
};
const without = (isLeftOut) => parse(filterText).terms.filter((term) => !isLeftOut(term)).map(({ text }) => text);
const brush = (axis, term) => {
  setFilter([...without(({ key }) => key === axis.key), ...(term ? [term] : [])].join(" "));
  toAddress();
};

// From the filter's values to pixels.
const stretches = (axis, values) => {
  if (axis.names) {
    const half = Math.abs(axis.end - axis.start) / axis.names.length / 2;
    const chosen = axis.names.flatMap((name, index) => (values.some((value) => isMet(value, name)) ? [pixelOf(axis, index)] : []));
    return chosen.map((pixel) => [pixel + half, pixel - half]);
  }
  return values.flatMap((value) => {
    const [low, high = low] = bare(value).split("..");
    const [from, to] = [low === "" ? axis.start : pixelOf(axis, Number(low)), high === "" ? axis.end : pixelOf(axis, Number(high))];
    return Number.isNaN(from) || Number.isNaN(to) ? [] : [[from + 1, to - 1]];
  });
};
const mark = ({ area }, pairs) => {
  while (area.nextElementSibling?.matches(".marked")) area.nextElementSibling.remove();
  for (const [from, to] of pairs) {
    const box = area.cloneNode();
    box.setAttribute("class", "marked");
    box.setAttribute("y", Math.min(from, to));
    box.setAttribute("height", Math.abs(from - to));
    area.after(box);
  }
};
document.addEventListener("filtered", ({ detail: chosen }) => {
  for (const axis of areas) mark(axis, chosen.filter(({ key }) => key === axis.key).flatMap(({ values }) => stretches(axis, values)));
});

for (const axis of areas) {
  const { area } = axis;
  let from = null;
  const at = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(area.getScreenCTM().inverse());
    return clamp(point.y, axis.start, axis.end);
  };
  area.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    from = at(event);
    area.setPointerCapture(event.pointerId);
    event.preventDefault(); // no text is selected
    document.activeElement.blur(); // in the filter's field Escape would clear all of it
  });
  area.addEventListener("pointermove", (event) => from !== null && mark(axis, [[from, at(event)]]));
  area.addEventListener("pointerup", (event) => {
    if (from === null) return;
    const to = at(event);
    brush(axis, Math.abs(to - from) < CLICK ? "" : termOf(axis, from, to));
    from = null;
  });
  area.addEventListener("pointercancel", () => {
    from = null;
    setFilter(filterText);
  });
}
document.addEventListener("keydown", (event) => {
  const isBrushed = ({ key }) => areas.some((axis) => axis.key === key);
  if (event.key !== "Escape" || zoom.open || !parse(filterText).terms.some(isBrushed)) return;
  setFilter(without(isBrushed).join(" "));
  toAddress();
});
