// The page: head, tiles, sections, lists. Live, it asks its server for what changed.

const data = JSON.parse(document.getElementById("data").textContent);
const main = document.getElementById("main");
let runs = data.runs;
const updates = [];

function head() {
  const title = runs.map((run) => run.name).join(" and ");
  const facts = runs.length === 1 ? el("dl", { class: "facts" }) : el("div", { class: "runs" });
  const notes = el("div", { class: "notes" });
  const state = data.live ? el("span", { class: "live", role: "status" }, "live") : null;
  const update = () => {
    replace(facts, runs.length === 1
      ? runs[0].facts.map(([label, text]) => el("div", {}, el("dt", {}, label), el("dd", {}, text)))
      : runs.map((run, at) => el("span", { class: "key" }, el("span", { class: `swatch block ${tone(at)}` }), el("b", {}, run.name),
        run.facts.slice(0, 4).map(([, text]) => text).join(", "))));
    replace(notes, runs.flatMap((run) => run.notes.map((note) => el("p", { class: "text" }, runs.length > 1 ? `${run.name}: ${note}` : note))));
  };
  update();
  updates.push(update);
  replace(document.getElementById("top"),
    el("div", { class: "top-row" },
      el("div", {}, el("p", { class: "eyebrow" }, data.live ? "azr watch" : runs.length > 1 ? "azr report, runs compared" : "azr report"), el("h1", { class: "text" }, title)),
      tools(state)),
    facts, notes);
  return state;
}

function tools(state) {
  const themes = ["auto", "light", "dark"];
  let theme = recalled("azr-theme", themes) || "auto";
  const apply = () => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
  };
  const button = el("button", { class: "button", type: "button", on: { click: () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    remember("azr-theme", theme);
    apply();
  } } });
  apply();
  settings.smoothing = Math.max(...runs.map((run) => run.steps.length)) > 60 ? 0.8 : 0;
  const slider = el("input", { type: "range", min: 0, max: 0.98, step: 0.02, value: settings.smoothing, on: { input: settled((event) => {
    settings.smoothing = Number(event.target.value);
    redraw();
  }, 30) } });
  return el("div", { class: "tools" }, state, el("label", {}, "Smoothing", slider), button);
}

function recalled(name, allowed) {
  try {
    const value = localStorage.getItem(name);
    return allowed.includes(value) ? value : null;
  } catch {
    return null;
  }
}

function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // A file that may not store anything forgets its theme.
  }
}

// Tiles: where the run stands, each with its course.

const TILES = [
  ["Held-out tasks solved", "probe/sampled", "share"],
  ["Solver score", "solve/solve/{kind}/score", "share"],
  ["Valid proposals", "validate/propose/{kind}/valid_rate", "share"],
  ["Solve rate of new tasks", "solve/propose/{kind}/solve_rate", "share"],
  ["Learnable tasks", "solve/propose/{kind}/learnable_share", "share"],
];

function tiles() {
  const node = el("div", { class: "tiles" });
  const update = () => replace(node, TILES.map((tile) => tileOf(...tile)), alarmTile());
  update();
  updates.push(update);
  return node;
}

function tileOf(label, key, unit) {
  const found = runs.map((run) => meanOf(run, key)).filter((one) => one && one.some((value) => value !== null));
  if (!found.length) return null;
  const [values] = found;
  const there = values.filter((value) => value !== null);
  const tail = (list) => mean(list.slice(-Math.max(1, Math.round(list.length / 10))));
  const first = mean(there.slice(0, Math.max(1, Math.round(there.length / 10))));
  if (found.length > 1) {
    return el("div", { class: "tile" }, el("span", { class: "label" }, label), found.map((list, at) =>
      el("span", { class: `key value ${tone(at)}` }, format(tail(list.filter((v) => v !== null)), unit))));
  }
  return el("div", { class: "tile" }, el("span", { class: "label" }, label), el("span", { class: "value" }, format(tail(there), unit)),
    el("span", { class: "from" }, there.length > 1 ? `from ${format(first, unit)}` : "so far"), spark(there));
}

