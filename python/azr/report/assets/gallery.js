// A list with filters on one side, what is chosen from it on the other.

const PAGE = 50;
const EVERYTHING = { kind: "", verdict: "", purpose: "", text: "", first: 0, last: 2147483647, low: 0, high: 1, newest: false, flagged: false };
let browsers = 0;

class Browser {
  /** `source`: see source.js. `show(detail)`: nodes. `fields`: names of the filters. */
  constructor(source, show, fields, newest = false) {
    Object.assign(this, { source, show, fields, wanted: { ...EVERYTHING, newest }, offset: 0, chosen: null, turn: 0 });
    this.id = `browser-${browsers++}`;
    this.list = el("ul", {
      role: "listbox", tabindex: "0", "aria-label": "Results", on: { keydown: (event) => this.key(event) },
    });
    this.count = el("span", { role: "status" });
    this.back = el("button", { class: "button", type: "button", on: { click: () => this.turnTo(this.offset - PAGE) } }, "Back");
    this.more = el("button", { class: "button", type: "button", on: { click: () => this.turnTo(this.offset + PAGE) } }, "More");
    this.detail = el("div", { class: "detail", tabindex: "0", "aria-label": "Details", role: "region" });
    this.filters = el("form", { class: "filters", on: { submit: (event) => event.preventDefault() } });
    this.node = el("div", {},
      this.filters,
      el("div", { class: "browser card" },
        el("div", { class: "list" }, this.list, el("div", { class: "pager" }, this.back, this.count, this.more)),
        this.detail));
    this.controls();
    this.refresh();
  }

  controls() {
    const options = this.source.options();
    const select = (name, label) => el("label", {}, label,
      el("select", { class: "field", name, on: { change: (event) => this.set({ [name]: event.target.value }) } },
        el("option", { value: "" }, "all"),
        (options[name] || []).map((value) =>
          el("option", { value, selected: this.wanted[name] === value }, value.replaceAll("_", " ")))));
    const bound = (name, label, given) => el("input", {
      class: "field", type: "number", name, "aria-label": label, ...given,
      on: { input: settled((event) => this.set({ [name]: event.target.value === "" ? EVERYTHING[name] : Number(event.target.value) })) },
    });
    const parts = {
      kind: () => select("kind", "Kind"),
      purpose: () => select("purpose", "Purpose"),
      verdict: () => select("verdict", "Verdict"),
      step: () => el("label", {}, "Steps", el("span", { class: "pair" },
        bound("first", "First step", { min: 0, placeholder: "first" }), "to", bound("last", "Last step", { min: 0, placeholder: "last" }))),
      rate: () => el("label", {}, "Solve rate", el("span", { class: "pair" },
        bound("low", "Least solve rate", { min: 0, max: 1, step: 0.05, placeholder: "0" }), "to",
        bound("high", "Greatest solve rate", { min: 0, max: 1, step: 0.05, placeholder: "1" }))),
      flagged: () => el("label", {}, "Flagged", el("select", { class: "field", on: { change: (event) => this.set({ flagged: event.target.value === "1" }) } },
        el("option", { value: "" }, "all"), el("option", { value: "1" }, "only flagged"))),
      text: () => el("label", {}, "Search", el("input", {
        class: "field", type: "search", name: "text", maxlength: 200, placeholder: "in programs and answers",
        on: { input: settled((event) => this.set({ text: event.target.value })) },
      })),
      order: () => el("label", {}, "Order", el("select", { class: "field", on: { change: (event) => this.set({ newest: event.target.value === "1" }) } },
        el("option", { value: "" }, "oldest first"), el("option", { value: "1", selected: this.wanted.newest }, "newest first"))),
    };
    replace(this.filters, this.fields.map((name) => parts[name]()));
  }

  set(change) {
    Object.assign(this.wanted, change);
    this.offset = 0;
    this.refresh();
  }

  turnTo(offset) {
    this.offset = Math.max(0, offset);
    this.refresh();
    this.list.scrollTop = 0;
  }

