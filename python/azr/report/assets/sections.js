// From the layout and the runs to cards with charts.

const BANDS = ["s0", "s1", "s2", "s3", "s4"];
const KNOWN = { correct: "c2", wrong: "c1" };
const tone = (at) => `c${at % 8}`;

/** The kinds that any of the runs has numbers of. */
const kindsOf = (runs) => [...new Set(runs.flatMap((run) => run.kinds))];

const OWN = new Set(["deduction", "abduction", "induction", "error"]);

/** The colour of a kind: the plain ones have their own, a domain's get one by their names. */
function kindTone(kind) {
  if (OWN.has(kind)) return `k-${kind}`;
  return tone([...kind].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 997, 7));
}

/** The plots of a chart: [{label, ...}] as `Plot` wants them. One run: kinds share a plot; several: runs share it. */
function plotsOf(chart, runs) {
  const kinds = kindsOf(runs);
  const byKind = chart.keys.some((key) => key.includes("{kind}"));
  const base = { unit: chart.unit, top: chart.top, log: chart.log, kind: chart.kind, bins: chart.table === "curriculum" };
  const plots = [];
  if (chart.kind === "stack") {
    const panels = runs.flatMap((run) => (byKind ? kinds : [null]).map((kind) => ({ run, kind, series: layers(chart, run, kind) })));
    const tones = tonesOf(chart, panels.flatMap((panel) => panel.series));
    for (const { run, kind, series } of panels) {
      const name = [runs.length > 1 ? run.name : null, kind].filter(Boolean).join(", ");
      plots.push({ ...base, name, run: run.name, series: folded(series, tones), marks: steps(run) });
    }
  } else if (byKind && runs.length > 1) {
    for (const kind of kinds) {
      plots.push({ ...base, name: kind, series: runs.flatMap((run, at) => curves(chart, run, kind, tone(at), run.name)), marks: [] });
    }
  } else if (byKind) {
    plots.push({ ...base, name: "", series: kinds.flatMap((kind) => curves(chart, runs[0], kind, kindTone(kind), kind)), marks: steps(runs[0]) });
  } else {
    const single = runs.length === 1;
    const series = runs.flatMap((run, at) => curves(chart, run, null, single ? null : tone(at), single ? null : run.name));
    plots.push({ ...base, name: "", series, marks: single ? steps(runs[0]) : [] });
  }
  return plots.filter((plot) => plot.series.length).map((plot) => ({ ...plot, label: [chart.title, plot.name].filter(Boolean).join(", ") }));
}

const steps = (run) => [...new Set(run.alarms.map((alarm) => alarm.step))].slice(0, 200);

function column(chart, run, key) {
  const table = chart.table === "curriculum" ? run.curriculum : run.metrics;
  const values = table[key];
  if (!values) return null;
  const x = chart.table === "curriculum" ? run.bins : run.steps;
  return { x, y: values };
}

/** The keys of a chart's lines. A `*` stands for one part of a name, which is the line's label. */
function lines(chart, run, kind) {
  const table = chart.table === "curriculum" ? run.curriculum : run.metrics;
  return chart.keys.flatMap((wanted, at) => {
    const key = wanted.replace("{kind}", kind);
    const [start, end] = key.split("*");
    if (end === undefined) return [{ key, label: chart.labels[at] }];
    const part = (name) => name.slice(start.length, name.length - end.length);
    return Object.keys(table).filter((name) => name.startsWith(start) && name.endsWith(end) && part(name) && !part(name).includes("/")).map((name) => ({ key: name, label: part(name) }));
  });
}

function curves(chart, run, kind, given, name) {
  const key = (at) => chart.keys[at].replace("{kind}", kind);
  if (chart.kind === "band") {
    const middle = column(chart, run, key(1));
    if (!middle) return [];
    return [{ label: name, tone: given, ...middle, low: column(chart, run, key(0)).y, high: column(chart, run, key(2)).y }];
  }
  const keys = lines(chart, run, kind);
  return keys.flatMap((one, at) => {
    const found = column(chart, run, one.key);
    if (!found) return [];
    const several = keys.length > 1;
    const label = several ? [name, one.label].filter(Boolean).join(", ") : name || chart.title.toLowerCase();
    return [{ label, tone: several && name === null ? tone(at) : given || tone(0), dash: several && name !== null && at ? "5 3" : null, ...found }];
  });
}

function layers(chart, run, kind) {
  const table = chart.table === "curriculum" ? run.curriculum : run.metrics;
  const found = chart.keys.flatMap((key, at) => {
    const wanted = key.replace("{kind}", kind);
    if (!wanted.endsWith("*")) return [{ key: wanted, label: chart.labels[at] }];
    const start = wanted.slice(0, -1);
    // The sum of the phases is no phase.
    return Object.keys(table).filter((name) => name.startsWith(start) && name !== "seconds/step").map((name) => ({ key: name, label: name.slice(start.length).replaceAll("_", " ") }));
  });
  return found.filter(({ key }) => table[key]).map(({ key, label }) => ({ label, ...column(chart, run, key) }));
}

const total = (values) => values.reduce((sum, value) => sum + (value || 0), 0);

const LAYERS = 8;

