//! `validate FILE|DIR...`: checks manifests offline with the code that checks them in a run.

use manifest_loader::offline::{Candidate, Checked, check};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
Checks product and application manifests, and inputs of direct starts (with StatePayload), JSON or
YAML, without AWS: the same code as in a run.

Usage: validate FILE|DIR...

A folder is searched for .json, .yaml and .yml files; what is no manifest is skipped. An application
manifest is checked in the phase of the product manifest that names it (found by its file name among
what is given), else in the phase of its own file name.

Prints every problem as \"file: path: text\", for broken syntax as \"file:line:column: text\".
Exit code: 0 no problem, 1 problems, 2 wrong usage.";
/// More than any manifest: what is larger is reported without being read.
const READ_LIMIT: u64 = 1024 * 1024;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|a| a == "--help" || a == "-h") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match run(&arguments) {
        Ok(checked) => show(&checked),
        Err(error) => {
            eprintln!("validate: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[String]) -> Result<Checked, String> {
    if let Some(option) = arguments.iter().find(|a| a.starts_with('-')) {
        return Err(format!("unknown option {option}\n\n{HELP}"));
    }
    if arguments.is_empty() {
        return Err(format!("name at least one file or folder\n\n{HELP}"));
    }
    let mut files: Vec<Candidate> = Vec::new();
    for argument in arguments {
        for (path, named) in found(Path::new(argument))? {
            let path_text = path.display().to_string();
            if !files.iter().any(|f| f.path == path_text) {
                files.push(Candidate { bytes: read(&path)?, path: path_text, named });
            }
        }
    }
    check(&files).map_err(|e| e.message)
}

/// The file itself, or what lies in the folder, in order.
fn found(path: &Path) -> Result<Vec<(PathBuf, bool)>, String> {
    if !path.is_dir() {
        return Ok(vec![(path.to_owned(), true)]);
    }
    let entries = std::fs::read_dir(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut inside: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    inside.sort();
    let mut all = Vec::new();
    for path in inside.into_iter().filter(|p| !hidden(p)) {
        if path.is_dir() && !path.is_symlink() {
            all.extend(found(&path)?);
        } else if manifest_extension(&path) && path.is_file() {
            all.push((path, false));
        }
    }
    Ok(all)
}

fn hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'))
}

fn manifest_extension(path: &Path) -> bool {
    let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    extension.is_some_and(|e| ["json", "yaml", "yml"].contains(&e.as_str()))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let wrong = |e| format!("{} cannot be read: {e}", path.display());
    let file = std::fs::File::open(path).map_err(wrong)?;
    let mut bytes = Vec::new();
    file.take(READ_LIMIT).read_to_end(&mut bytes).map_err(wrong)?;
    Ok(bytes)
}

fn show(checked: &Checked) -> ExitCode {
    let report = &checked.report;
    for problem in &report.problems {
        println!("{problem}");
    }
    for warning in &report.warnings {
        println!("warning: {warning}");
    }
    for path in &checked.skipped {
        eprintln!("skipped, no manifest: {path}");
    }
    eprintln!(
        "{}, {} and {} checked: {}, {}",
        count(checked.products, "product manifest"),
        count(checked.applications, "application manifest"),
        count(checked.starts, "direct start"),
        count(report.problems.len(), "problem"),
        count(report.warnings.len(), "warning"),
    );
    if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}
