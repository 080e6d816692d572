//! A strict reader of the page: known elements only, each closed, every other sign escaped.

const VOID: [&str; 3] = ["meta", "input", "br"];
const KNOWN: [&str; 29] = [
    "html", "head", "title", "style", "body", "main", "h1", "h2", "h3", "p", "a", "dl", "dt", "dd",
    "ul", "li", "section", "details", "summary", "span", "strong", "form", "label", "textarea",
    "div", "button", "em", "code", "pre",
];
const ESCAPES: [&str; 5] = ["amp;", "lt;", "gt;", "quot;", "#39;"];

/// Fails the test when the page is not well-formed.
pub fn check(page: &str) {
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("a document type");
    let mut open: Vec<&str> = Vec::new();
    while let Some((text, tag)) = rest.split_once('<') {
        of_text(text, open.last() == Some(&"style"));
        let (tag, after) = split_tag(tag);
        let name = tag.split_whitespace().next().unwrap_or_default();
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "closes another element"),
            None if VOID.contains(&name) => {}
            None => {
                assert!(KNOWN.contains(&name), "<{tag}> is none of ours");
                open.push(name);
            }
        }
        rest = after;
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} never closed");
}

/// The tag to its end, which is never within quotes.
fn split_tag(text: &str) -> (&str, &str) {
    let mut quoted = false;
    let end = text.find(|c| {
        quoted ^= c == '"';
        c == '>' && !quoted
    });
    let end = end.expect("the end of a tag");
    let values = text[..end].split('"').skip(1).step_by(2);
    values.for_each(|v| of_text(v, false));
    (&text[..end], &text[end + 1..])
}

fn of_text(text: &str, style: bool) {
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "a control character: {text:?}");
    if style {
        return;
    }
    assert!(!text.contains(['<', '>']), "not escaped: {text}");
    for after in text.split('&').skip(1) {
        assert!(ESCAPES.iter().any(|e| after.starts_with(e)), "not escaped: &{after}");
    }
}

/// What stands between two texts, as a browser reads it.
pub fn inside(page: &str, before: &str, after: &str) -> String {
    let text = page.split_once(before).expect(before).1.split_once(after).expect(after).0;
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&#39;", "'").replace("&amp;", "&")
}
