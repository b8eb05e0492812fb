// Building the page. Texts only ever enter it as text nodes; there is no innerHTML here or elsewhere.

const SVG = "http://www.w3.org/2000/svg";

/** An element. `options`: attributes; `on` has listeners. Children: nodes or texts; null and false are left out. */
function el(name, options = {}, ...children) {
  return fill(document.createElement(name), options, children);
}

/** As `el`, of a picture. */
function svg(name, options = {}, ...children) {
  return fill(document.createElementNS(SVG, name), options, children);
}

function fill(node, options, children) {
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "on") {
      for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    } else {
      node.setAttribute(key, value === true ? "" : String(value));
    }
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child);
  }
  return node;
}

const replace = (node, ...children) => {
  node.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
};

// Numbers as people read them.

const FORMATS = {
  share: (v) => `${trim(v * 100, 1)}%`,
  tokens: (v) => compact(v),
  seconds: (v) => (v >= 120 ? `${trim(v / 60, 1)} min` : v >= 1 ? `${trim(v, 1)} s` : `${trim(v * 1000, 0)} ms`),
  bytes: (v) => (v >= 1e9 ? `${trim(v / 1e9, 1)} GB` : v >= 1e6 ? `${trim(v / 1e6, 0)} MB` : `${compact(v)} B`),
  signed: (v) => trim(v, 3),
  number: (v) => compact(v),
};

const format = (value, unit) =>
  value === null || value === undefined ? "-" : (FORMATS[unit] || FORMATS.number)(value);

function trim(value, digits) {
  return String(Number(value.toFixed(digits)));
}

function compact(value) {
  const size = Math.abs(value);
  if (size >= 1e9) return `${trim(value / 1e9, 2)}G`;
  if (size >= 1e6) return `${trim(value / 1e6, 2)}M`;
  if (size >= 1e4) return `${trim(value / 1e3, 1)}k`;
  if (size >= 100 || Number.isInteger(value)) return trim(value, 0);
  if (size >= 1) return trim(value, 2);
  return size === 0 ? "0" : String(Number(value.toPrecision(3)));
}

const whole = (value) => value.toLocaleString("en-US");

/** Calls once things have been quiet for a moment. */
function settled(work, wait = 180) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), wait);
  };
}
