//! From what a Catch holds (`Error`, `Cause`) to one plain failure. The cause of a failed child is the
//! child's description in JSON, whose cause may be that of a grandchild, and so on; any of them may
//! be cut in the middle, for Step Functions keeps 32,768 characters.

use crate::error::ErrorType;
use crate::text::{one_line, sentence};
use serde_json::{Map, Value};

/// Children of children; beyond that something is wrong with the text.
const DEPTH: usize = 8;
const RESUME: &str = "Starting the same manifest again resumes.";

/// What failed, unwrapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// One of the closed set.
    pub error_type: ErrorType,
    /// Why, in sentences with the next step. Empty when there are lines.
    pub message: String,
    /// Complete lines that a deeper level has made already.
    pub lines: Vec<String>,
    /// Short name of the application manifest, when a child's input told it.
    pub file: Option<String>,
}

/// Unwraps a caught error.
pub fn unwrap(error: &str, cause: &str) -> Failure {
    unwrap_at(error, cause, 0)
}

fn unwrap_at(error: &str, cause: &str, depth: usize) -> Failure {
    let parsed = if depth < DEPTH { lenient(cause) } else { None };
    match parsed {
        Some(Value::Array(items)) => match texts(&items) {
            lines if lines.is_empty() => plain(error, cause),
            lines => of_lines(error, lines),
        },
        Some(Value::Object(fields)) => of_object(error, cause, &fields, depth),
        Some(Value::String(inner)) => unwrap_at(error, &inner, depth + 1),
        _ => plain(error, cause),
    }
}

fn of_object(error: &str, cause: &str, fields: &Map<String, Value>, depth: usize) -> Failure {
    if let Some(Value::Array(items)) = fields.get("lines") {
        return of_lines(error, texts(items));
    }
    if field(fields, "executionArn").is_some() {
        return of_child(fields, depth);
    }
    let name = field(fields, "errorType").unwrap_or(error);
    match field(fields, "errorMessage") {
        Some(message) => unwrap_at(name, message, depth + 1),
        None if fields.contains_key("errorType") => plain(name, ""),
        None => plain(error, cause),
    }
}

/// A failed, timed out or aborted child, described by `DescribeExecution`.
fn of_child(fields: &Map<String, Value>, depth: usize) -> Failure {
    let file = file_of(fields);
    let (error, cause) = (field(fields, "error"), field(fields, "cause"));
    let name = field(fields, "name")
        .or_else(|| field(fields, "executionArn").and_then(|arn| arn.rsplit(':').next()))
        .unwrap_or("?");
    let mut failure = match (error, cause, field(fields, "status")) {
        (_, _, Some("ABORTED")) => stopped(name, error, cause),
        (None, None, Some("TIMED_OUT")) => Failure::new(
            ErrorType::TimedOut,
            format!("the execution {name} ran into its time limit. {RESUME}"),
        ),
        (None, None, _) => Failure::new(
            ErrorType::Internal,
            format!(
                "the execution {name} failed without a readable cause. Open it in the console. {RESUME}"
            ),
        ),
        _ => unwrap_at(error.unwrap_or_default(), cause.unwrap_or_default(), depth + 1),
    };
    failure.file = failure.file.or(file);
    failure
}

/// Somebody stopped it; error and cause are what that person typed.
pub fn stopped(name: &str, error: Option<&str>, cause: Option<&str>) -> Failure {
    let said: Vec<String> = [error, cause].into_iter().flatten().map(one_line).collect();
    let said = if said.is_empty() { String::new() } else { format!(" ({})", said.join(": ")) };
    let text =
        format!("the execution {name} was stopped by somebody before it ended{said}. {RESUME}");
    Failure::new(ErrorType::Failed, text)
}

impl Failure {
    fn new(error_type: ErrorType, message: String) -> Self {
        Self { error_type, message, lines: vec![], file: None }
    }
}

