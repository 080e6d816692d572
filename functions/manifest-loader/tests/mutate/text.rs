//! Mutations of a manifest's bytes: what editors, transfers and mischief make of a text.

use super::odd::pick;
use fastrand::Rng;

type Change = fn(&mut Rng, Vec<u8>) -> Vec<u8>;

const CHANGES: &[(&str, Change)] = &[
    ("truncate", truncate),
    ("truncate", truncate),
    ("flip", flip),
    ("flip", flip),
    ("insert", insert),
    ("insert", insert),
    ("cut out", cut_out),
    ("line twice", line_twice),
    ("tabs", tabs),
    ("CRLF", crlf),
    ("BOM", bom),
    ("UTF-16", utf16),
    ("aliases", aliases),
    ("bomb", bomb),
    ("brackets", brackets),
    ("documents", documents),
    ("huge", huge),
];

/// Changes a text in one or two ways and tells them.
pub fn bytes(rng: &mut Rng, mut text: Vec<u8>) -> (Vec<u8>, Vec<&'static str>) {
    let mut done = Vec::new();
    for _ in 0..rng.usize(1..=2) {
        let (name, change) = pick(rng, CHANGES);
        text = change(rng, text);
        done.push(*name);
    }
    (text, done)
}

fn place(rng: &mut Rng, text: &[u8]) -> usize {
    rng.usize(..=text.len())
}

fn put(rng: &mut Rng, mut text: Vec<u8>, what: &[u8]) -> Vec<u8> {
    let at = place(rng, &text);
    text.splice(at..at, what.iter().copied());
    text
}

fn truncate(rng: &mut Rng, mut text: Vec<u8>) -> Vec<u8> {
    let at = place(rng, &text);
    text.truncate(at);
    text
}

fn flip(rng: &mut Rng, mut text: Vec<u8>) -> Vec<u8> {
    for _ in 0..rng.usize(1..=8) {
        let (at, bit) = (place(rng, &text), rng.u8(..8));
        if let Some(byte) = text.get_mut(at) {
            *byte ^= 1 << bit;
        }
    }
    text
}

fn insert(rng: &mut Rng, text: Vec<u8>) -> Vec<u8> {
    let parts: &[&[u8]] = &[
        b"\0",
        b"\x1b[2J",
        b"\xff\xfe",
        b"\xc3",
        b"\xed\xa0\x80",
        b"\"",
        b"{",
        b"]",
        b",",
        b": ",
        b"\n- ",
        b"&a ",
        b"*a",
        b"!!binary ",
        b"!Import x",
        b"? ",
        b"<<: ",
        b"#",
        b"\\u0000",
        b"\\ud800",
        b"1e999",
        b"NaN",
        b".inf",
        b"99999999999999999999999999999999999999999",
    ];
    let part = *pick(rng, parts);
    put(rng, text, part)
}

fn cut_out(rng: &mut Rng, mut text: Vec<u8>) -> Vec<u8> {
    let (a, b) = (place(rng, &text), place(rng, &text));
    text.drain(a.min(b)..a.max(b));
    text
}

/// Keys and list items given twice.
fn line_twice(rng: &mut Rng, text: Vec<u8>) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = text.split_inclusive(|b| *b == b'\n').collect();
    let at = rng.usize(..lines.len().max(1));
    if let Some(line) = lines.get(at).copied() {
        lines.insert(at, line);
    }
    lines.concat()
}

fn replaced(text: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    String::from_utf8(text)
        .map(|t| t.replace(from, to).into_bytes())
        .unwrap_or_else(|e| e.into_bytes())
}

fn tabs(_: &mut Rng, text: Vec<u8>) -> Vec<u8> {
    replaced(text, "  ", "\t")
}

fn crlf(_: &mut Rng, text: Vec<u8>) -> Vec<u8> {
    replaced(text, "\n", "\r\n")
}

fn bom(_: &mut Rng, text: Vec<u8>) -> Vec<u8> {
    [b"\xef\xbb\xbf".as_slice(), &text].concat()
}

fn utf16(_: &mut Rng, text: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8_lossy(&text).into_owned();
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The text as an anchor's value, or an alias that nothing, or itself, is behind.
fn aliases(rng: &mut Rng, text: Vec<u8>) -> Vec<u8> {
    match rng.u8(..3) {
        0 => [b"&all ".as_slice(), &text].concat(),
        1 => [text.as_slice(), b"\n? *none\n: *none\n"].concat(),
        _ => b"&a [*a, &b {x: *b}]\n".to_vec(),
    }
}

/// Nine times nine times nine.
fn bomb(rng: &mut Rng, text: Vec<u8>) -> Vec<u8> {
    let mut out = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..rng.usize(3..12) {
        let inside = vec![format!("*a{}", n - 1); 9].join(", ");
        out += &format!("a{n}: &a{n} [{inside}]\n");
    }
    [out.as_bytes(), &text].concat()
}

/// Depth in every notation, with what might keep a counter from seeing it.
fn brackets(rng: &mut Rng, text: Vec<u8>) -> Vec<u8> {
    let unit = *pick(rng, &["[", "{", "{\"a\":", "- ", "? ", "[\"]\",", "a:\n", "[#]\n", "!a "]);
    let times = *pick(rng, &[65, 130, 1001, 20_000]);
    put(rng, text, unit.repeat(times).as_bytes())
}

fn documents(rng: &mut Rng, text: Vec<u8>) -> Vec<u8> {
    match rng.u8(..3) {
        0 => [text.as_slice(), b"\n---\n", &text].concat(),
        1 => [b"%YAML 9.9\n---\n".as_slice(), &text].concat(),
        _ => [text.as_slice(), b"\n...\n"].concat(),
    }
}

fn huge(rng: &mut Rng, text: Vec<u8>) -> Vec<u8> {
    let what = *pick(rng, b" a\n9\"");
    let times = *pick(rng, &[1000, 100_000, 140_000]);
    put(rng, text, &vec![what; times])
}
