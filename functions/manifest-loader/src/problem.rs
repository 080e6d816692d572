//! What is wrong with the manifests: all of it at once, each with its place.

use serde::Serialize;
use shared::ErrorType;
use shared::text::one_line;
use std::fmt;

/// One thing that must be corrected, or (as a warning) looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Key or path of the manifest, or `input`.
    pub file: String,
    /// JSON path in it, for example `$[0].resources[2].parameters`; empty for the whole file.
    pub path: String,
    /// Line, when the syntax is broken.
    pub line: Option<usize>,
    /// Column, when the syntax is broken.
    pub column: Option<usize>,
    /// What is wrong, with the value, what would be right and the nearest legal name.
    pub text: String,
    /// What it makes of the run.
    #[serde(skip)]
    pub error_type: ErrorType,
}

impl Problem {
    /// A problem at a path.
    #[cfg_attr(test, track_caller)]
    pub fn new(file: &str, path: &str, text: impl AsRef<str>) -> Self {
        #[cfg(test)]
        crate::complete_tests::note(std::panic::Location::caller());
        Self {
            file: file.to_owned(),
            path: path.to_owned(),
            line: None,
            column: None,
            text: one_line(text.as_ref()),
            error_type: ErrorType::InvalidManifest,
        }
    }

    /// The same problem at a line and a column.
    pub fn at(mut self, line: usize, column: usize) -> Self {
        (self.line, self.column) = (Some(line), Some(column));
        self
    }
}

/// `file:line:column: text` or `file: path: text`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ":{line}:{column}")?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}", self.text)
    }
}

/// Everything found so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// These stop the run.
    pub problems: Vec<Problem>,
    /// These travel with it.
    pub warnings: Vec<Problem>,
}

impl Report {
    /// Adds a problem.
    #[cfg_attr(test, track_caller)]
    pub fn wrong(&mut self, file: &str, path: &str, text: impl AsRef<str>) {
        self.problems.push(Problem::new(file, path, text));
    }

    /// Adds a problem of another type.
    #[cfg_attr(test, track_caller)]
    pub fn wrong_as(
        &mut self,
        error_type: ErrorType,
        file: &str,
        path: &str,
        text: impl AsRef<str>,
    ) {
        self.problems.push(Problem { error_type, ..Problem::new(file, path, text) });
    }

    /// The type that all problems have, or `Dr.InvalidManifest` for a mixture.
    pub fn error_type(&self) -> ErrorType {
        let mut types = self.problems.iter().map(|p| p.error_type);
        let first = types.next().unwrap_or(ErrorType::InvalidManifest);
        if types.all(|t| t == first) { first } else { ErrorType::InvalidManifest }
    }

    /// Adds a warning.
    #[cfg_attr(test, track_caller)]
    pub fn warn(&mut self, file: &str, path: &str, text: impl AsRef<str>) {
        self.warnings.push(Problem::new(file, path, text));
    }

    /// Adds all of another report.
    pub fn extend(&mut self, other: Self) {
        self.problems.extend(other.problems);
        self.warnings.extend(other.warnings);
    }

    /// Whether nothing stops the run.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Lines that fit into `max` bytes, cut between lines; what is left out is counted and its place named.
pub fn lines_within(lines: &[String], max: usize, whole: &str) -> String {
    let all = lines.join("\n");
    if all.len() <= max {
        return all;
    }
    let more = |n: usize| format!("and {n} more: {whole}");
    let room = max.saturating_sub(more(lines.len()).len() + 1);
    let mut out = String::new();
    let mut shown = 0;
    for line in lines {
        // One long line alone is cut, so that at least one is shown.
        let line = if shown == 0 { cut_bytes(line, room) } else { line.clone() };
        if out.len() + line.len() + 1 > room + 1 {
            break;
        }
        out.push_str(&line);
        out.push('\n');
        shown += 1;
    }
    match lines.len() - shown {
        0 => format!("{out}{}", cut_bytes(&format!("in full: {whole}"), max - out.len().min(max))),
        left => format!("{out}{}", more(left)),
    }
}

fn cut_bytes(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let mut end = max.saturating_sub(3);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}...", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cut_between_lines_and_counts_the_rest() {
        let lines: Vec<String> = (0..200).map(|n| format!("file: $[{n}]: wrong")).collect();
        let text = lines_within(&lines, 1000, "s3://bucket/problems.json");
        assert!(text.len() <= 1000);
        let shown = text.lines().count() - 1;
        let last = format!("and {} more: s3://bucket/problems.json", 200 - shown);
        assert_eq!(text.lines().last(), Some(last.as_str()));
        assert!(text.lines().take(shown).all(|l| l.ends_with("wrong")));
    }

    #[test]
    fn one_endless_line_is_still_shown() {
        let text = lines_within(&["\u{e9}".repeat(3000)], 1000, "s3://b/k");
        assert!(text.len() <= 1000 && text.ends_with("in full: s3://b/k"), "{text}");
        assert_eq!(lines_within(&["short".to_owned()], 1000, "x"), "short");
    }

    #[test]
    fn a_position_stands_before_the_path() {
        let problem = Problem::new("a.json", "", "not\nlegal").at(3, 7);
        assert_eq!(problem.to_string(), "a.json:3:7: not legal");
        assert_eq!(Problem::new("a", "$.b", "c").to_string(), "a: $.b: c");
    }
}
