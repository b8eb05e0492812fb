// Where lists and details come from: out of the file, or from the server that watches a run.

/** Programs in the file: their lines at once, their details in packed blocks. */
class Packed {
  constructor(gallery, number) {
    this.gallery = gallery;
    this.number = number;
    this.blocks = new Map();
    this.texts = null;
    const { lines } = gallery;
    this.lines = lines.key.map((key, at) => ({
      at, key, kind: lines.kind[at], step: lines.step[at], verdict: lines.verdict[at], rate: lines.rate[at],
      title: lines.title[at],
    }));
  }

  options() {
    return { kind: distinct(this.lines, "kind"), verdict: distinct(this.lines, "verdict") };
  }

  async find(wanted, offset, count) {
    const texts = wanted.text ? await this.search() : null;
    const text = (wanted.text || "").toLowerCase();
    const rated = wanted.low > 0 || wanted.high < 1;
    const found = this.lines.filter((line) =>
      (!wanted.kind || line.kind === wanted.kind) &&
      (!wanted.verdict || line.verdict === wanted.verdict) &&
      line.step >= wanted.first && line.step <= wanted.last &&
      (!rated || (line.rate !== null && line.rate >= wanted.low - 1e-6 && line.rate <= wanted.high + 1e-6)) &&
      (!texts || texts[line.at].includes(text)));
    if (wanted.newest) found.reverse();
    return { total: found.length, of: this.gallery.of, lines: found.slice(offset, offset + count) };
  }

  async detail(key) {
    const line = this.lines.find((one) => one.key === key);
    if (!line) return null;
    const block = await this.block(Math.floor(line.at / this.gallery.block));
    return block[line.at % this.gallery.block];
  }

  block(number) {
    if (!this.blocks.has(number)) this.blocks.set(number, unpack(`block-${this.number}-${number}`));
    return this.blocks.get(number);
  }

  async search() {
    if (this.texts) return this.texts;
    const texts = [];
    for (let number = 0; number * this.gallery.block < this.lines.length; number++) {
      for (const detail of await this.block(number)) texts.push(strings(detail).join("\n").toLowerCase());
    }
    this.texts = texts;
    return texts;
  }
}

/** The same questions, asked of the server. `path`: programs or completions. */
class Served {
  constructor(path) {
    this.path = path;
    this.known = { kind: [], verdict: [], purpose: [] };
  }

  options() {
    return this.known;
  }

  async find(wanted, offset, count) {
    const query = new URLSearchParams({ offset, count });
    for (const [name, value] of Object.entries(wanted)) if (value !== "" && value !== null) query.set(name, String(value));
    return ask(`api/${this.path}?${query}`);
  }

  async detail(key) {
    return ask(`api/${this.path}/${key}`);
  }
}

async function ask(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(`the server answers ${answer.status} to ${path}`);
  return answer.json();
}

async function unpack(id) {
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

const distinct = (lines, name) => [...new Set(lines.map((line) => line[name]))].sort();

function strings(value) {
  if (typeof value === "string") return [value];
  if (value && typeof value === "object") return Object.values(value).flatMap(strings);
  return [];
}
