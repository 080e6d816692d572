//! Odd values, texts and keys.

use fastrand::Rng;
use serde_json::{Value, json};

/// Broken in all ways, and some that are whole.
pub const TOKENS: &[&str] = &[
    "!Import ",
    "!Import",
    "!import x",
    "!Importx",
    "!Import a b",
    "!Import\u{a0}",
    "!Import \u{2003}x",
    "!Import x",
    "!ImportValue x",
    "resolve:",
    "resolve:ssm",
    "resolve:ssm:",
    "resolve:ssm: x",
    "resolve:ssm:/a b",
    "resolve:ssm:/a:b:c:d",
    "resolve:ssm::::",
    "resolve:ssm-secure:/x",
    "resolve:secretsmanager:x",
    "Resolve:ssm:/a",
    "{{resolve:ssm:/a}}",
    "resolve:ssm:arn:aws:ssm:us-west-2:1:parameter/a:3",
];

/// In place of the key of an application manifest.
pub const KEYS: &[&str] = &[
    "",
    "/",
    "//",
    "..",
    "../../etc/passwd",
    "dr-orchestration-artifacts/../../x.json",
    "s3://",
    "s3://other-bucket/a.json",
    "s3://other-bucket",
    "a\nb.json",
    "a\u{0}.json",
    "a.json/",
    "no-such-file.json",
    "\u{202e}nosj.a",
];

/// Phases, types and what resembles them.
pub const WORDS: &[&str] = &[
    "INSTANTIATE",
    "ACTIVATE",
    "CLEANUP",
    "REPLICATE",
    "activate",
    "ACTIVATE ",
    "FAILBACK",
    "ModuleTest",
    "DeleteAuroraCluster",
    "PromoteRDSReadReplica",
    "DeployCF",
    "deploycf",
    "",
    "\u{410}CTIVATE",
];

const TEXTS: &[&str] = &[
    "",
    " ",
    "\u{0}",
    "a\r\nb",
    "\u{1b}[31mred",
    "\u{85}next",
    "\u{202e}evil",
    "\u{200b}",
    "\u{feff}",
    "\u{1f600}",
    "e\u{301}\u{301}\u{301}",
    "\u{fffd}\u{ffff}\u{10ffff}",
    "<script>alert(1)</script>",
    "'; DROP TABLE x; --",
    "${jndi:ldap://x}",
    "{% $states.input %}",
    "$.a[0]",
    "%s%n",
    "null",
    "true",
    "1e400",
    "us-west-2",
    "123456789012",
    "\"quoted\"",
    "back\\slash",
];

/// One of them.
pub fn pick<'a, T>(rng: &mut Rng, all: &'a [T]) -> &'a T {
    &all[rng.usize(..all.len())]
}

/// A text that nobody means.
pub fn text(rng: &mut Rng) -> String {
    match rng.u8(..5) {
        0 => pick(rng, &["x", "\u{fc}", "\u{1f600}", "a/", "../", "\u{7}"])
            .repeat(*pick(rng, &[2, 129, 1025, 30_000])),
        1 => (0..rng.usize(1..40)).map(|_| rng.char(..)).collect(),
        _ => (*pick(rng, TEXTS)).to_owned(),
    }
}

/// A key that resembles `key`, or does not.
pub fn key(rng: &mut Rng, key: &str) -> String {
    match rng.u8(..8) {
        0 => key.to_uppercase(),
        1 => format!("{key}s"),
        2 => format!("../{key}"),
        3 => format!("{key}\n"),
        4 => rng.u32(..20).to_string(),
        5 => key.chars().skip(1).collect(),
        6 => format!("{key}~1/\"]"),
        _ => text(rng),
    }
}

/// A value of any type.
pub fn value(rng: &mut Rng) -> Value {
    match rng.u8(..6) {
        0 => number(rng),
        1 => pick(rng, &[json!(null), json!(true), json!(false)]).clone(),
        2 => pick(rng, &[json!([]), json!({}), json!([[]]), json!([{}]), json!({"": {}})]).clone(),
        3 => json!({key(rng, "a"): number(rng), "b": [text(rng), null]}),
        _ => text(rng).into(),
    }
}

fn number(rng: &mut Rng) -> Value {
    let whole = [0, -1, 1, 4, 10_081, i64::MAX, i64::MIN, 1 << 53];
    match rng.u8(..4) {
        0 => json!(pick(rng, &[1e308, -1e308, 1e-308, 0.5, -0.0, 1e19])),
        1 => json!(u64::MAX),
        _ => json!(pick(rng, &whole)),
    }
}