  /** Ask again; only the answer to the last question counts. */
  async refresh(quiet = false) {
    const turn = ++this.turn;
    if (!quiet) this.count.textContent = "looking...";
    let found;
    try {
      found = await this.source.find(this.wanted, this.offset, PAGE);
    } catch (error) {
      if (turn === this.turn) this.count.textContent = error.message;
      return;
    }
    if (turn !== this.turn) return;
    if (found.options && JSON.stringify(found.options) !== JSON.stringify(this.source.known)) {
      this.source.known = found.options;
      this.controls();
    }
    this.lines = found.lines;
    replace(this.list, found.lines.map((line) => this.item(line)));
    if (!found.lines.length) this.list.append(el("li", { role: "presentation" }, el("span", { class: "empty" }, found.reading ? "the run is still being read" : "nothing fits")));
    const last = Math.min(this.offset + PAGE, this.offset + found.lines.length);
    const range = found.lines.length ? `${whole(this.offset + 1)}-${whole(last)} of ` : "";
    const more = found.of > found.total ? `, of ${whole(found.of)} in the run` : "";
    this.count.textContent = `${range}${whole(found.total)}${found.open ? "+" : ""}${more}`;
    this.back.disabled = this.offset === 0;
    this.more.disabled = last >= found.total && !found.open;
    if (this.chosen === null && found.lines.length) this.choose(found.lines[0].key, false);
    else this.mark();
  }

  item(line) {
    const about = [
      el("span", { class: `dotted ${kindTone(line.kind)}` }, el("span", {}, line.kind)),
      el("span", {}, line.step === 0 ? "seed" : `step ${whole(line.step)}`),
      line.purpose && line.purpose !== "proposal" ? el("span", {}, line.purpose) : null,
      verdict(line.verdict),
    ];
    const rate = line.rate === null || line.rate === undefined ? el("span") : el("span", { class: "rate", title: "solve rate" }, bar(line.rate), format(line.rate, "share"));
    return el("li", { role: "option", id: `${this.id}-${line.key}`, "aria-selected": "false", on: { click: () => this.choose(line.key) } },
      el("span", { class: "title" }, line.title), el("span", { class: "about" }, about), rate);
  }

  async choose(key, moved = true) {
    this.chosen = key;
    this.mark();
    // Until it is there, what is shown is of another item, or nothing.
    this.detail.setAttribute("aria-busy", "true");
    let detail;
    try {
      detail = await this.source.detail(key);
    } catch (error) {
      detail = null;
      replace(this.detail, el("p", { class: "empty" }, error.message));
    }
    if (this.chosen !== key) return;
    this.detail.setAttribute("aria-busy", "false");
    if (!detail) return;
    replace(this.detail, this.show(detail));
    this.detail.scrollTop = 0;
    if (moved && window.matchMedia("(max-width: 860px)").matches) this.detail.scrollIntoView({ block: "start" });
  }

  mark() {
    for (const item of this.list.children) item.setAttribute("aria-selected", String(item.id === `${this.id}-${this.chosen}`));
    const item = document.getElementById(`${this.id}-${this.chosen}`);
    if (item) this.list.setAttribute("aria-activedescendant", item.id);
    else this.list.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const at = this.lines.findIndex((line) => line.key === this.chosen);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: this.lines.length - 1 }[event.key];
    if (to === undefined || !this.lines[to]) return;
    event.preventDefault();
    this.choose(this.lines[to].key, false);
    document.getElementById(`${this.id}-${this.lines[to].key}`).scrollIntoView({ block: "nearest" });
  }
}

const GOOD = new Set(["accepted", "valid", "correct", "seed"]);

const verdict = (text) =>
  el("span", { class: `badge ${GOOD.has(text) ? "good" : text === "wrong" ? "bad" : ""}` }, text.replaceAll("_", " "));

function bar(share) {
  return svg("svg", { viewBox: "0 0 44 6", "aria-hidden": "true", class: "ink" },
    svg("rect", { width: 44, height: 6, fill: "currentColor", opacity: 0.12 }),
    svg("rect", { width: 44 * share, height: 6, fill: "currentColor", opacity: 0.6 }));
}

