//! JSON paths as people read them: `$.product[0].apps[1].name`.

use serde_json::Value;
use shared::names::cut;

/// Characters of a key: a longer one is told by its beginning, or every problem below it repeats it.
const KEY: usize = 100;

/// `base` and a key. One that is no plain word stands in quotes, as JSON writes it: no key can look
/// like a longer path or begin a new line of a message.
pub fn key(base: &str, name: &str) -> String {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if plain && (1..=KEY).contains(&name.len()) {
        return format!("{base}.{name}");
    }
    let quoted: String = cut(name, KEY).chars().map(escaped).collect();
    format!("{base}[\"{quoted}\"]")
}

fn escaped(c: char) -> String {
    match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    }
}

/// `base` and an index.
pub fn index(base: &str, n: usize) -> String {
    format!("{base}[{n}]")
}

/// `base` and a JSON pointer into `value`. A segment of digits is an index only where a list is.
pub fn pointer(base: &str, pointer: &str, value: &Value) -> String {
    let (mut path, mut place) = (base.to_owned(), Some(value));
    for segment in pointer.split('/').skip(1) {
        let name = segment.replace("~1", "/").replace("~0", "~");
        let n = segment.parse().ok().filter(|_| place.is_some_and(Value::is_array));
        path = n.map_or_else(|| key(&path, &name), |n| index(&path, n));
        place = place.and_then(|p| n.map_or_else(|| p.get(&name), |n| p.get(n)));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pointers_become_paths() {
        let list: Vec<Value> = (0..13).map(|_| json!({"a/b": 1})).collect();
        let value = json!({"product": [{"apps": list}]});
        let path = pointer("$", "/product/0/apps/12/a~1b", &value);
        assert_eq!(path, "$.product[0].apps[12][\"a/b\"]");
        assert_eq!(pointer("$", "", &value), "$");
    }

    #[test]
    fn a_key_of_digits_is_no_index() {
        assert_eq!(pointer("$", "/07/0", &json!({"07": ["x"]})), "$.07[0]");
    }

    #[test]
    fn no_key_can_forge_a_path_or_a_line() {
        assert_eq!(key("$", "a\"].b"), "$[\"a\\\"].b\"]");
        assert_eq!(key("$", "a\nb\u{85}"), "$[\"a\\u000ab\\u0085\"]");
    }

    #[test]
    fn an_endless_key_is_told_by_its_beginning() {
        let path = key("$", &"k".repeat(50_000));
        assert_eq!(path, format!("$[\"{}...\"]", "k".repeat(97)));
    }
}
