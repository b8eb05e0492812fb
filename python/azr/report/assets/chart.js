// Charts: lines, bands and stacks over steps, drawn to the width they have.

const settings = { smoothing: 0, marks: true };
const drawn = new Set();
// What nobody has scrolled to is not drawn yet; paper has no scrolling.
window.addEventListener("beforeprint", () => drawn.forEach((plot) => {
  plot.seen = true;
  plot.draw();
}));

/**
 * One plot. `about`: {label, unit, top, log, kind, series: [{label, tone, dash, x, y, low, high}], marks: [step]}.
 * Stacks hold the series from the bottom up.
 */
class Plot {
  constructor(about) {
    this.about = about;
    this.hidden = new Set();
    this.at = null;
    this.node = el("div", { class: "plot" });
    this.tip = el("div", { class: "tip hidden", role: "status" });
    this.node.append(this.tip);
    this.seen = false;
    const near = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      near.disconnect();
      this.seen = true;
      this.draw();
    }, { rootMargin: "300px" });
    near.observe(this.node);
    new ResizeObserver(() => this.seen && this.node.clientWidth !== this.width && this.draw()).observe(this.node);
    drawn.add(this);
  }

  update(about) {
    this.about = about;
    if (this.seen) this.draw();
  }

  shown() {
    return this.about.series.filter((series) => !this.hidden.has(series.label));
  }

  draw() {
    this.width = this.node.clientWidth;
    const height = this.node.clientHeight;
    if (!this.width || !height) return;
    const series = this.shown();
    const scale = this.scales(series, this.width, height);
    const focused = this.svg && this.svg === document.activeElement;
    if (this.svg) this.svg.remove();
    if (!scale) {
      this.svg = el("div", { class: "empty" }, "nothing yet");
      this.node.prepend(this.svg);
      return;
    }
    const picture = svg("svg", {
      role: "img", tabindex: "0", "aria-label": this.words(series),
      on: {
        pointermove: (event) => this.point(event), pointerleave: () => this.leave(), blur: () => this.leave(),
        keydown: (event) => this.key(event),
      },
    });
    this.axes(picture, scale, height);
    if (this.about.kind === "stack") this.stack(picture, series, scale);
    else this.lines(picture, series, scale);
    if (settings.marks) {
      for (const step of this.about.marks || []) {
        if (step < scale.x0 || step > scale.x1) continue;
        const x = scale.x(step);
        picture.append(
          svg("line", { class: "alarm-mark", x1: x, x2: x, y1: scale.top, y2: scale.bottom }),
          svg("line", { class: "alarm-tick", x1: x, x2: x, y1: scale.top - 6, y2: scale.top }),
        );
      }
    }
    this.over = svg("g");
    picture.append(this.over);
    this.scale = scale;
    this.svg = picture;
    this.node.prepend(picture);
    if (focused) picture.focus({ preventScroll: true });
    if (this.at !== null) this.show(this.at);
  }

  scales(series, width, height) {
    const xs = series.flatMap((one) => [one.x[0], one.x[one.x.length - 1]]).filter((x) => x !== undefined);
    const [low, high] = this.about.kind === "stack" ? sums(series) : extent(series);
    if (!xs.length || low === null) return null;
    const log = this.about.log && low > 0 && high / low > 30;
    let y0 = low, y1 = high;
    if (!log) {
      if (this.about.unit !== "signed" && low >= 0) y0 = 0;
      if (this.about.top !== null && this.about.top !== undefined && high <= this.about.top) y1 = this.about.top;
      if (y1 === y0) y1 = y0 + (y0 === 0 ? 1 : Math.abs(y0));
    }
    const marks = log ? decades(y0, y1) : ticks(y0, y1, 4);
    if (!log) [y0, y1] = [Math.min(y0, marks[0]), Math.max(y1, marks[marks.length - 1])];
    const labels = marks.map((mark) => format(mark, this.about.unit));
    const left = 10 + 6.6 * Math.max(...labels.map((label) => label.length));
    const [top, bottom, right] = [8, height - 20, width - 8];
    const x0 = Math.min(...xs), x1 = Math.max(...xs, x0 + 1);
    const bend = log ? Math.log : (value) => value;
    const span = bend(y1) - bend(y0) || 1;
    return {
      x0, x1, left, right, top, bottom, marks, labels,
      x: (step) => left + ((step - x0) / (x1 - x0)) * (right - left),
      y: (value) => bottom - ((bend(Math.max(value, log ? y0 : -Infinity)) - bend(y0)) / span) * (bottom - top),
      step: (x) => x0 + ((x - left) / (right - left)) * (x1 - x0),
    };
  }

  axes(picture, scale, height) {
    scale.marks.forEach((mark, index) => {
      const y = scale.y(mark);
      picture.append(
        svg("line", { class: "grid", x1: scale.left, x2: scale.right, y1: y, y2: y }),
        svg("text", { class: "tick", x: scale.left - 7, y: y + 3.5, "text-anchor": "end" }, scale.labels[index]),
      );
    });
    const count = Math.max(2, Math.min(6, Math.floor((scale.right - scale.left) / 70)));
    for (const step of ticks(scale.x0, scale.x1, count).filter((s) => s >= scale.x0 && s <= scale.x1)) {
      const x = scale.x(step);
      const anchor = x > scale.right - 14 ? "end" : "middle";
      picture.append(svg("text", { class: "tick", x, y: height - 4, "text-anchor": anchor }, compact(step)));
    }
  }

  lines(picture, series, scale) {
    for (const one of series) {
      const group = svg("g", { class: one.tone });
      if (one.low) {
        const band = area(one.x, one.low, one.high, scale);
        if (band) group.append(svg("path", { class: "band", d: band, fill: "currentColor" }));
      }
      const points = one.y.filter((value) => value !== null).length;
      const smooth = settings.smoothing > 0 && points > 30 && !one.low && !this.about.bins;
      if (smooth) group.append(svg("path", { class: "raw", d: line(one.x, one.y, scale), stroke: "currentColor" }));
      const y = smooth ? smoothed(one.y, settings.smoothing) : one.y;
      group.append(
        svg("path", { class: "curve", d: line(one.x, y, scale), stroke: "currentColor", "stroke-dasharray": one.dash }),
      );
      if (points > 0 && points <= 30 && !one.low) {
        one.x.forEach((step, index) => {
          if (one.y[index] === null) return;
          group.append(svg("circle", { r: 2.6, fill: "currentColor", cx: scale.x(step), cy: scale.y(one.y[index]) }));
        });
      }
      picture.append(group);
    }
  }

  stack(picture, series, scale) {
    const base = new Map();
    const there = measured(series);
    const weight = this.about.bins || there.size <= 30 ? 0 : settings.smoothing;
    for (const one of series) {
      // Where no layer has a number there is nothing to draw; where some have, the others are zero.
      const values = smoothed(one.x.map((step, index) => (there.has(step) ? one.y[index] || 0 : null)), weight);
      const low = values.map((value, index) => (value === null ? null : base.get(one.x[index]) || 0));
      const high = values.map((value, index) => (value === null ? null : low[index] + value));
      one.x.forEach((step, index) => base.set(step, high[index]));
      const path = area(one.x, low, high, scale);
      if (path) picture.append(svg("path", { class: `${one.x.length > 150 ? "" : "stack"} ${one.tone}`, d: path, fill: "currentColor" }));
    }
  }

  words(series) {
    const ends = series.map((one) => {
      const last = [...one.y].reverse().find((value) => value !== null);
      return `${one.label}: last ${format(last, this.about.unit)}`;
    });
    return `${this.about.label}. ${ends.join("; ")}. Arrow keys read values.`;
  }

  steps() {
    return [...measured(this.shown())].sort((a, b) => a - b);
  }

  point(event) {
    const box = this.svg.getBoundingClientRect();
    this.show(nearest(this.steps(), this.scale.step(event.clientX - box.left)));
  }

  key(event) {
    const steps = this.steps();
    const now = this.at === null ? steps.length - 1 : steps.indexOf(this.at);
    const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: steps.length - 1 }[event.key];
    if (event.key === "Escape") this.leave();
    if (to === undefined) return;
    event.preventDefault();
    this.show(steps[Math.max(0, Math.min(steps.length - 1, to))]);
  }

  show(step) {
    if (step === undefined) return;
    this.at = step;
    const x = this.scale.x(step);
    const parts = [svg("line", { class: "cross", x1: x, x2: x, y1: this.scale.top, y2: this.scale.bottom })];
    const rows = [];
    for (const one of this.shown()) {
      const value = one.y[one.x.indexOf(step)];
      if (value === undefined || value === null) continue;
      rows.push(el("div", {}, el("span", {}, one.label), el("span", {}, format(value, this.about.unit))));
      if (this.about.kind !== "stack") {
        parts.push(
          svg("circle", { class: `dot ${one.tone}`, fill: "currentColor", r: 3.5, cx: x, cy: this.scale.y(value) }),
        );
      }
    }
    this.over.replaceChildren(...parts);
    const first = this.about.bins ? `around step ${compact(step)}` : `step ${compact(step)}`;
    replace(this.tip, el("b", {}, first), ...rows.reverse());
    this.tip.classList.remove("hidden");
    const wide = this.tip.offsetWidth;
    this.tip.style.left = `${Math.max(0, Math.min(this.width - wide, x > this.width / 2 ? x - wide - 10 : x + 10))}px`;
    this.tip.style.top = "4px";
  }

  leave() {
    this.at = null;
    this.over.replaceChildren();
    this.tip.classList.add("hidden");
  }
}

