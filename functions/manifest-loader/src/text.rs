//! From an object's bytes to a tree: size, encoding, JSON or YAML, syntax with line and column.

use crate::problem::Problem;
use crate::tree;
use serde_json::Value;

/// The largest manifest, bytes.
pub const LIMIT: usize = 128 * 1024;

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

impl Format {
    /// `json` or `yaml`.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Yaml => "yaml",
        }
    }
}

/// Reads a manifest. `name` is its key or path: its extension decides the format, else the content.
///
/// # Errors
/// One problem: nothing more can be told about a text that cannot be read.
pub fn parse(name: &str, bytes: &[u8]) -> Result<(Value, Format), Problem> {
    if bytes.len() > LIMIT {
        return Err(too_large(name, bytes.len()));
    }
    let text = std::str::from_utf8(bytes).map_err(|e| not_utf8(name, bytes, e.valid_up_to()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(Problem::new(name, "", "the file is empty"));
    }
    let format = format_of(name, text);
    let value = match format {
        Format::Json => json(name, text)?,
        Format::Yaml => yaml(name, text)?,
    };
    Ok((value, format))
}

/// A manifest beyond the limit.
pub fn too_large(name: &str, bytes: usize) -> Problem {
    let text = format!(
        "the manifest has {bytes} bytes, the limit is {LIMIT} (128 KB): split it into several files"
    );
    Problem::new(name, "", text)
}

fn format_of(name: &str, text: &str) -> Format {
    let extension = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let like_json = text.trim_start().starts_with(['{', '[']);
    match extension.as_str() {
        "json" => Format::Json,
        // JSON in a YAML file is legal, but YAML forbids the tabs that JSON allows.
        "yaml" | "yml" if like_json && json(name, text).is_ok() => Format::Json,
        "yaml" | "yml" => Format::Yaml,
        _ if like_json => Format::Json,
        _ => Format::Yaml,
    }
}

/// Reads JSON.
///
/// # Errors
/// The first error of syntax.
pub fn json(name: &str, text: &str) -> Result<Value, Problem> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = tree::read(&mut deserializer);
    value.and_then(|v| deserializer.end().map(|()| v)).map_err(|e| {
        let why = without_position(&e.to_string(), e.line(), e.column());
        Problem::new(name, "", format!("not legal JSON: {why}")).at(e.line(), e.column())
    })
}

/// Reads YAML 1.2: `yes`, `on` and `012` are texts, `1.10` is the number 1.1 and `null` is null. A
/// number where a text is wanted is refused later, with the hint to put it in quotes.
///
/// # Errors
/// The first error of syntax.
pub fn yaml(name: &str, text: &str) -> Result<Value, Problem> {
    if nested_too_deep(text) {
        return Err(Problem::new(name, "", "not legal YAML: nested too deep"));
    }
    tree::read(serde_yaml::Deserializer::from_str(text)).map_err(|e| {
        let (line, column) = e.location().map_or((0, 0), |at| (at.line(), at.column()));
        // The parser has a limit of its own, and its own words for it.
        let why = without_position(&e.to_string(), line, column)
            .replace("repetition limit exceeded", tree::TOO_LARGE);
        let problem = Problem::new(name, "", format!("not legal YAML: {why}"));
        if line == 0 { problem } else { problem.at(line, column) }
    })
}

/// The parser's time grows with the square of open brackets: more than any manifest has are refused.
/// Brackets in quotes are counted too, which no balanced text is refused for.
fn nested_too_deep(text: &str) -> bool {
    let mut open = 0usize;
    text.bytes().any(|b| {
        open = match b {
            b'[' | b'{' => open + 1,
            b']' | b'}' => open.saturating_sub(1),
            _ => open,
        };
        open > 1000
    })
}

/// The position is told apart from the text, and a path as long as a bomb is deep is not told at all.
fn without_position(text: &str, line: usize, column: usize) -> String {
    let text = text.replacen(&format!(" at line {line} column {column}"), "", 1);
    match text.split_once(": ") {
        Some((path, why)) if path.len() > 120 => why.to_owned(),
        _ => text,
    }
}

fn not_utf8(name: &str, bytes: &[u8], valid: usize) -> Problem {
    let before = &bytes[..valid];
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|b| **b != b'\n').count() + 1;
    Problem::new(name, "", "the file is not UTF-8 text; save it as UTF-8").at(line, column)
}
