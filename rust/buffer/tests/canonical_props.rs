//! Random programs: one canonical form however they are named and laid out, its own canonical form, and another one as
//! soon as anything that runs differs.

use azr_buffer::{Canonical, Mode, canonicalize};
use proptest::prelude::*;

/// A line of a program. `$0`..`$5` are variables, `$6` a function of the line's own, `@` a literal, `%` an operator.
const LINES: [&str; 16] = [
    "$0 = $1 % @",
    "$0, $1 = $1, $0 % @",
    "$0 += @",
    "for $2 in range(@):\n    $0 = $0 % $2",
    "$0 = [$3 % @ for $3 in range(@) if $3 % $1]",
    "$0 = {$3: $4 for $3, $4 in enumerate([@, $1])}",
    "if $0 == @:\n    $1 = $0\nelif $1:\n    $0 = @\nelse:\n    $1 = @",
    "$0 = (lambda $3, $4=@: $3 % $4)($1)",
    "def $6($3, *, $4=@):\n    return $3 % $4\n$0 = $6($1, $4=$2)",
    "def $6():\n    nonlocal $0\n    $0 = @\n    return $0\n$1 = $6()",
    "while $0:\n    $0 = @\n    if $1:\n        break\nelse:\n    $2 = @",
    "try:\n    $0 = $1[@]\nexcept (TypeError, IndexError):\n    $0 = @\nfinally:\n    $2 = $0",
    "$0 = f'{$1}-{@:>3}' if $2 else 'x{@}'",
    "match $0:\n    case [@, *$3] if $3:\n        $1 = $3\n    case _:\n        $1 = @",
    "$0 = sorted([$1, @], key=lambda $3: $3 % @)",
    "$0 = ($3 := @) % $1",
];
const OPERATORS: [&str; 6] = ["+", "-", "*", "//", "|", "<"];

#[derive(Debug, Clone)]
struct Line {
    template: usize,
    variables: [usize; 6],
    literals: Vec<u32>,
    operators: Vec<usize>,
}

fn line() -> impl Strategy<Value = Line> {
    let literals = prop::collection::vec(0..50_u32, 4);
    let operators = prop::collection::vec(0..OPERATORS.len(), 4);
    let variables = Just([0, 1, 2, 3, 4, 5]).prop_shuffle();
    (0..LINES.len(), variables, literals, operators).prop_map(|(template, variables, literals, operators)| Line {
        template,
        variables,
        literals,
        operators,
    })
}

/// How a program is written down.
#[derive(Debug, Clone)]
struct Style {
    names: Vec<String>,
    function: bool,
    indent: usize,
    comments: bool,
    docstring: bool,
    blank: bool,
    spaces: bool,
    annotated: bool,
}

fn style() -> impl Strategy<Value = Style> {
    let names = prop::sample::subsequence(
        vec!["a", "b", "value", "result", "xs", "item", "total", "count", "acc", "key", "node", "data", "tmp", "q"],
        7,
    );
    let flags = prop::array::uniform6(any::<bool>());
    (names.prop_shuffle(), 1..9_usize, flags).prop_map(|(names, indent, flags)| Style {
        names: names.into_iter().map(str::to_owned).collect(),
        function: flags[0],
        indent,
        comments: flags[1],
        docstring: flags[2],
        blank: flags[3],
        spaces: flags[4],
        annotated: flags[5],
    })
}

fn fill(line: &Line, index: usize, names: &[String]) -> String {
    let (mut literals, mut operators) = (line.literals.iter().cycle(), line.operators.iter().cycle());
    let mut out = String::new();
    let mut chars = LINES[line.template].chars();
    while let Some(char) = chars.next() {
        match char {
            '$' => {
                let slot = chars.next().and_then(|digit| digit.to_digit(10)).expect("a template names a variable");
                match line.variables.get(usize::try_from(slot).expect("small")) {
                    Some(variable) => out.push_str(&names[*variable]),
                    None => out += &format!("{}{index}", names[6]),
                }
            }
            '@' => out.push_str(&literals.next().expect("they repeat").to_string()),
            '%' => out.push_str(OPERATORS[*operators.next().expect("they repeat")]),
            other => out.push(other),
        }
    }
    out
}