function meanOf(run, key) {
  if (!key.includes("{kind}")) return run.metrics[key] || null;
  const columns = run.kinds.map((kind) => run.metrics[key.replace("{kind}", kind)]).filter(Boolean);
  if (!columns.length) return null;
  return columns[0].map((_, i) => {
    const values = columns.map((column) => column[i]).filter((value) => value !== null);
    return values.length ? mean(values) : null;
  });
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

function spark(values) {
  const smooth = smoothed(values, values.length > 60 ? 0.8 : 0);
  const low = Math.min(...smooth), high = Math.max(...smooth), span = high - low || 1;
  const points = smooth.map((value, i) => `${((i / Math.max(1, smooth.length - 1)) * 160).toFixed(1)} ${(23 - ((value - low) / span) * 20).toFixed(1)}`);
  return svg("svg", { viewBox: "0 0 160 26", preserveAspectRatio: "none", "aria-hidden": "true", class: "c0" },
    svg("path", { d: `M${points.join("L")}`, fill: "none", stroke: "currentColor", "stroke-width": 1.6, "vector-effect": "non-scaling-stroke" }));
}

function alarmTile() {
  const count = runs.reduce((sum, run) => sum + run.alarms.length, 0);
  const names = new Set(runs.flatMap((run) => run.alarms.map((alarm) => alarm.name)));
  return el("div", { class: `tile ${count ? "alarmed" : ""}` }, el("span", { class: "label" }, "Alarms"), el("span", { class: "value" }, whole(count)),
    el("span", { class: "from" }, count ? `${names.size} ${names.size === 1 ? "kind" : "kinds"}` : "nothing was flagged"));
}

// Sections.

function section(id, title, note, ...children) {
  const node = el("section", { id, "aria-labelledby": `${id}-title` }, el("header", {}, el("h2", { id: `${id}-title` }, title), note ? el("p", {}, note) : null), ...children);
  places.push([id, title.replace(/\?$/, ""), node]);
  return node;
}

const places = [];
const SHORT = {
  learning: "Learning", difficulty: "Difficulty", proposals: "Proposals", length: "Length", programs: "Programs", diversity: "Diversity",
  training: "Training", transfer: "Transfer", cost: "Cost", metrics: "All metrics", comments: "Comments", evaluations: "Evaluations", alarms: "Alarms", gallery: "Gallery", config: "Config",
};

function chartSections() {
  return data.layout.map((about) => {
    const cards = about.charts.map((chart) => chartCard(chart, runs)).filter(Boolean);
    if (!cards.length) return null;
    cards.forEach((card) => updates.push(() => card.update(runs)));
    const small = cards.filter((card) => !card.wide).length;
    const pairs = small % 3 !== 0 && small % 2 === 0;
    return section(about.id, about.title, about.note, el("div", { class: `charts ${pairs ? "pairs" : ""}` }, cards.map((card) => card.node)));
  });
}

function allMetrics() {
  const card = explorer(runs);
  updates.push(() => card.update(runs));
  return section("metrics", "Any other number", "Everything in metrics.jsonl, by its name.", card.node);
}

function alarmSection() {
  const node = el("div");
  const update = () => replace(node, runs.map((run) => el("div", {}, runs.length > 1 ? el("h3", {}, run.name) : null, alarmsOf(run))));
  update();
  updates.push(update);
  return section("alarms", "Alarms", "What monitors flagged, newest first; an id begins with its step. Charts of a single run mark these steps. azr review decides about them.", node);
}

function alarmsOf(run) {
  if (!run.alarms.length) return el("p", { class: "empty" }, "None in this run.");
  const last = Math.max(1, ...run.steps, ...run.alarms.map((alarm) => alarm.step));
  const names = [...new Set(run.alarms.map((alarm) => alarm.name))];
  const line = svg("svg", { viewBox: "0 0 1000 64", preserveAspectRatio: "none", role: "img", "aria-label": `${run.alarms.length} alarms from step ${run.alarms[0].step} to ${run.alarms[run.alarms.length - 1].step}` },
    svg("line", { class: "grid", x1: 0, x2: 1000, y1: 46, y2: 46, "vector-effect": "non-scaling-stroke" }),
    [...countBy(run.alarms, (alarm) => Math.floor((alarm.step / last) * 200))].map(([slot, count]) =>
      svg("rect", { class: "alarm-dot", x: Math.min(slot, 199) * 5, width: 5, y: 46 - Math.min(40, 8 * count), height: Math.min(40, 8 * count) })));
  const rows = run.alarms.slice(-500).reverse();
  return el("div", { class: "card" }, el("div", { class: "scroll" },
    el("div", { class: "alarm-line" }, line),
    el("p", { class: "meta" }, names.map((name) => el("span", {}, `${name}: ${whole(run.alarms.filter((alarm) => alarm.name === name).length)}`))),
    el("table", { class: "alarm-table" }, el("thead", {}, el("tr", {}, ["id", "alarm", "action", "evidence"].map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, rows.map((alarm) => el("tr", {}, el("td", { class: "text" }, alarm.id || String(alarm.step)), el("td", { class: "text" }, alarm.name), el("td", { class: "text" }, alarm.action), el("td", { class: "text" }, alarm.text)))))));
}

function countBy(items, key) {
  const counts = new Map();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) || 0) + 1);
  return counts;
}

