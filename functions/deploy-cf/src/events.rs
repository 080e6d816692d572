//! What the events of a stack say of its last operation.

use crate::observed::LastOperation;

/// One event, newest first in a list.
#[derive(Debug, Clone, Default)]
pub struct Event {
    /// Logical id.
    pub logical: String,
    /// Resource type.
    pub kind: String,
    /// Whether it is about the stack itself.
    pub of_stack: bool,
    /// For example `CREATE_FAILED`.
    pub status: String,
    /// Why.
    pub reason: String,
    /// `ClientRequestToken`.
    pub token: String,
    /// Seconds since 1970.
    pub at: i64,
}

/// The newest event of the stack itself.
pub fn last_operation(events: &[Event]) -> Option<LastOperation> {
    let newest = events.iter().find(|e| e.of_stack)?;
    Some(LastOperation { token: newest.token.clone(), at: newest.at })
}

/// How many of the events belong to the last operation; None when its beginning is not among them.
/// A deletion that a failed creation brought about belongs to the creation.
pub fn length_of_operation(events: &[Event], stack_status: &str) -> Option<usize> {
    let deletion = stack_status == "DELETE_FAILED";
    events.iter().position(|e| {
        let begins = match e.status.as_str() {
            "CREATE_IN_PROGRESS" | "UPDATE_IN_PROGRESS" | "IMPORT_IN_PROGRESS" => true,
            "DELETE_IN_PROGRESS" => deletion,
            _ => false,
        };
        e.of_stack && begins
    })
}

/// The first resource that failed in the last operation: the others failed because of it.
pub fn first_failure(events: &[Event], stack_status: &str) -> Option<String> {
    let end = length_of_operation(events, stack_status).unwrap_or(events.len());
    let failed = |e: &&Event| e.status.ends_with("_FAILED") && !e.of_stack;
    let cancelled = |e: &&Event| e.reason.contains("cancelled");
    let first = events[..end]
        .iter()
        .rev()
        .find(|e| failed(e) && !cancelled(e))
        .or_else(|| events[..end].iter().rev().find(|e| e.status.ends_with("_FAILED")))?;
    let reason = if first.reason.is_empty() { "no reason given" } else { &first.reason };
    Some(format!("{} ({}) {}: {reason}", first.logical, first.kind, first.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(logical: &str, status: &str, reason: &str) -> Event {
        Event {
            logical: logical.into(),
            kind: "AWS::X::Y".into(),
            of_stack: logical == "stack",
            status: status.into(),
            reason: reason.into(),
            token: "t".into(),
            at: 7,
        }
    }

    fn events() -> Vec<Event> {
        vec![
            event("stack", "ROLLBACK_COMPLETE", ""),
            event("Other", "CREATE_FAILED", "Resource creation cancelled"),
            event("Db", "CREATE_FAILED", "no such subnet"),
            event("Early", "CREATE_FAILED", "Resource creation cancelled"),
            event("stack", "CREATE_IN_PROGRESS", ""),
            event("Old", "DELETE_FAILED", "of an earlier operation"),
        ]
    }

    #[test]
    fn the_cause_is_the_first_failure_that_is_not_a_consequence() {
        let failure = first_failure(&events(), "ROLLBACK_COMPLETE").unwrap();
        assert_eq!(failure, "Db (AWS::X::Y) CREATE_FAILED: no such subnet");
        assert_eq!(first_failure(&[], "ROLLBACK_COMPLETE"), None);
        let silent = [event("Db", "CREATE_FAILED", "")];
        let failure = first_failure(&silent, "ROLLBACK_COMPLETE").unwrap();
        assert_eq!(failure, "Db (AWS::X::Y) CREATE_FAILED: no reason given");
    }

    #[test]
    fn a_failed_deletion_does_not_reach_back_to_the_creation() {
        let mut all = vec![
            event("stack", "DELETE_FAILED", ""),
            event("Bucket", "DELETE_FAILED", "not empty"),
            event("stack", "DELETE_IN_PROGRESS", ""),
        ];
        all.extend(events());
        assert!(first_failure(&all, "DELETE_FAILED").unwrap().contains("not empty"));
        assert!(first_failure(&all, "DELETE_COMPLETE").unwrap().contains("no such subnet"));
    }

    #[test]
    fn the_last_operation_is_the_newest_event_of_the_stack_itself() {
        let mut all = events();
        all.insert(0, event("Db", "DELETE_COMPLETE", ""));
        let last = last_operation(&all).unwrap();
        assert_eq!((last.token.as_str(), last.at), ("t", 7));
    }
}
