//! What the words of ElastiCache mean. They are compared in any case: the service writes roles in
//! capitals in some answers and in small letters in others. The API reference lists the words of a
//! replication group; those of a global datastore are only known from use.

/// What a status word promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Ready for the next call. It says nothing about roles.
    Available,
    /// A global datastore whose only member is its primary, or that has lost its secondaries.
    PrimaryOnly,
    /// On its way to another state.
    Moving,
    /// On its way out.
    Deleting,
    /// It does not leave this state by itself.
    Broken,
}

/// The role of a replication group in its global datastore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It takes writes.
    Primary,
    /// It follows the primary.
    Secondary,
}

/// A role as the service writes it; None for a word that is neither.
pub fn role(word: &str) -> Option<Role> {
    match word.trim().to_ascii_lowercase().as_str() {
        "primary" => Some(Role::Primary),
        "secondary" => Some(Role::Secondary),
        _ => None,
    }
}

/// The meaning of a replication group's status. Unknown words count as moving: the deadline bounds
/// the wait.
pub fn group_health(status: &str) -> Health {
    match status.to_ascii_lowercase().as_str() {
        "available" => Health::Available,
        "deleting" | "deleted" => Health::Deleting,
        "create-failed" | "failed" => Health::Broken,
        _ => Health::Moving,
    }
}

/// The meaning of a global datastore's status; unknown words as in [`group_health`].
pub fn datastore_health(status: &str) -> Health {
    match status.to_ascii_lowercase().as_str() {
        "available" => Health::Available,
        "primary-only" => Health::PrimaryOnly,
        "deleting" | "deleted" => Health::Deleting,
        "create-failed" | "failed" => Health::Broken,
        _ => Health::Moving,
    }
}

/// What an operator does about a replication group that is [`Health::Broken`] or
/// [`Health::Deleting`].
pub fn group_remedy(status: &str) -> &'static str {
    match group_health(status) {
        Health::Deleting => "Wait until it is gone; find out who deletes it; then start again.",
        _ => "Read its events in the ElastiCache console, remove the cause, then start again.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_the_same_in_any_case() {
        for word in ["PRIMARY", "primary", "Primary"] {
            assert_eq!(role(word), Some(Role::Primary), "{word}");
        }
        assert_eq!(role("Secondary"), Some(Role::Secondary));
        assert_eq!(role("observer"), None);
        assert_eq!(group_health("AVAILABLE"), Health::Available);
        assert_eq!(datastore_health("Primary-Only"), Health::PrimaryOnly);
    }

    #[test]
    fn unknown_words_are_awaited_and_broken_ones_are_not() {
        for word in ["creating", "modifying", "snapshotting", "a-word-of-next-year"] {
            assert_eq!(group_health(word), Health::Moving, "{word}");
            assert_eq!(datastore_health(word), Health::Moving, "{word}");
        }
        assert_eq!(group_health("create-failed"), Health::Broken);
        assert_eq!(datastore_health("create-failed"), Health::Broken);
        assert_eq!(group_health("deleting"), Health::Deleting);
        assert_eq!(datastore_health("deleted"), Health::Deleting);
        assert!(group_remedy("deleting").starts_with("Wait"));
        assert!(group_remedy("create-failed").contains("events"));
    }
}
