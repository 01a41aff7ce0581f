// Filtering: terms such as lr=1e-3,3e-3 or beta=0.5..2 by the values of runs, and words that a row contains.
// A group is shown where one of its runs has all values; metrics of a group are its means.
const known = JSON.parse(document.getElementById("filter-values").content.textContent);
const entryOf = ([group, own]) => ({ ...(group === null ? {} : { ...known.shared, ...known.groups[group].settings }), ...own });
const runs = known.runs.map(entryOf);
const members = known.groups.map(({ metrics }, k) =>
  runs.filter((_, run) => known.runs[run][0] === k).map((run) => ({ ...run, ...metrics })));
const keys = [...new Set([...known.columns, ...runs.flatMap(Object.keys)])];
const entriesOf = (of) => {
  const [kind, number] = of.split(" ");
  return kind === "group" ? members[number] : [runs[kind === "trial" ? known.trials[number] : number]];
};

// Keys by their whole name, or by its last part, of which one that is a column comes first.
const lastPart = (key) => key.split(/[./]/).pop();
const keysNamed = (name) => {
  const isNamed = (part) => (key) => part(key).toLowerCase() === name.toLowerCase();
  const whole = keys.filter(isNamed((key) => key));
  if (whole.length) return whole.slice(0, 1);
  const columns = known.columns.filter(isNamed(lastPart));
  return columns.length ? [...new Set(columns)] : keys.filter(isNamed(lastPart));
};
const shortName = (key) => (keysNamed(lastPart(key)).length === 1 && keysNamed(lastPart(key))[0] === key ? lastPart(key) : key);

// A part in brackets or quotes holds spaces and commas; neither quotes nor spaces within it count.
const split = (text, part) => text.match(part) ?? [];
const bare = (text) => String(text).toLowerCase().replace(/[\s"]/g, "");
const numberOf = (text) => (bare(text) === "" ? NaN : Number(text));
const isWithin = (value, low, high) => (low === "" || Number(low) <= value) && (high === "" || value <= Number(high));
const isMet = (wanted, value) => {
  const [number, given] = [numberOf(value), numberOf(wanted)];
  if (bare(wanted) === bare(value) || number === given || Number(number.toPrecision(4)) === given) return true; // as in tables
  const range = /^(.*?)\.\.(.*)$/.exec(bare(wanted));
  return range !== null && !Number.isNaN(number) && isWithin(number, range[1], range[2]);
};
const parse = (text) => {
  const terms = split(text, /(?:\[[^\]]*\]|"[^"]*"?|\S)+/g).map((term) => {
    const [name, ...rest] = term.split("=");
    if (!rest.length) return { text: term, word: bare(term) };
    const values = split(rest.join("="), /(?:\[[^\]]*\]|"[^"]*"?|[^,])+/g);
    const found = keysNamed(bare(name));
    const problem = found.length > 1 ? `${name}: ${found.join(" or ")}?` : found.length ? "" : `no key ${name}`;
    return { text: term, key: found.length === 1 ? found[0] : null, values, problem };
  });
  const isComplete = ({ key, values }) => key && values.length;
  return { terms, words: terms.flatMap(({ word }) => word ?? []), chosen: terms.filter(isComplete) };
};

const boxes = [...document.querySelectorAll("input[data-filters]")];
const outputs = [...document.querySelectorAll("output[data-counts]")];
const rows = [...document.querySelectorAll("tr[data-of]")];
const strands = [...document.querySelectorAll("path[data-of]")];
const columns = [...document.querySelectorAll("th[data-of]")].flatMap((head) =>
  [...head.closest("table").rows].map((row) => [head.dataset.of, row.cells[head.cellIndex]]));
const figures = [...document.querySelectorAll("figure[data-of]")].map((figure) => [figure.dataset.of, figure]);
const texts = new Map();
for (const row of rows) texts.set(row.dataset.of, `${texts.get(row.dataset.of) ?? ""}\n${bare(row.textContent)}`);
// of a group those of its runs, each with the group's own
const textsOf = (of) => {
  const own = known.runs.flatMap(([group], run) => (`group ${group}` === of ? [`${texts.get(of)}${texts.get(`run ${run}`)}`] : []));
  return own.length ? own : [texts.get(of)];
};
const notes = document.querySelectorAll("[data-when-filtered]");
let filterText = "";

const countOf = (table) => {
  const own = [...document.getElementById(table).tBodies[0].rows];
  return `${own.filter((row) => !row.hidden).length} of ${own.length}`;
};
const setFilter = (text, used = null) => {
  filterText = text;
  const { terms, words, chosen } = parse(text);
  const decided = new Map(); // a group is shown in all tables or in none
  for (const row of rows) {
    const { of } = row.dataset;
    const hasValues = (entry) => chosen.every(({ key, values }) => values.some((value) => isMet(value, entry[key] ?? "—")));
    if (!decided.has(of)) {
      const hasWords = (text) => words.every((word) => text.includes(word));
      decided.set(of, textsOf(of).some(hasWords) && entriesOf(of).some(hasValues));
    }
    row.hidden = !decided.get(of);
  }
  for (const [of, shown] of [...columns, ...figures]) shown.hidden = decided.get(of) === false;
  for (const note of notes) note.hidden = ![...decided].some(([of, isShown]) => of.startsWith("group ") && !isShown);
  for (const strand of strands) strand.classList.toggle("out", decided.get(strand.dataset.of) === false);
  const problems = terms.flatMap(({ problem }) => problem || []);
  for (const output of outputs) {
    output.setAttribute("aria-live", output.closest(".filter").contains(used) ? "polite" : "off");
    output.textContent = [...(terms.length ? [countOf(output.dataset.counts)] : []), ...problems].join("; ");
  }
  for (const box of boxes) if (box !== used) box.value = text;
  document.dispatchEvent(new CustomEvent("filtered", { detail: chosen }));
};

// The address holds the filter, so that it can be kept and sent; a link to a section puts it back after the jump.
const PREFIX = "#filter=";
const fromAddress = () => new URLSearchParams(location.hash.slice(1)).get("filter") ?? "";
const toAddress = () => {
  const hash = filterText ? `#${new URLSearchParams({ filter: filterText })}` : location.hash.startsWith(PREFIX) ? "#" : "";
  if (hash) history.replaceState(null, "", hash);
};
for (const box of boxes) {
  box.addEventListener("input", () => {
    setFilter(box.value, box);
    toAddress();
  });
}
addEventListener("hashchange", () => (location.hash.startsWith(PREFIX) ? setFilter(fromAddress()) : toAddress()));
