//! Texts that are broken, hostile or only unusual.

use crate::offline::{Candidate, check};
use crate::text::{Format, LIMIT, parse};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn value(name: &str, text: &str) -> Value {
    parse(name, text.as_bytes()).unwrap().0
}

fn problem(name: &str, bytes: &[u8]) -> String {
    parse(name, bytes).unwrap_err().to_string()
}

#[test]
fn json_and_yaml_are_told_apart_by_extension_then_by_content() {
    let cases = [
        ("a.json", "[1]", Format::Json),
        ("a.yaml", "- 1", Format::Yaml),
        ("a.YML", "- 1", Format::Yaml),
        ("a.yaml", "{\n\t\"a\": 1}", Format::Json),
        ("a", " [1]", Format::Json),
        ("a", "- 1", Format::Yaml),
        ("a.json", "\u{feff}[1]", Format::Json),
        ("a.yaml", "\u{feff}- 1", Format::Yaml),
    ];
    for (name, text, format) in cases {
        assert_eq!(parse(name, text.as_bytes()).unwrap().1, format, "{name} {text:?}");
    }
}

#[test]
pub fn broken_syntax_is_told_with_line_and_column() {
    let deep = problem("a.yaml", "[".repeat(10_000).as_bytes());
    assert_eq!(deep, "a.yaml: not legal YAML: nested too deep");
    let cases = [
        ("a.json", "[\n  {\"a\": 1,}\n]", "a.json:2:", "not legal JSON"),
        ("a.json", "[1", "a.json:1:2", "EOF"),
        ("a.json", "[1] x", "a.json:1:5", "trailing characters"),
        ("a.yaml", "a: 1\nb: [1, 2\nc: 3\n", "a.yaml:3:", "not legal YAML"),
        ("a.yaml", "a: 1\n\tb: 2\n", "a.yaml:2:", "not legal YAML"),
        ("a.yaml", "a: 1\n--- \nb: 2\n", "a.yaml", "more than one document"),
    ];
    for (name, text, place, word) in cases {
        let found = problem(name, text.as_bytes());
        assert!(found.starts_with(place) && found.contains(word), "{text:?}: {found}");
        // YAML's error also tells where the list began that is not closed.
        let told_again = name == "a.json" && found.contains(" at line ");
        assert!(!told_again, "the position is told twice: {found}");
    }
}

#[test]
pub fn what_would_be_ambiguous_is_refused() {
    let cases = [
        ("a.json", "{\"a\": 1, \"a\": 2}", "\"a\" is given twice"),
        ("a.yaml", "a: 1\na: 2\n", "\"a\" is given twice"),
        ("a.yaml", "1: x\n", "the key 1 is no text"),
        ("a.yaml", "a: .nan\n", "no number"),
        ("a.yaml", "a: !Sub x\n", "the YAML tag !Sub is not known"),
        ("a.yaml", "a: !Import [x]\n", "the name of one export"),
        ("a.yaml", "a: 99999999999999999999999\n", "too large"),
        ("a.json", "", "empty"),
        ("a.yaml", "  \n", "empty"),
    ];
    for (name, text, word) in cases {
        let found = problem(name, text.as_bytes());
        assert!(found.contains(word), "{text:?}: {found}");
    }
}

#[test]
fn yaml_is_read_as_people_mean_it() {
    let text = "a: !Import shop-db\nb: [!Import x, '!Import y']\nc: yes\nd: 012345678901\ne: 1.10\nf: on\n";
    let wanted = json!({
        "a": "!Import shop-db", "b": ["!Import x", "!Import y"], "c": "yes",
        "d": "012345678901", "e": 1.10, "f": "on"
    });
    assert_eq!(value("a.yaml", text), wanted);
    assert_eq!(value("a.yaml", "a: &x {b: 1}\nc: *x\n"), json!({"a": {"b": 1}, "c": {"b": 1}}));
}

#[test]
pub fn other_encodings_are_refused_with_their_place() {
    let found = problem("a.json", b"[\n \"\xff\"]");
    assert!(found.starts_with("a.json:2:3: the file is not UTF-8"), "{found}");
}

#[test]
pub fn a_file_beyond_the_limit_is_refused() {
    assert!(parse("a.json", format!("[\"{}\"]", "x".repeat(LIMIT - 4)).as_bytes()).is_ok());
    let found = problem("a.json", format!("[\"{}\"]", "x".repeat(LIMIT - 3)).as_bytes());
    assert!(found.contains("128 KB"), "{found}");
}

/// Exponential, quadratic and deep: each must be refused, and soon.
#[test]
fn bombs_do_not_explode() {
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..30 {
        let inner = vec![format!("*a{}", n - 1); 9].join(", ");
        laughs += &format!("a{n}: &a{n} [{inner}]\n");
    }
    let long = format!("a: &a \"{}\"\nb: [{}]\n", "x".repeat(60_000), "*a, ".repeat(15_000));
    let wide = format!("a: &a [{}]\nb: [{}]\n", "1, ".repeat(15_000), "*a, ".repeat(15_000));
    let cycle = "a: &a [*a]\n".to_owned();
    let deep = |open: &str| open.repeat(LIMIT / open.len());
    let bombs = [
        ("a.yaml", laughs),
        ("a.yaml", long),
        ("a.yaml", wide),
        ("a.yaml", cycle),
        ("a.yaml", deep("[")),
        ("a.yaml", deep("{")),
        ("a.yaml", deep("- ")),
        ("a.yaml", deep("[a, ")),
        ("a.yaml", deep("{a: ")),
        ("a.yaml", deep("? ")),
        ("a.yaml", deep("&a ")),
        ("a.yaml", deep("!a ")),
        ("a.json", deep("[")),
        ("a.json", deep("{\"a\":")),
    ];
    for (name, text) in bombs {
        let text = &text[..text.len().min(LIMIT)];
        let begun = Instant::now();
        let found = problem(name, text.as_bytes());
        let took = begun.elapsed();
        // What explodes takes hours or all memory; a busy machine does not take a minute.
        assert!(took < Duration::from_secs(60), "{}: {took:?}: {found}", &text[..20]);
    }
}

/// Damaged manifests: the answer may be anything, a panic never.
#[test]
fn no_damage_panics() {
    let json = include_str!(
        "../../../samples/sampleproduct/manifests/product-manifest-sampleproduct-ACTIVATE.json"
    );
    let yaml =
        include_str!("../../../samples/sampleproduct/manifests/sampleproduct-app1-REPLICATE.yaml");
    let mut seed: usize = 7;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let pieces: [&[u8]; 10] = [
        b"{",
        b"]",
        b"\"",
        b"&a ",
        b"*a",
        b"!Import",
        b"null",
        b"1e999",
        b"\xff",
        "\u{e9}".as_bytes(),
    ];
    for round in 0..1500 {
        let (name, text) = if round % 2 == 0 { ("a.json", json) } else { ("a.yaml", yaml) };
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..=random(3) {
            let at = random(bytes.len());
            let end = (at + random(12)).min(bytes.len());
            bytes.splice(at..end, pieces[random(pieces.len())].iter().copied());
        }
        let file = Candidate { path: name.to_owned(), bytes, named: true };
        check(&[file]).unwrap();
    }
}
