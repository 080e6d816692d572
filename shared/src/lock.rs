//! The run lock: one object per product in the executing Region's bucket. Who holds it may change
//! things; everything is decided by conditional writes, never by a look alone.

use crate::clock;
use crate::context::Phase;
use crate::error::{Error, ErrorType, Result};
use crate::names::PREFIX;
use crate::store::Store;
use serde::{Deserialize, Serialize};

/// Whether somebody has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// A run has it.
    Held,
    /// The last run has given it back.
    Released,
}

/// The object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lock {
    /// Held or released.
    pub state: State,
    /// Product name.
    pub product: String,
    /// The phase that the holder runs.
    pub action: Phase,
    /// ARN of the holder: a product execution, or the phase execution of a direct start.
    pub execution: String,
    /// Its name.
    pub execution_name: String,
    /// What idempotency keys derive from: the first run since the product's last success.
    pub root: String,
    /// RFC 3339.
    pub taken_at: String,
    /// RFC 3339; None while it is held.
    #[serde(default)]
    pub released_at: Option<String>,
    /// How the last holder ended; None while it is held.
    #[serde(default)]
    pub outcome: Option<String>,
    /// Who aborted the holder's run, and why; nothing of it begins any more.
    #[serde(default)]
    pub aborted: Option<String>,
}

impl Lock {
    /// Whether this execution holds it.
    pub fn is_of(&self, execution: &str) -> bool {
        self.state == State::Held && self.execution == execution
    }

    fn over(&self, execution: &str) -> Option<Error> {
        let of_another = self.execution != execution;
        let (error_type, text) = match (&self.aborted, self.state) {
            _ if of_another => {
                (ErrorType::Locked, format!("{} has the product", self.execution_name))
            }
            (Some(why), _) => (ErrorType::Aborted, format!("the run was aborted: {why}")),
            (None, State::Released) => (ErrorType::Aborted, "the run has ended".to_owned()),
            (None, State::Held) => return None,
        };
        let error = Error::new(error_type, format!("nothing begins here any more: {text}"));
        Some(error.next("Start the same manifest again when no run of the product is under way."))
    }

    /// The root that the next run continues: None after a success.
    pub fn unfinished(&self) -> Option<&str> {
        (self.outcome.as_deref() != Some(SUCCEEDED)).then_some(self.root.as_str())
    }

    fn released(self, outcome: &str) -> Self {
        Self {
            state: State::Released,
            released_at: Some(clock::now()),
            outcome: Some(outcome.to_owned()),
            ..self
        }
    }
}

/// The outcome after which the next run begins anew.
pub const SUCCEEDED: &str = "SUCCEEDED";

/// `dr-orchestration-artifacts/locks/<product>.json`.
pub fn key(product: &str) -> String {
    format!("{PREFIX}locks/{product}.json")
}

/// Whether the execution holds the product's lock at this moment, and nobody has aborted its run.
///
/// # Errors
/// As the bucket says: then nobody knows, and nothing may be destroyed.
pub async fn holds(store: &Store, product: &str, execution: &str) -> Result<bool> {
    let lock: Option<Lock> = store.get_json(&key(product)).await?;
    Ok(lock.is_some_and(|lock| lock.is_of(execution) && lock.aborted.is_none()))
}

/// Gives it back, when the execution holds it. False: it does not, and nothing was written.
///
/// # Errors
/// As the bucket says.
pub async fn release(store: &Store, product: &str, execution: &str, outcome: &str) -> Result<bool> {
    let key = key(product);
    let Some(object) = store.get(&key).await? else { return Ok(false) };
    match read(&object.bytes) {
        Some(lock) if lock.is_of(execution) => {
            store.put_if(&key, &lock.released(outcome), &object.etag).await
        }
        _ => Ok(false),
    }
}

/// Why nothing of this execution's run may begin any more; None while it goes on, and where nobody has
/// ever taken a lock.
///
/// # Errors
/// As the bucket says.
pub async fn over(store: &Store, product: &str, execution: &str) -> Result<Option<Error>> {
    let lock: Option<Lock> = store.get_json(&key(product)).await?;
    Ok(lock.and_then(|lock| lock.over(execution)))
}

/// Notes that the run of this execution is aborted: by somebody, or because it has ended while parts
/// of it may still act. A redriven part then begins nothing any more. False: it does not hold the lock any more.
///
/// # Errors
/// As the bucket says.
pub async fn abort(store: &Store, product: &str, execution: &str, why: &str) -> Result<bool> {
    let key = key(product);
    loop {
        let Some(object) = store.get(&key).await? else { return Ok(false) };
        let Some(lock) = read(&object.bytes).filter(|lock| lock.is_of(execution)) else {
            return Ok(false);
        };
        let noted = Lock { aborted: Some(lock.aborted.unwrap_or(why.to_owned())), ..lock };
        if store.put_if(&key, &noted, &object.etag).await? {
            return Ok(true);
        }
    }
}

/// None: somebody wrote something else there.
pub fn read(bytes: &[u8]) -> Option<Lock> {
    serde_json::from_slice(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lock() -> Lock {
        Lock {
            state: State::Held,
            product: "shop".into(),
            action: Phase::Activate,
            execution: "arn:run-2".into(),
            execution_name: "run-2".into(),
            root: "run-1".into(),
            taken_at: "2026-01-01T00:00:00Z".into(),
            released_at: None,
            outcome: None,
            aborted: None,
        }
    }

    #[test]
    fn only_the_holder_holds_it() {
        assert!(lock().is_of("arn:run-2"));
        assert!(!lock().is_of("arn:run-1"));
        assert!(!lock().released("FAILED").is_of("arn:run-2"));
    }

    #[test]
    fn a_run_is_over_when_it_was_aborted_has_ended_or_lost_its_lock() {
        let kind = |lock: Lock| lock.over("arn:run-2").map(|error| error.error_type);
        assert_eq!(kind(lock()), None);
        assert_eq!(kind(lock().released("FAILED")), Some(ErrorType::Aborted));
        let aborted = Lock { aborted: Some("Ann".into()), ..lock() };
        assert_eq!(kind(aborted), Some(ErrorType::Aborted));
        let other = Lock { execution: "arn:run-3".into(), ..lock() };
        assert_eq!(kind(other), Some(ErrorType::Locked));
    }

    #[test]
    fn a_root_ends_with_a_success() {
        assert_eq!(lock().unfinished(), Some("run-1"), "stopped without a word");
        assert_eq!(lock().released("FAILED").unfinished(), Some("run-1"));
        assert_eq!(lock().released(SUCCEEDED).unfinished(), None);
    }

    #[test]
    fn the_object_is_for_people_too() {
        let value = serde_json::to_value(lock()).unwrap();
        assert_eq!(value["state"], "held");
        assert_eq!(value["action"], "ACTIVATE");
        assert_eq!(read(value.to_string().as_bytes()), Some(lock()));
        assert_eq!(read(json!({"x": 1}).to_string().as_bytes()), None);
    }
}