/** The colour of each label of a chart, from the bottom layer up: one label has one colour, in all panels. */
function tonesOf(chart, series) {
  if (chart.labels.length === BANDS.length) return new Map(chart.labels.map((label, at) => [label, BANDS[at]]));
  const sums = new Map(chart.labels.map((label) => [label, 0]));
  for (const one of series) sums.set(one.label, (sums.get(one.label) || 0) + total(one.y));
  const labels = [...sums.keys()];
  if (chart.labels.length === 0) labels.sort((a, b) => sums.get(b) - sums.get(a));
  const kept = labels.length > LAYERS ? labels.slice(0, LAYERS - 1) : labels;
  const taken = kept.map((label) => KNOWN[label]);
  const free = Array.from({ length: LAYERS }, (_, at) => tone(at + 3)).filter((name) => !taken.includes(name));
  return new Map(kept.map((label) => [label, KNOWN[label] || free.shift()]));
}

/** The layers that have a colour, in the order of these; what is left goes into one. */
function folded(series, tones) {
  const found = [...tones].flatMap(([label, given]) => series.filter((one) => one.label === label).map((one) => ({ ...one, tone: given })));
  const rest = series.filter((one) => !tones.has(one.label));
  if (!rest.length) return found;
  const y = rest[0].x.map((_, i) => (series.every((one) => one.y[i] === null) ? null : rest.reduce((sum, one) => sum + (one.y[i] || 0), 0)));
  return [...found, { label: "others", x: rest[0].x, y, tone: "rest" }];
}

/** A card with a chart. Returns {node, update(runs)}, or null if no run has anything for it. */
function chartCard(chart, runs) {
  const plots = plotsOf(chart, runs);
  if (!plots.length) return null;
  const made = plots.map((about) => new Plot(about));
  const legend = el("div", { class: "legend" });
  let shown = "";
  const label = (given) => {
    const labels = [...new Map(given.flatMap((plot) => plot.series).map((one) => [one.label, one])).values()];
    const now = JSON.stringify(labels.map((one) => [one.label, one.tone]));
    if (now === shown) return;
    shown = now;
    replace(legend, labels.length > 1 || runs.length > 1 ? labels.map((one) => legendKey(one, chart, made)) : []);
  };
  label(plots);
  const tableNode = el("div", { class: "data hidden", tabindex: "0", role: "region", "aria-label": `${chart.title}, as a table` });
  const holder = el("div", { class: "panels" }, plots.map((plot, at) => el("div", { class: `panel${at && plot.run !== plots[at - 1].run ? " first" : ""}` },
    plots.length > 1 ? el("div", { class: "name" }, plot.name) : null, made[at].node)));
  const button = el("button", { class: "button", type: "button", "aria-pressed": "false", "aria-label": `${chart.title} as a table`, on: { click: () => {
    const table = tableNode.classList.toggle("hidden");
    holder.classList.toggle("hidden", !table);
    button.setAttribute("aria-pressed", String(!table));
    if (!table) replace(tableNode, made.map((plot) => asTable(plot.about)));
  } } }, "Table");
  const node = el("figure", { class: `chart card${plots.length > 1 ? " wide" : ""}`, id: `chart-${chart.id}` },
    el("div", { class: "chart-head" }, el("div", {}, el("h3", {}, chart.title), el("p", { class: "note" }, chart.note)), button),
    legend, holder, tableNode);
  const update = (now) => {
    const given = plotsOf(chart, now);
    given.forEach((about, at) => made[at] && made[at].update(about));
    label(given);
  };
  return { node, update, wide: plots.length > 1 };
}

function legendKey(one, chart, plots) {
  return el("button", { type: "button", "aria-pressed": String(!plots[0].hidden.has(one.label)), on: { click: (event) => {
    const button = event.currentTarget;
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    for (const plot of plots) {
      if (on) plot.hidden.delete(one.label);
      else plot.hidden.add(one.label);
      plot.draw();
    }
  } } }, el("span", { class: `swatch ${chart.kind === "stack" ? "block" : ""} ${one.tone}` }), one.label);
}

/** At most forty rows of a plot, as a table. */
function asTable(about) {
  const at = [...new Set(about.series.flatMap((one) => one.x))].sort((a, b) => a - b);
  const every = Math.ceil(at.length / 40);
  const rows = at.filter((_, index) => index % every === 0 || index === at.length - 1);
  return el("table", {}, el("caption", { class: "sr" }, about.label),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "step"), about.series.map((one) => el("th", { scope: "col", class: "num" }, one.label)))),
    el("tbody", {}, rows.map((step) => el("tr", {}, el("th", { scope: "row" }, compact(step)),
      about.series.map((one) => el("td", { class: "num" }, format(one.y[one.x.indexOf(step)], about.unit)))))));
}

/** Any metric at all. */
function explorer(runs) {
  const names = () => [...new Set(runs.flatMap((run) => Object.keys(run.metrics)))].sort();
  const select = el("select", { class: "field", "aria-label": "Metric" });
  const aboutOf = (name) => ({
    label: name, unit: "number", top: null, log: false, kind: "lines", marks: runs.length > 1 ? [] : steps(runs[0]),
    series: runs.flatMap((run, at) => (run.metrics[name] ? [{ label: runs.length > 1 ? run.name : name, tone: tone(at), x: run.steps, y: run.metrics[name] }] : [])),
  });
  const list = () => replace(select, names().map((name) => el("option", { value: name, selected: name === select.value }, name)));
  list();
  const plot = new Plot(aboutOf(select.value));
  select.addEventListener("change", () => plot.update(aboutOf(select.value)));
  const node = el("figure", { class: "chart card wide" }, el("div", { class: "explorer" }, el("h3", {}, "Any metric"), select), plot.node);
  return { node, update: (now) => { runs = now; list(); plot.update(aboutOf(select.value)); } };
}
