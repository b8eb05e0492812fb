//! Source text from bytes: half of it Python's own words in no good order, so that much of it parses.

/// Pieces of programs. Texts that the sandbox has special code for are well represented.
const WORDS: &[&str] = &[
    "def f(x):\n    ", "return ", "x", "y", " = ", "(", ")", "[", "]", "{", "}", ":", ", ", "\n", "\n    ", "\n        ",
    "for i in ", "if ", "else:", "while ", "lambda x: ", "import random", "import math\n", "from collections import *\n",
    "*", "**", "+", "-", "~", "not ", "1", "0", "10**9", "2.5", "1j", "'a'", "b'\\xff'", "f'{x!r:>{y}}'", "\"\"\"",
    "'", "#", "\\", "range(9)", "set(x)", "{*x}", "[*x]", "f(x)", ".pop()", ".join(", "max(", "sorted(", "yield ",
    "await ", "async ", "class A:\n    ", "try:\n    ", "except BaseException:\n    ", "finally:\n    ", "raise ",
    "assert ", "del ", "global x\n", "with x as y:\n    ", "match x:\n    case ", " := ", "@", "...", "None", "True",
    "is ", "in ", "and ", "or ", "__import__('os')", "open('a')", "exec(", "eval(", "print(", "len(", "\u{e9}", "\u{202e}",
    "\t", "\r", "\x0c", "0x", "1_0", "e5", ";", "->", "type X = ", "nonlocal x\n", "__azr_unpacked__", "\u{1F600}",
];

/// The text that `bytes` stand for.
pub fn soup(bytes: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes {
        match WORDS.get(usize::from(byte)) {
            Some(word) => text.push_str(word),
            None => text.push(char::from(byte)),
        }
    }
    text
}