function evaluationSection() {
  if (!runs.some((run) => run.evaluations.length)) return null;
  return section("evaluations", "Evaluations", "What azr eval measured of this run's checkpoints.",
    runs.filter((run) => run.evaluations.length).map((run) => {
      const names = [...new Set(run.evaluations.flatMap((row) => row.numbers.map(([name]) => name)))].slice(0, 12);
      return el("div", { class: "card" }, el("div", { class: "scroll" }, el("table", {},
        el("caption", { class: "sr" }, run.name),
        el("thead", {}, el("tr", {}, runs.length > 1 ? el("th", { scope: "col" }, "run") : null, el("th", { scope: "col" }, "benchmark"), el("th", { scope: "col" }, "model"), names.map((name) => el("th", { scope: "col", class: "num" }, name)))),
        el("tbody", {}, run.evaluations.map((row) => el("tr", {}, runs.length > 1 ? el("td", { class: "text" }, run.name) : null, el("td", { class: "text" }, row.benchmark), el("td", { class: "text" }, row.model),
          names.map((name) => el("td", { class: "num text" }, (row.numbers.find(([own]) => own === name) || [])[1] ?? ""))))))),
        run.evaluations.filter((row) => row.completions.length).map((row) => el("details", {},
          el("summary", {}, `${row.benchmark}, ${row.model}: some completions`),
          row.completions.map((one) => el("details", {}, el("summary", { class: "text" }, one.head), el("pre", {}, one.prompt), el("pre", {}, one.text))))));
    }));
}

function transferSection() {
  const found = runs.filter((run) => run.transfer.length);
  if (!found.length) return null;
  const domains = [...new Set(found.flatMap((run) => run.transfer.map((row) => row.domain)))].sort();
  const percent = (share) => (100 * share).toFixed(1);
  const cell = (run, domain) => {
    const row = run.transfer.find((one) => one.domain === domain);
    return row ? `${percent(row.before)} to ${percent(row.after)}${row.trained ? " *" : ""}` : "-";
  };
  return section("transfer", "Did one domain teach another?",
    "Held-out tasks solved, in percent, before and after training; a star where the run trained on the domain.",
    table(["run", ...domains], found.map((run) => [run.name, ...domains.map((domain) => cell(run, domain))]), []));
}

function commentSection() {
  const found = runs.filter((run) => run.patterns && (run.patterns.length || run.phrases.length));
  if (!found.length) return null;
  return section("comments", "What do they write between the lines?",
    "Comments in programs that the model wrote. The paper saw plans and observations appear between lines of code, much as in ReAct prompts.",
    found.map((run) => el("div", { class: "two" },
      el("div", { class: "panel card" }, el("h3", {}, runs.length > 1 ? `${run.name}: patterns` : "Patterns"),
        el("p", { class: "note" }, `In ${whole(run.read)} programs that were looked into.`),
        table(["pattern", "programs", "since step", "for example"], run.patterns.map((row) => [row.name, whole(row.count), whole(row.first), row.example]), [1, 2])),
      el("div", { class: "panel card" }, el("h3", {}, "Most frequent comments"), el("p", { class: "note" }, "Numbers read as 0, quoted parts as '...'."),
        el("div", { class: "comments", tabindex: "0", role: "region", "aria-label": "Most frequent comments" }, table(["comment", "programs", "since step"], run.phrases.map((row) => [row.text, whole(row.count), whole(row.first)]), [1, 2]))))));
}

function table(names, rows, numbers) {
  const tone = (at) => (numbers.includes(at) ? "num" : "text");
  if (!rows.length) return el("p", { class: "empty" }, "none");
  return el("table", {}, el("thead", {}, el("tr", {}, names.map((name, at) => el("th", { scope: "col", class: tone(at) }, name)))),
    el("tbody", {}, rows.map((row) => el("tr", {}, row.map((cell, at) => el("td", { class: tone(at) }, cell))))));
}

const browsersMade = [];

