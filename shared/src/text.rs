//! Plain text that reads well in a mail client: 78 columns, no control characters.

use crate::names::cut;

/// Columns of a mail.
pub const WIDTH: usize = 78;

/// Wraps at words. The first line begins with `first`, all others with `rest`; each line ends with
/// a line break. A longer word (a link, a digest) stays whole.
pub fn wrap(text: &str, first: &str, rest: &str) -> String {
    let mut out = first.to_owned();
    let mut column = first.chars().count();
    let mut empty = true;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if !empty && column + 1 + length > WIDTH {
            out = out.trim_end().to_owned();
            out.push('\n');
            out.push_str(rest);
            column = rest.chars().count();
            empty = true;
        }
        if !empty {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
        empty = false;
    }
    out = out.trim_end().to_owned();
    out.push('\n');
    out
}

/// `label` in a column of its own, `value` beside it; one word that does not fit goes below.
pub fn fact(label: &str, value: &str) -> String {
    let value = one_line(value);
    let first = format!("  {label:<14}");
    let below = !value.contains(' ') && first.len() + value.chars().count() > WIDTH;
    match (below, label) {
        (true, "") => format!("    {value}\n"),
        (true, _) => format!("  {label}\n    {value}\n"),
        _ => wrap(&value, &first, &" ".repeat(16)),
    }
}

/// A headline with its underline.
pub fn heading(title: &str) -> String {
    format!("\n{title}\n{}\n", "-".repeat(title.chars().count().min(WIDTH)))
}

/// Control characters and line breaks become spaces, so that no name can forge a line.
pub fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A subject that SNS takes: ASCII, one line, fewer than 100 characters.
pub fn subject(text: &str) -> String {
    let ascii: String = text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
    cut(&one_line(&ascii), 99)
}

/// A text with a full stop at its end.
pub fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.ends_with(['.', '!', '?', ':']) {
        return text.to_owned();
    }
    format!("{text}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_wrapped_at_words_and_long_words_stay_whole() {
        let text = format!("{} {} end", "word ".repeat(20).trim(), "x".repeat(90));
        let wrapped = wrap(&text, "  ", "    ");
        let lines: Vec<_> = wrapped.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(lines[0].len() <= WIDTH && lines[1].starts_with("    word"));
        assert_eq!(lines[2], format!("    {}", "x".repeat(90)));
        assert_eq!(wrap("", "a ", ""), "a\n");
    }

    #[test]
    fn a_long_value_stands_below_its_label() {
        assert_eq!(fact("Region", "us-west-2"), "  Region        us-west-2\n");
        let digest = "d".repeat(64);
        assert_eq!(fact("Digest", &digest), format!("  Digest\n    {digest}\n"));
    }

    #[test]
    fn no_name_can_forge_a_line() {
        assert_eq!(one_line("a\r\nSubject: b\u{7}c"), "a Subject: b c");
    }

    #[test]
    fn a_subject_is_short_ascii() {
        let subject = subject(&format!("[DR] Approve ACTIVATE of gr\u{fc}n{}", "x".repeat(200)));
        assert!(subject.len() < 100 && subject.is_ascii() && subject.contains("gr?n"));
    }

    #[test]
    fn a_sentence_ends_once() {
        assert_eq!([sentence("a"), sentence("a."), sentence("")].join("|"), "a.|a.|");
    }
}