fn of_lines(error: &str, lines: Vec<String>) -> Failure {
    let error_type = ours(error).unwrap_or(ErrorType::Internal);
    Failure { lines, ..Failure::new(error_type, String::new()) }
}

/// Names and a text that is not JSON.
fn plain(error: &str, text: &str) -> Failure {
    let text = sentence(&one_line(text));
    if let Some(error_type) = ours(error) {
        let text =
            if text.is_empty() { format!("it failed without a cause. {RESUME}") } else { text };
        return Failure::new(error_type, text);
    }
    let (error_type, what) = foreign(error);
    let told = if text.is_empty() { String::new() } else { format!(" {text}") };
    Failure::new(error_type, format!("{what} ({}).{told} {RESUME}", or_unnamed(error)))
}

fn or_unnamed(error: &str) -> String {
    let name = one_line(error);
    if name.is_empty() { "no error name".to_owned() } else { name }
}

fn ours(error: &str) -> Option<ErrorType> {
    ErrorType::ALL.into_iter().find(|e| e.as_str() == error)
}

/// A sentence for errors that AWS names. A name that begins with `States.` must not be raised again.
fn foreign(error: &str) -> (ErrorType, &'static str) {
    let what = match error {
        "States.Timeout" => {
            return (ErrorType::TimedOut, "a step did not end within its time limit");
        }
        "States.HeartbeatTimeout" => return (ErrorType::TimedOut, "a step stopped answering"),
        "States.Runtime" => "the state machine could not go on with the data it had",
        "States.DataLimitExceeded" => "an input or output was larger than 256 KB",
        "States.Permissions" => "the state machine's role lacks a permission",
        "Sandbox.Timedout" => "the function did not end within its time limit and was stopped",
        "Runtime.ExitError" => "the function crashed",
        "Runtime.OutOfMemory" => "the function used up its memory",
        "Lambda.TooManyRequestsException" => {
            "the function was throttled: the account's Lambda concurrency is used up"
        }
        "Lambda.ResourceNotFoundException" => {
            "the function does not exist; deploy the orchestrator again"
        }
        "Lambda.AccessDeniedException" => "the state machine may not invoke the function",
        _ if error.starts_with("Lambda.") => "the function could not be invoked",
        _ if error.starts_with("StepFunctions.") => "a child execution could not be started",
        _ if error.starts_with("Runtime.") || error.starts_with("Extension.") => {
            "the function could not run"
        }
        _ if error.starts_with("States.") => "the state machine could not do the step",
        _ => "it failed for a reason that is not one of ours",
    };
    (ErrorType::Internal, what)
}

fn texts(items: &[Value]) -> Vec<String> {
    let lines = items.iter().filter_map(Value::as_str).map(one_line);
    lines.filter(|l| !l.is_empty()).collect()
}

/// A text field in AWS's two spellings: `ExecutionArn` and `executionArn`.
fn field<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let mut upper = name.to_owned();
    upper[..1].make_ascii_uppercase();
    let value = fields.get(name).or_else(|| fields.get(&upper))?;
    value.as_str().filter(|t| !t.is_empty())
}

/// `file.file` of the child's input, which is JSON or JSON in a text.
fn file_of(fields: &Map<String, Value>) -> Option<String> {
    let input = fields.get("Input").or_else(|| fields.get("input"))?;
    let input = match input {
        Value::String(text) => lenient(text)?,
        other => other.clone(),
    };
    let name = input.pointer("/file/file").or_else(|| input.pointer("/context/file"))?;
    name.as_str().map(one_line)
}

/// JSON, completed when it was cut in the middle. None: it is no JSON object, array or text.
fn lenient(text: &str) -> Option<Value> {
    let text = text.trim();
    if !text.starts_with(['{', '[', '"']) {
        return None;
    }
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    let mut rest = text;
    for _ in 0..20 {
        if let Ok(value) = serde_json::from_str(&completed(rest)) {
            return Some(value);
        }
        // A key without its value, or half an escape: give up what follows the last comma.
        rest = &rest[..rest.rfind([',', '\\'])?];
    }
    None
}

