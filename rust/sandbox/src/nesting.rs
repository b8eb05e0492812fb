//! How deep a source text is nested, without parsing it: parsers recurse, and this comes first.

/// Where nesting passes the limit: the line, from 1, and what is too deep.
pub(crate) fn too_deep(source: &str, limit: u32) -> Option<(u32, &'static str)> {
    let bytes = source.as_bytes();
    let limit = limit as usize;
    let (mut at, mut line, mut depth) = (0, 1_u32, 0_usize);
    let mut indents = vec![0_usize];
    let mut line_start = true;
    while at < bytes.len() {
        if line_start && depth == 0 {
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
        match bytes[at] {
            b'\n' => {
                line += 1;
                line_start = true;
                at += 1;
            }
            b'(' | b'[' | b'{' => {
                depth += 1;
                if depth > limit {
                    return Some((line, "too many nested parentheses"));
                }
                at += 1;
            }
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            b'#' => at += bytes[at..].iter().take_while(|&&byte| byte != b'\n').count(),
            b'"' | b'\'' => {
                let end = string_end(bytes, at);
                line += bytes[at..end].iter().filter(|&&byte| byte == b'\n').count() as u32;
                at = end;
            }
            _ => at += 1,
        }
    }
    None
}

/// The end of the string literal that starts at `at`; of the line, or of the text, if it has none.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let quote = bytes[at];
    let triple = bytes[at..].starts_with(&[quote; 3]);
    let mut end = at + if triple { 3 } else { 1 };
    while end < bytes.len() {
        match bytes[end] {
            b'\\' => end += 2,
            b'\n' if !triple => return end,
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
