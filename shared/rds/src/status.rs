//! What the status words of a DB instance mean for an operation that waits for `available`.

/// What a status word promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Ready for the next call. It says nothing about roles.
    Available,
    /// On its way to another state.
    Moving,
    /// On its way out.
    Deleting,
    /// It does not leave this state by itself.
    Broken,
}

/// In these the instance serves and takes calls.
const AVAILABLE: &[&str] = &["available", "storage-optimization", "storage-initialization"];

const DELETING: &[&str] = &["deleting", "delete-precheck"];

const BROKEN: &[&str] = &[
    "failed",
    "inaccessible-encryption-credentials",
    "inaccessible-encryption-credentials-recoverable",
    "insufficient-capacity",
    "restore-error",
    "stopped",
    "stopping",
    "storage-full",
];

/// The meaning of a status word. Unknown words count as moving: the deadline bounds the wait.
pub fn health(status: &str) -> Health {
    match status {
        s if AVAILABLE.contains(&s) => Health::Available,
        s if DELETING.contains(&s) => Health::Deleting,
        s if BROKEN.contains(&s) || s.starts_with("incompatible-") => Health::Broken,
        _ => Health::Moving,
    }
}

/// What an operator does about an instance that is [`Health::Broken`].
pub fn remedy(status: &str) -> &'static str {
    match status {
        "stopped" | "stopping" => {
            "Start the instance (RDS console), wait until it is available, then start again."
        }
        "storage-full" => {
            "Give the instance more storage, wait until it is available, start again."
        }
        s if s.starts_with("inaccessible-encryption") => {
            "Enable its KMS key, or give RDS access to it again, then start again."
        }
        "incompatible-parameters" => "Correct its parameter group, reboot it, then start again.",
        _ => "Read its events in the RDS console and bring it to available, then start again.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_what_the_service_documents() {
        let cases = [
            ("available", Health::Available),
            ("storage-optimization", Health::Available),
            ("creating", Health::Moving),
            ("backing-up", Health::Moving),
            ("rebooting", Health::Moving),
            ("a-word-of-next-year", Health::Moving),
            ("deleting", Health::Deleting),
            ("failed", Health::Broken),
            ("incompatible-restore", Health::Broken),
            ("incompatible-network", Health::Broken),
            ("inaccessible-encryption-credentials-recoverable", Health::Broken),
            ("storage-full", Health::Broken),
            ("stopped", Health::Broken),
        ];
        for (word, wanted) in cases {
            assert_eq!(health(word), wanted, "{word}");
        }
    }

    #[test]
    fn a_stopped_instance_is_to_be_started_and_a_full_one_enlarged() {
        assert!(remedy("stopped").starts_with("Start"));
        assert!(remedy("storage-full").contains("storage"));
        assert!(remedy("inaccessible-encryption-credentials").contains("KMS"));
    }
}
