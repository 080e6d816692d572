//! What the status words of a DB instance mean for an operation that waits for `available`.

/// What a status word promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// `available`: ready for the next call. It says nothing about roles.
    Available,
    /// On its way to another state.
    Moving,
    /// `deleting`.
    Deleting,
    /// It does not leave this state by itself.
    Broken,
}

const BROKEN: &[&str] = &[
    "failed",
    "restore-error",
    "storage-full",
    "stopped",
    "stopping",
    "inaccessible-encryption-credentials",
    "inaccessible-encryption-credentials-recoverable",
];

/// The meaning of a status word. Unknown words count as moving: the deadline bounds the wait.
pub fn health(status: &str) -> Health {
    match status {
        "available" | "storage-optimization" => Health::Available,
        "deleting" => Health::Deleting,
        s if BROKEN.contains(&s) || s.starts_with("incompatible-") => Health::Broken,
        _ => Health::Moving,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_what_the_service_documents() {
        let cases = [
            ("available", Health::Available),
            ("backing-up", Health::Moving),
            ("rebooting", Health::Moving),
            ("a-word-of-next-year", Health::Moving),
            ("deleting", Health::Deleting),
            ("incompatible-restore", Health::Broken),
            ("storage-full", Health::Broken),
            ("stopped", Health::Broken),
        ];
        for (word, wanted) in cases {
            assert_eq!(health(word), wanted, "{word}");
        }
    }
}
