//! A place that is told must be there: followed with a reader of its own.

use manifest_loader::problem::Problem;
use manifest_loader::text;
use serde_json::Value;

/// What one line may have: file, path and text, all of it still readable for a person.
const LINE: usize = 300_000;

/// Every problem names the file, says something, and leads somewhere.
pub fn check(name: &str, bytes: &[u8], problems: &[Problem]) {
    let parsed = text::parse(name, bytes);
    for problem in problems {
        let line = problem.to_string();
        assert!(line.len() < LINE, "a line of {} bytes", line.len());
        assert!(!line.contains(char::is_control), "a line that is more than one: {line:?}");
        assert!(!problem.text.trim().is_empty(), "no text: {line}");
        match &parsed {
            Ok((value, _)) => in_a_tree(name, value, problem),
            Err(_) => in_a_text(name, problem),
        }
    }
}

fn in_a_text(name: &str, problem: &Problem) {
    assert_eq!((problem.file.as_str(), problem.path.as_str()), (name, ""));
    if problem.text.starts_with("not legal JSON") {
        assert!(problem.line.is_some() && problem.column.is_some(), "{problem}");
    }
}

fn in_a_tree(name: &str, value: &Value, problem: &Problem) {
    let root = match problem.file.strip_prefix(name) {
        Some("") => value,
        Some(": StatePayload") => &value["StatePayload"],
        _ => panic!("another file: {problem}"),
    };
    if problem.path.is_empty() {
        assert!(problem.text.contains("neither a product manifest"), "no path: {problem}");
        return;
    }
    let rest = problem.path.strip_prefix('$');
    let rest = rest.unwrap_or_else(|| panic!("a path without its root: {problem}"));
    assert!(
        follow(root, rest).is_some() || in_nothing(root, rest, problem),
        "a path that leads nowhere: {problem}"
    );
}

/// Parameters that are missing altogether lack each required one.
fn in_nothing(root: &Value, rest: &str, problem: &Problem) -> bool {
    let place = rest.strip_suffix("[0]").unwrap_or(rest).strip_suffix(".parameters");
    let lacks = problem.text.starts_with("the parameter ") && problem.text.contains(" is missing");
    lacks && place.is_some_and(|place| follow(root, place).is_some())
}

/// `.name`, `["any \"name\""]` and `[0]`.
fn follow<'a>(value: &'a Value, rest: &str) -> Option<&'a Value> {
    if rest.is_empty() {
        return Some(value);
    }
    if let Some(rest) = rest.strip_prefix('.') {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        return follow(value.as_object()?.get(&rest[..end])?, &rest[end..]);
    }
    let rest = rest.strip_prefix('[')?;
    if !rest.starts_with('"') {
        let (n, rest) = rest.split_once(']')?;
        return follow(value.as_array()?.get(n.parse::<usize>().ok()?)?, rest);
    }
    let mut names = serde_json::Deserializer::from_str(rest).into_iter::<String>();
    let name = names.next()?.ok()?;
    let rest = rest[names.byte_offset()..].strip_prefix(']')?;
    entries(value, &name).find_map(|inner| follow(inner, rest))
}

/// A name that is too long is told by its beginning.
fn entries<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    let (name, beginning) = (name.to_owned(), name.strip_suffix("...").map(str::to_owned));
    let meant = move |key: &str| {
        key == name || beginning.as_deref().is_some_and(|b| key.starts_with(b) && key.len() > 90)
    };
    let all = value.as_object().into_iter().flatten();
    all.filter(move |(key, _)| meant(key)).map(|(_, inner)| inner)
}