const redraw = () => drawn.forEach((plot) => plot.seen && plot.draw());

function extent(series) {
  let low = Infinity, high = -Infinity;
  for (const one of series) {
    for (const values of [one.y, one.low || [], one.high || []]) {
      for (const value of values) {
        if (value === null) continue;
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
  }
  return low === Infinity ? [null, null] : [low, high];
}

/** Steps at which any layer has a number. */
const measured = (series) => new Set(series.flatMap((one) => one.x.filter((_, index) => one.y[index] !== null)));

function sums(series) {
  const all = new Map();
  for (const one of series) one.x.forEach((step, i) => all.set(step, (all.get(step) || 0) + (one.y[i] || 0)));
  const highest = Math.max(...all.values());
  return all.size ? [0, Math.abs(highest - 1) < 1e-3 ? 1 : highest] : [null, null];
}

function ticks(low, high, count) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
  const found = [];
  for (let i = Math.floor(low / step + 1e-9); i <= Math.ceil(high / step - 1e-9); i++) found.push(Number((i * step).toPrecision(12)));
  return found;
}

function decades(low, high) {
  const found = [];
  for (let p = Math.ceil(Math.log10(low)); p <= Math.floor(Math.log10(high)); p++) found.push(10 ** p);
  const every = Math.ceil(found.length / 5) || 1;
  return found.filter((_, index) => index % every === 0);
}

function line(xs, ys, scale) {
  let path = "", open = false;
  for (let i = 0; i < xs.length; i++) {
    if (ys[i] === null) {
      // Numbers that only some steps have, such as those of a probe, are joined.
      continue;
    }
    path += `${open ? "L" : "M"}${scale.x(xs[i]).toFixed(1)} ${scale.y(ys[i]).toFixed(1)}`;
    open = true;
  }
  return path;
}

function area(xs, low, high, scale) {
  const there = xs.map((_, i) => i).filter((i) => low[i] !== null && high[i] !== null);
  if (there.length === 0) return "";
  const up = there.map((i) => `${scale.x(xs[i]).toFixed(1)} ${scale.y(high[i]).toFixed(1)}`);
  const down = there.map((i) => `${scale.x(xs[i]).toFixed(1)} ${scale.y(low[i]).toFixed(1)}`).reverse();
  return `M${up.join("L")}L${down.join("L")}Z`;
}

/** Exponential mean, without the bias of its beginning. */
function smoothed(values, weight) {
  let mean = 0, total = 0;
  return values.map((value) => {
    if (value === null) return null;
    mean = weight * mean + (1 - weight) * value;
    total = weight * total + (1 - weight);
    return mean / total;
  });
}

function nearest(sorted, value) {
  let best = sorted[0];
  for (const one of sorted) if (Math.abs(one - value) < Math.abs(best - value)) best = one;
  return best;
}