/// Closes what is open at the end: a text, lists, objects.
fn completed(text: &str) -> String {
    let (mut open, mut quoted, mut escaped) = (Vec::new(), false, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '{' if !quoted => open.push('}'),
            '[' if !quoted => open.push(']'),
            '}' | ']' if !quoted => {
                open.pop();
            }
            _ => {}
        }
    }
    let mut out = text.to_owned();
    if escaped {
        out.pop();
    }
    if quoted {
        out.push_str("...\"");
    }
    let out = out.trim_end().trim_end_matches(',').to_owned();
    open.iter().rev().fold(out, |mut out, c| {
        out.push(*c);
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn child(status: &str, error: Option<&str>, cause: Option<&str>) -> String {
        let mut value = json!({
            "ExecutionArn": "arn:aws:states:us-west-2:123456789012:execution:m:run-1-app",
            "Input": "{\"mode\":\"EXECUTE\",\"file\":{\"file\":\"shop-app1\"}}",
            "Name": "run-1-app",
            "Status": status,
        });
        if let Some(error) = error {
            value["Error"] = json!(error);
        }
        if let Some(cause) = cause {
            value["Cause"] = json!(cause);
        }
        value.to_string()
    }

    fn told(error: &str, cause: &str) -> String {
        let failure = unwrap(error, cause);
        let lines = failure.lines.join(" / ");
        format!("{} | {}{lines}", failure.error_type, failure.message)
    }

    #[test]
    fn every_shape_of_a_cause_is_told_plainly() {
        let crash =
            json!({"errorMessage": "Error: exit status 101", "errorType": "Runtime.ExitError"});
        let refusal =
            json!({"errorMessage": "no. Do b.", "errorType": "Dr.Refused", "stackTrace": []});
        let inner = child("FAILED", Some("Dr.Refused"), Some("it is the last copy. Look."));
        let middle = child("FAILED", Some("States.TaskFailed"), Some(&inner));
        let lines = json!({"lines": ["a, layer 1: x", "b\nc"]}).to_string();
        let cases = [
            ("Dr.Failed", "it broke", "Dr.Failed | it broke."),
            (
                "Dr.Failed",
                "",
                "Dr.Failed | it failed without a cause. Starting the same manifest again resumes.",
            ),
            ("Dr.LayerFailed", &lines, "Dr.LayerFailed | a, layer 1: x / b c"),
            ("Dr.AppLayerFailed", "[\"one\",\"two\"]", "Dr.AppLayerFailed | one / two"),
            ("States.TaskFailed", &middle, "Dr.Refused | it is the last copy. Look."),
            (
                "States.TaskFailed",
                &child("FAILED", Some("Dr.LayerFailed"), Some(&lines)),
                "Dr.LayerFailed | a, layer 1: x / b c",
            ),
            ("Dr.Refused", &refusal.to_string(), "Dr.Refused | no. Do b."),
            (
                "Runtime.ExitError",
                &crash.to_string(),
                "Dr.Internal | the function crashed (Runtime.ExitError). Error: exit status 101. Starting the same manifest again resumes.",
            ),
            (
                "States.Timeout",
                "",
                "Dr.TimedOut | a step did not end within its time limit (States.Timeout). Starting the same manifest again resumes.",
            ),
            (
                "States.Runtime",
                "An error occurred",
                "Dr.Internal | the state machine could not go on with the data it had (States.Runtime). An error occurred. Starting the same manifest again resumes.",
            ),
            (
                "",
                "",
                "Dr.Internal | it failed for a reason that is not one of ours (no error name). Starting the same manifest again resumes.",
            ),
            (
                "States.TaskFailed",
                &child("TIMED_OUT", None, None),
                "Dr.TimedOut | the execution run-1-app ran into its time limit. Starting the same manifest again resumes.",
            ),
            (
                "States.TaskFailed",
                &child("ABORTED", None, None),
                "Dr.Failed | the execution run-1-app was stopped by somebody before it ended. Starting the same manifest again resumes.",
            ),
            (
                "States.TaskFailed",
                &child("ABORTED", Some("Stop"), Some("drill over")),
                "Dr.Failed | the execution run-1-app was stopped by somebody before it ended (Stop: drill over). Starting the same manifest again resumes.",
            ),
            (
                "States.TaskFailed",
                &child("FAILED", None, None),
                "Dr.Internal | the execution run-1-app failed without a readable cause. Open it in the console. Starting the same manifest again resumes.",
            ),
            ("Dr.Failed", "{\"other\": 1}", "Dr.Failed | {\"other\": 1}."),
            ("Dr.Failed", "{ not json", "Dr.Failed | { not json."),
        ];
        for (error, cause, wanted) in cases {
            assert_eq!(told(error, cause), wanted, "{error} {cause}");
        }
    }

    #[test]
    fn the_file_comes_from_the_childs_input() {
        let failure = unwrap("States.TaskFailed", &child("FAILED", Some("Dr.Refused"), Some("no")));
        assert_eq!(failure.file.as_deref(), Some("shop-app1"));
    }

    #[test]
    fn a_cut_cause_still_tells_what_it_holds() {
        let lines = json!({"lines": ["first line", "second line", "third line"]}).to_string();
        let whole = child("FAILED", Some("Dr.LayerFailed"), Some(&lines));
        let cut = &whole[..whole.find("third").unwrap() + 3];
        assert!(
            told("States.TaskFailed", cut)
                .starts_with("Dr.LayerFailed | first line / second line / thi")
        );
        for end in 1..whole.len() {
            // No cut anywhere may lose the fact that it failed, or panic.
            assert!(told("States.TaskFailed", &whole[..end]).starts_with("Dr."), "{end}");
        }
    }

    #[test]
    fn what_aws_names_is_told_in_a_sentence() {
        for (name, said) in [
            ("States.HeartbeatTimeout", "Dr.TimedOut | a step stopped answering"),
            ("States.DataLimitExceeded", "Dr.Internal | an input or output was larger than 256 KB"),
            ("States.Permissions", "Dr.Internal | the state machine's role lacks a permission"),
            ("Sandbox.Timedout", "Dr.Internal | the function did not end within its time limit"),
            ("Runtime.OutOfMemory", "Dr.Internal | the function used up its memory"),
            ("Runtime.Unknown", "Dr.Internal | the function could not run"),
            ("Extension.Crash", "Dr.Internal | the function could not run"),
            ("Lambda.TooManyRequestsException", "Dr.Internal | the function was throttled"),
            ("Lambda.ResourceNotFoundException", "Dr.Internal | the function does not exist"),
            ("Lambda.AccessDeniedException", "Dr.Internal | the state machine may not invoke"),
            ("Lambda.Unknown", "Dr.Internal | the function could not be invoked"),
            ("StepFunctions.X", "Dr.Internal | a child execution could not be started"),
            ("States.TaskFailed", "Dr.Internal | the state machine could not do the step"),
        ] {
            let text = told(name, "why");
            assert!(text.starts_with(said), "{text}");
            assert!(text.ends_with(&format!(" ({name}). why. {RESUME}")), "{text}");
        }
    }

    #[test]
    fn no_name_of_aws_is_raised_again() {
        for name in ["States.Timeout", "States.Runtime", "Lambda.Unknown", "StepFunctions.X", "Zzz"]
        {
            let failure = unwrap(name, "text");
            assert!(failure.error_type.as_str().starts_with("Dr."));
            assert!(failure.message.contains(name));
        }
    }

    #[test]
    fn nesting_has_an_end() {
        let mut cause = "deep".to_owned();
        for _ in 0..12 {
            cause = child("FAILED", Some("Dr.Failed"), Some(&cause));
        }
        assert_eq!(unwrap("States.TaskFailed", &cause).error_type, ErrorType::Failed);
    }
}