/** A program with what became of it. */
function showProgram(entry) {
  const title = entry.key >= 0 ? `Task ${entry.key}` : "Refused proposal";
  const facts = [
    el("span", { class: `dotted ${kindTone(entry.kind)}` }, el("span", {}, entry.kind)),
    el("span", {}, entry.step === 0 ? "seed" : `made in step ${whole(entry.step)}`),
    entry.served ? el("span", {}, `served ${whole(entry.served)} times`) : null,
    entry.references?.length ? el("span", {}, `after tasks ${entry.references.join(", ")}`) : null,
    entry.parents?.length ? el("span", {}, `calls tasks ${entry.parents.join(", ")}`) : null,
    entry.quarantined ? el("span", { class: "badge flag" }, "held back") : null,
    entry.excluded ? el("span", { class: "badge flag" }, "excluded") : null,
  ];
  const parts = [el("h3", {}, title), el("div", { class: "meta" }, facts)];
  if (entry.refused) {
    parts.push(el("h4", {}, "Why"), el("div", { class: "meta" }, verdict(entry.refused.verdict), el("span", { class: "text" }, entry.refused.detail)));
  }
  if (entry.program) parts.push(el("h4", {}, "Program"), program(entry.program));
  if (entry.message) parts.push(el("h4", {}, "Message"), plain(entry.message));
  (entry.inputs || []).forEach((input, at) => {
    const number = entry.inputs.length > 1 ? ` ${at + 1}` : "";
    parts.push(el("h4", {}, `Input${number}`), plain(input));
    if (entry.outputs[at] !== undefined) parts.push(el("h4", {}, `Output${number}`), plain(entry.outputs[at]));
  });
  if (entry.history?.length) parts.push(el("h4", {}, "Solve rate by step"), history(entry.history));
  if (entry.proposal) parts.push(el("h4", {}, "How it was proposed"), episode(entry.proposal));
  if (entry.refused) parts.push(el("h4", {}, "What the model wrote"), plain(entry.refused.completion), numbers(entry.refused));
  if (entry.attempts) {
    const more = entry.traced > entry.attempts.length ? `, ${entry.attempts.length} of ${whole(entry.traced)}` : "";
    parts.push(el("h4", {}, `Attempts${more}`), entry.attempts.length ? entry.attempts.map(episode) : el("p", { class: "empty" }, "none in the trace"));
  }
  return parts;
}

/** One completion, folded up. */
function episode(one) {
  return el("details", { class: "attempt" },
    el("summary", {}, verdict(one.verdict), el("span", {}, `step ${whole(one.step)}`),
      one.purpose ? el("span", {}, one.purpose) : null,
      one.tokens !== undefined ? el("span", {}, `${whole(one.tokens)} tokens`) : null,
      one.finished ? null : el("span", { class: "badge bad" }, "cut at the limit"),
      one.flags.map((flag) => el("span", { class: "badge flag" }, flag)),
      one.answer ? el("code", {}, one.answer.slice(0, 200)) : null),
    el("div", { class: "inside" }, plain(one.completion), numbers(one)));
}

/** A completion of the trace with its prompt. */
function showCompletion(one) {
  return [
    el("h3", {}, `Row ${whole(one.row)} of the trace`),
    el("div", { class: "meta" }, el("span", { class: `dotted ${kindTone(one.kind)}` }, el("span", {}, `${one.role} ${one.kind}`)),
      el("span", {}, `step ${whole(one.step)}`), one.task !== undefined ? el("span", {}, `task ${one.task}`) : null, verdict(one.verdict),
      one.finished ? null : el("span", { class: "badge bad" }, "cut at the limit"),
      one.flags.map((flag) => el("span", { class: "badge flag" }, flag)), el("span", { class: "text" }, one.detail)),
    numbers(one),
    el("h4", {}, "What the model wrote"), plain(one.completion),
    one.answer ? [el("h4", {}, "What was read from it"), plain(one.answer)] : null,
    el("h4", {}, "What it was asked"), plain(one.prompt),
  ];
}

/** Rewards and other numbers of a completion. */
function numbers(one) {
  const named = ["reward", "advantage", "score", "solve_rate", "fuel", "duplicate_of"].filter((name) => one[name] !== undefined && one[name] !== null);
  const all = [...named.map((name) => [name.replaceAll("_", " "), one[name]]), ...one.parts];
  return el("div", { class: "meta" }, all.map(([name, value]) => el("span", {}, `${name} ${value === null ? "-" : compact(value)}`)));
}

function history(rows) {
  return el("div", { class: "meta" }, rows.map(([step, successes, attempts]) => el("span", {}, `${whole(step)}: ${successes}/${attempts}`)));
}