fn render(lines: &[Line], style: &Style) -> String {
    let pad = |depth: usize| " ".repeat(style.indent * depth);
    let names = &style.names;
    let parameter = if style.annotated { format!("{}: list[int]", names[0]) } else { names[0].clone() };
    let mut out = String::from("import math\n");
    out += &format!("def {}({parameter}):\n", if style.function { "f" } else { "solve" });
    if style.docstring {
        out += &format!("{}'''What it does.'''\n", pad(1));
    }
    out += &format!(
        "{}{}\n",
        pad(1),
        names[1..6].iter().map(|name| format!("{name} = {}", names[0])).collect::<Vec<_>>().join("; ")
    );
    for (index, line) in lines.iter().enumerate() {
        for text in fill(line, index, names).lines() {
            let depth = (text.len() - text.trim_start().len()) / 4;
            let mut code = text.trim_start().to_owned();
            if style.spaces {
                code = code.replace(", ", " ,  ").replace(" = ", "   =  ");
            }
            out += &format!("{}{code}{}\n", pad(depth + 1), if style.comments { "  # note" } else { "" });
            if style.blank {
                out += "\n";
            }
        }
    }
    out + &format!("{}return ({}, {})\n", pad(1), names[0], names[1])
}

fn form(source: &str) -> Canonical {
    canonicalize(source, &["[1, 2, 3]"], None).unwrap_or_else(|error| panic!("{error}\n{source}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn names_layout_and_comments_do_not_matter(
        lines in prop::collection::vec(line(), 1..8), one in style(), two in style(),
    ) {
        let (a, b) = (render(&lines, &one), render(&lines, &two));
        prop_assert_eq!(form(&a), form(&b), "\n{}\n{}", a, b);
        prop_assert_eq!(form(&a).mode, Mode::Rename);
    }

    #[test]
    fn a_canonical_form_is_its_own(lines in prop::collection::vec(line(), 1..8), style in style()) {
        let once = form(&render(&lines, &style));
        let again = canonicalize(&once.program, &once.inputs, None).expect("a canonical form parses");
        prop_assert_eq!((again.program, again.inputs), (once.program, once.inputs));
    }

    #[test]
    fn a_literal_or_an_operator_that_differs_is_seen(
        lines in prop::collection::vec(line(), 1..8), style in style(), which in any::<prop::sample::Index>(), literal in any::<bool>(),
    ) {
        let mut other = lines.clone();
        let line = &mut other[which.index(lines.len())];
        if literal {
            line.literals.iter_mut().for_each(|literal| *literal += 1);
        } else {
            line.operators.iter_mut().for_each(|operator| *operator = (*operator + 1) % OPERATORS.len());
        }
        let (a, b) = (render(&lines, &style), render(&other, &style));
        // A template may lack what was changed.
        prop_assume!(a != b);
        prop_assert_ne!(form(&a), form(&b), "\n{}", a);
    }

    #[test]
    fn two_variables_are_not_taken_for_one(lines in prop::collection::vec(line(), 1..8), style in style()) {
        let merged = Style { names: [&style.names[..1], &style.names[..1], &style.names[2..]].concat(), ..style.clone() };
        let (a, b) = (render(&lines, &style), render(&lines, &merged));
        // Where one name stands for both, Python itself may refuse the program.
        if let Ok(other) = canonicalize(&b, &["[1, 2, 3]"], None) {
            prop_assert_ne!(form(&a), other);
        }
    }

    /// Any text at all: an answer or a typed error, never a panic.
    #[test]
    fn any_text_is_answered(text in "\\PC{0,60}", input in "\\PC{0,20}") {
        if let Ok(form) = canonicalize(&text, &[&input], None) {
            let again = canonicalize(&form.program, &form.inputs, None).expect("a canonical form parses");
            prop_assert_eq!(again.program, form.program);
        }
    }
}