function gallerySection() {
  const filters = ["kind", "verdict", "step", "rate", "text", "order"];
  const tabs = [];
  const add = (label, make) => tabs.push([label, make]);
  if (data.live) {
    add("Programs", () => new Browser(new Served("programs"), showProgram, filters, true));
    add("Completions", () => new Browser(new Served("completions"), showCompletion, ["purpose", "kind", "verdict", "flagged", "step", "text", "order"], true));
  } else {
    runs.forEach((run, at) => add(run.name, () => new Browser(new Packed(run.gallery, at), showProgram, filters)));
  }
  const holder = el("div");
  const made = [];
  const buttons = tabs.map(([label], at) => el("button", { class: "button", type: "button", "aria-pressed": "false", on: { click: () => open(at) } }, label));
  const open = (at) => {
    made[at] ||= tabs[at][1]();
    if (!browsersMade.includes(made[at])) browsersMade.push(made[at]);
    buttons.forEach((button, index) => button.setAttribute("aria-pressed", String(index === at)));
    replace(holder, made[at].node);
  };
  open(0);
  const left = !data.live && runs.some((run) => run.gallery.of > run.gallery.lines.key.length);
  return section("gallery", "The programs themselves",
    `Proposed programs with their attempts, and proposals that were refused. Nothing here is run.${left ? " A file this small holds a selection, evenly spread over the run; azr watch shows all." : ""}`,
    tabs.length > 1 ? el("div", { class: "tabs" }, buttons) : null, holder);
}

function configSection() {
  return section("config", "Configuration", runs.length > 1 ? "What differs between the runs." : "As the run was started.",
    el("div", { class: "card" }, el("div", { class: "scroll keys" }, runs.length === 1
      ? table(["key", "value"], runs[0].config, [])
      : table(["key", ...runs.map((run) => run.name)], differences(), []))));
}

function differences() {
  const maps = runs.map((run) => new Map(run.config));
  const keys = [...new Set(maps.flatMap((map) => [...map.keys()]))];
  return keys.filter((key) => new Set(maps.map((map) => map.get(key))).size > 1).map((key) => [key, ...maps.map((map) => map.get(key) ?? "-")]);
}

function nav() {
  const links = new Map(places.map(([id, title]) => [id, el("a", { href: `#${id}` }, SHORT[id] || title)]));
  const seen = new Set();
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) seen[entry.isIntersecting ? "add" : "delete"](entry.target.id);
    const current = places.map(([id]) => id).find((id) => seen.has(id));
    for (const [id, link] of links) link.setAttribute("aria-current", String(id === current));
  }, { rootMargin: "-20% 0px -60% 0px" });
  places.forEach(([, , node]) => watch.observe(node));
  return el("nav", { class: "nav", "aria-label": "Sections" }, el("ul", {}, [...links.values()].map((link) => el("li", {}, link))));
}

function build() {
  const state = head();
  const sections = [
    ...chartSections(), commentSection(), alarmSection(), evaluationSection(), transferSection(), gallerySection(), allMetrics(), configSection(),
  ];
  replace(main, tiles(), nav(), ...sections);
  replace(document.getElementById("foot"), el("p", {}, data.live
    ? "Read only, on this machine only. Nothing that a model wrote is run; hidden characters are shown by name."
    : `Made ${data.made} from the run ${runs.length > 1 ? "folders" : "folder"} alone. This file loads nothing from the network, and nothing that a model wrote is run.`));
  return state;
}

const shape = (list) => JSON.stringify(list.map((run) => [Object.keys(run.metrics), Object.keys(run.curriculum), run.evaluations.length > 0, run.transfer.length > 0]));

async function follow(state) {
  let version = data.version;
  for (;;) {
    await new Promise((wake) => setTimeout(wake, document.hidden ? 10000 : 2000));
    try {
      const now = await ask(`api/run?known=${encodeURIComponent(version)}`);
      state.textContent = "live";
      state.classList.remove("lost");
      if (now.version === version) continue;
      version = now.version;
      const grown = shape(runs) !== shape(now.runs);
      runs = now.runs;
      if (grown) {
        // New kinds of numbers: the cards that are there may not be the ones that are needed.
        updates.length = places.length = 0;
        drawn.clear();
        state = build();
      } else {
        updates.forEach((update) => update());
        browsersMade.forEach((browser) => browser.refresh(true));
      }
    } catch {
      state.textContent = "the server does not answer";
      state.classList.add("lost");
    }
  }
}

const state = build();
if (data.live) follow(state);
