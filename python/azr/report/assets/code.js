// Python in colours: tokens by one expression, each a text node. Nothing is interpreted.

const TOKEN = /(#[^\n]*)|("""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)|\b(\d[\w.]*)\b|\b(and|as|assert|async|await|break|class|continue|def|del|elif|else|except|False|finally|for|from|global|if|import|in|is|lambda|None|nonlocal|not|or|pass|raise|return|True|try|while|with|yield)\b/g;
const TONES = ["code-note", "code-text", "code-number", "code-key"];
const COLOURED = 20000;

/** A program as a `pre`. */
function program(text) {
  const node = el("pre", { class: "long", dir: "ltr", tabindex: "0" });
  if (text.length > COLOURED) {
    node.append(text);
    return node;
  }
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    node.append(text.slice(end, match.index));
    const tone = TONES[[1, 2, 3, 4].findIndex((group) => match[group] !== undefined)];
    node.append(el("span", { class: tone }, match[0]));
    end = match.index + match[0].length;
  }
  node.append(text.slice(end));
  return node;
}

/** Any text as a `pre`. */
const plain = (text) => el("pre", { class: "long", dir: "ltr", tabindex: "0" }, text || "(empty)");
