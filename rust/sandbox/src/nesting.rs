//! How deep a source text is nested, without parsing it: parsers recurse, and this comes first.

/// Where nesting passes the limit: the line, from 1, and what is too deep.
///
/// One pass, whatever the text: f-strings (and t-strings) are followed into their fields, which are code and may hold
/// strings of the same quotes.
pub(crate) fn too_deep(source: &str, limit: u32) -> Option<(u32, &'static str)> {
    let bytes = source.as_bytes();
    let limit = limit as usize;
    let (mut at, mut line, mut depth) = (0, 1_u32, 0_usize);
    let mut indents = vec![0_usize];
    let mut line_start = true;
    let mut open: Vec<Open> = Vec::new();
    while at < bytes.len() {
        if line_start && depth == 0 && open.is_empty() {
            line_start = false;
            let width = bytes[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            at += width;
            // Blank lines and comments have no indentation.
            if !matches!(bytes.get(at), None | Some(b'\n' | b'\r' | b'#')) {
                while indents.last().is_some_and(|&last| last > width) {
                    indents.pop();
                }
                if indents.last() != Some(&width) {
                    indents.push(width);
                }
                if indents.len() > limit + 1 {
                    return Some((line, "too many levels of indentation"));
                }
            }
            continue;
        }
        let byte = bytes[at];
        // A line ends at `\r` as well.
        if matches!(byte, b'\n' | b'\r') {
            line += u32::from(byte == b'\n' || bytes.get(at + 1) != Some(&b'\n'));
            line_start = true;
            at += 1;
            // An f-string in one pair of quotes ends with its line, closed or not.
            if matches!(open.last(), Some(Open::Text { triple: false, .. })) {
                open.pop();
            }
            continue;
        }
        if let Some(&Open::Text { quote, triple }) = open.last() {
            let closes = byte == quote && (!triple || bytes[at..].starts_with(&[quote; 3]));
            match byte {
                b'\\' if !matches!(bytes.get(at + 1), Some(b'{' | b'}' | b'\n' | b'\r')) => at += 2,
                _ if closes => {
                    open.pop();
                    at += if triple { 3 } else { 1 };
                }
                b'{' if bytes.get(at + 1) == Some(&b'{') => at += 2,
                b'{' => {
                    open.push(Open::Field { outside: depth });
                    depth += 1;
                    at += 1;
                }
                // The end of a field whose format was read as text: the field is left by the same bracket.
                b'}' if open.len() > 1 && matches!(open[open.len() - 2], Open::Field { .. }) => {
                    open.pop();
                }
                _ => at += 1,
            }
        } else {
            match byte {
                b'(' | b'[' | b'{' => {
                    depth += 1;
                    at += 1;
                }
                b')' | b']' | b'}' => {
                    depth = depth.saturating_sub(1);
                    if matches!(open.last(), Some(Open::Field { outside }) if depth <= *outside) {
                        open.pop();
                    }
                    at += 1;
                }
                // A field's format is text again, and may have fields of its own.
                b':' if matches!(open.last(), Some(Open::Field { outside }) if depth == outside + 1) => {
                    if let Some(&text) = open.get(open.len().wrapping_sub(2)) {
                        open.push(text);
                    }
                    at += 1;
                }
                b'#' => at += bytes[at..].iter().take_while(|&&byte| byte != b'\n' && byte != b'\r').count(),
                b'"' | b'\'' if is_formatted(&bytes[..at]) => {
                    let triple = bytes[at..].starts_with(&[byte; 3]);
                    open.push(Open::Text { quote: byte, triple });
                    at += if triple { 3 } else { 1 };
                }
                b'"' | b'\'' => {
                    let end = string_end(bytes, at);
                    let lines = bytes[at..end].iter().filter(|&&byte| byte == b'\n').count();
                    line += u32::try_from(lines).expect("source is at most 16 MiB");
                    at = end;
                }
                _ => at += 1,
            }
        }
        if depth > limit || open.len() > 2 * limit + 1 {
            return Some((line, "too many nested parentheses"));
        }
    }
    None
}

/// A part of an f-string that is open.
#[derive(Clone, Copy)]
enum Open {
    /// Its text, or the format of a field.
    Text { quote: u8, triple: bool },
    /// A field, and how many brackets are open around it.
    Field { outside: usize },
}

/// Whether a quote behind `before` opens an f-string or a t-string: its prefix has such a letter.
fn is_formatted(before: &[u8]) -> bool {
    let prefix: Vec<u8> = before
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_' || !byte.is_ascii())
        .take(3)
        .map(u8::to_ascii_lowercase)
        .collect();
    matches!(prefix[..], [b'f' | b't'] | [b'f' | b't', b'r'] | [b'r', b'f' | b't'])
}

/// The end of the string literal that starts at `at`; of the line, or of the text, if it has none.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let quote = bytes[at];
    let triple = bytes[at..].starts_with(&[quote; 3]);
    let mut end = at + if triple { 3 } else { 1 };
    while end < bytes.len() {
        match bytes[end] {
            b'\\' => end += 2,
            b'\n' | b'\r' if !triple => return end,
            byte if byte == quote && !triple => return end + 1,
            byte if byte == quote && bytes[end..].starts_with(&[quote; 3]) => return end + 3,
            _ => end += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::too_deep;

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        let source = "x = '((((' # ((((\ny = \"\"\"[[[[\n[[[[\"\"\"\n";
        assert_eq!(too_deep(source, 2), None);
    }

    #[test]
    fn a_carriage_return_ends_a_comment_and_an_f_string_hides_no_brackets() {
        let deep = format!("{}1{}", "(".repeat(9), ")".repeat(9));
        for source in [
            format!("# \rx = {deep}"),
            format!("x = 'a\rx = {deep}"),
            format!("x = f'{{{deep}}}'"),
            format!("x = rF\"\"\"\n{{{deep}}}\"\"\""),
            format!("x = f'{{'a' + {deep}}}'"),
            format!("x = f'{{1:{{{deep}}}}}'"),
            format!("x = f'\\{{{deep}}}'"),
            format!("x = t\"{{{{{{{deep}}}\""),
            "f'{".repeat(9),
        ] {
            assert!(too_deep(&source, 5).is_some(), "{source}");
        }
    }

    #[test]
    fn what_is_text_in_an_f_string_does_not_count() {
        for source in [
            "x = f'{a} {b!r:>{c}} {f(g[1])} ((((((' 'f((((((' # f'((((((",
            "x = f'{{{{{{{{{{{{' + rf'\\\\' + f\"{d['a']:%H:%M}\" + f'''\n(((((((\n{x:>5}'''",
            "x = f'{a:{b}.{c}f}' * 9 + f'{(lambda x: [x])(1)}'",
            "x = f'(((((((\ny = 1",
        ] {
            assert_eq!(too_deep(source, 5), None, "{source}");
        }
        assert_eq!(too_deep(&"x = f'{a}' + f\"\"\"{b:>9}\"\"\"\n".repeat(50), 3), None);
        assert_eq!(too_deep("a\r\nb\rc\n[[[", 2), Some((4, "too many nested parentheses")));
    }

    #[test]
    fn the_bracket_that_is_too_many_is_found_with_its_line() {
        assert_eq!(too_deep("a = 1\nb = [[[1]]]", 2), Some((2, "too many nested parentheses")));
        assert_eq!(too_deep("b = [[1]], [[2]], [[3]]", 2), None);
    }

    #[test]
    fn indentation_counts_levels_and_not_columns() {
        let nested = |depth: usize| (0..depth).map(|at| format!("{}if 1:\n", "  ".repeat(at))).collect::<String>();
        assert_eq!(too_deep(&nested(6), 5), None);
        assert_eq!(too_deep(&nested(7), 5), Some((7, "too many levels of indentation")));
        assert_eq!(too_deep(&"if 1:\n        x = 1\n".repeat(50), 5), None);
    }
}
