//! The memory between polls, and what `decide` may know beside parameters and observation.

use crate::clock;
use crate::coerce::Flag;
use crate::context::{Context, Mode, Phase};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// One change that was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Act {
    /// When, seconds since 1970.
    pub at: i64,
    /// False when the answer was lost, so that nobody knows whether it took effect.
    pub certain: bool,
    /// What `apply` returned.
    #[serde(default)]
    pub result: Value,
}

/// A hint between polls: losing it may cost a wait, never a second destructive act.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Start of the attempt, seconds since 1970.
    pub since: i64,
    /// What was sent, by [`crate::Classified::key`].
    #[serde(default)]
    pub acts: BTreeMap<String, Act>,
    /// How often AWS refused a change for the resource's state.
    #[serde(default)]
    pub faults: BTreeMap<String, u32>,
    /// Looks in a row that found the post-condition.
    #[serde(default)]
    pub steady: u32,
    /// When each of [`crate::Resource::signs`] was seen last, seconds since 1970.
    #[serde(default)]
    pub signs: BTreeMap<String, i64>,
    /// Looks in a row that each of them has been missing from.
    #[serde(default)]
    pub gone: BTreeMap<String, u32>,
}

impl Progress {
    /// From the last answer; a missing or foreign value starts anew.
    pub fn from_value(value: Option<&Value>, now: i64) -> Self {
        value
            .and_then(|v| serde_json::from_value(v.clone()).ok())
            .unwrap_or_else(|| Self { since: now, ..Self::default() })
    }
}

/// What `decide` and `apply` may know beside parameters and observation.
#[derive(Debug, Clone)]
pub struct Cx {
    /// The run and the place in it.
    pub context: Context,
    /// The phase.
    pub phase: Phase,
    /// PLAN or EXECUTE.
    pub mode: Mode,
    /// Name for people.
    pub resource_name: String,
    /// The account that the resource is in.
    pub account: String,
    /// `aws`, `aws-cn`, ...
    pub partition: String,
    /// The memory between polls.
    pub progress: Progress,
    /// Now, seconds since 1970.
    pub now: i64,
}

impl Cx {
    /// The change of that key, when it was sent in this attempt.
    pub fn act(&self, key: &str) -> Option<&Act> {
        self.progress.acts.get(key)
    }

    /// Seconds since the change of that key was sent.
    pub fn seconds_since(&self, key: &str) -> Option<i64> {
        self.act(key).map(|a| self.now - a.at)
    }

    /// Whether any change was sent in this attempt.
    pub fn changed(&self) -> bool {
        !self.progress.acts.is_empty()
    }

    /// Seconds since a sign was seen last in this attempt; 0 while it shows.
    pub fn seconds_since_sign(&self, sign: &str) -> Option<i64> {
        self.progress.signs.get(sign).map(|at| self.now - at)
    }

    /// Looks in a row, this one included, that did not show a sign which was seen before.
    pub fn looks_without_sign(&self, sign: &str) -> u32 {
        self.progress.gone.get(sign).copied().unwrap_or_default()
    }

    /// Keeps what a look shows, and counts the looks that miss what was seen before.
    pub(crate) fn remember(&mut self, shown: &[&str]) {
        let Progress { signs, gone, .. } = &mut self.progress;
        for missing in signs.keys().filter(|s| !shown.contains(&s.as_str())) {
            *gone.entry(missing.clone()).or_default() += 1;
        }
        for sign in shown {
            gone.remove(*sign);
            signs.insert((*sign).to_owned(), self.now);
        }
    }

    /// An idempotency key: a UUID that stays the same over restarts of the same phase until the
    /// product has succeeded.
    pub fn key(&self, purpose: &str) -> String {
        let Context { root, .. } = &self.context;
        let base = format!("{root}/{}/{}/{purpose}", self.phase, self.context.position());
        Uuid::new_v5(&Uuid::NAMESPACE_OID, base.as_bytes()).to_string()
    }

    /// Seconds since the attempt began.
    pub fn waited(&self) -> i64 {
        (self.now - self.progress.since).max(0)
    }

    /// What a consent parameter must say before `what` happens: None when it says so. Somebody who
    /// starts a phase directly has decided already, perhaps with a payload of a tool that knows no
    /// such parameter: there the answer is a warning.
    ///
    /// # Errors
    /// `Dr.Refused` in the run of a product when consent is missing, and wherever it is denied.
    pub fn consent(
        &self,
        parameter: &str,
        given: Option<Flag>,
        what: &str,
    ) -> Result<Option<String>> {
        match given {
            Some(Flag(true)) => Ok(None),
            None if self.context.direct => {
                Ok(Some(format!("{what}, without {parameter} \"True\": started directly")))
            }
            _ => {
                Err(Error::refused(format!("{what}: parameters.{parameter} does not agree to it"))
                    .next(format!("Set {parameter} to \"True\" if that is meant.")))
            }
        }
    }

    pub(crate) fn tick(&mut self) {
        self.now = clock::epoch();
    }
}

/// A context for the tests of `decide`: product shop, us-east-1 lost, us-west-2 executing,
/// account 123456789012, an EXECUTE attempt that began 100 s ago.
#[doc(hidden)]
pub fn sample_cx(phase: Phase) -> Cx {
    Cx {
        context: crate::context::sample(),
        phase,
        mode: Mode::Execute,
        resource_name: "r".into(),
        account: "123456789012".into(),
        partition: "aws".into(),
        progress: Progress { since: 1_700_000_000, ..Progress::default() },
        now: 1_700_000_100,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::sample;
    use serde_json::json;

    #[test]
    fn foreign_progress_starts_anew() {
        let progress = Progress::from_value(Some(&json!("x")), 7);
        assert_eq!(progress, Progress { since: 7, ..Progress::default() });
    }

    #[test]
    fn a_sign_that_is_gone_is_remembered_with_the_looks_that_miss_it() {
        let mut cx = sample_cx(Phase::Activate);
        cx.remember(&[]);
        assert_eq!((cx.seconds_since_sign("s"), cx.looks_without_sign("s")), (None, 0));
        cx.remember(&["s"]);
        assert_eq!((cx.seconds_since_sign("s"), cx.looks_without_sign("s")), (Some(0), 0));
        cx.now += 30;
        cx.remember(&["t"]);
        cx.remember(&["t"]);
        assert_eq!((cx.seconds_since_sign("s"), cx.looks_without_sign("s")), (Some(30), 2));
        let kept = serde_json::to_value(&cx.progress).unwrap();
        assert_eq!(Progress::from_value(Some(&kept), 0), cx.progress);
        cx.remember(&["s"]);
        assert_eq!((cx.seconds_since_sign("s"), cx.looks_without_sign("s")), (Some(0), 0));
    }

    #[test]
    fn consent_is_given_or_refused_and_warned_of_in_a_direct_start() {
        let mut cx = sample_cx(Phase::Activate);
        let ask = |cx: &Cx, given| cx.consent("AcceptDataLoss", given, "writes may be lost");
        assert_eq!(ask(&cx, Some(Flag(true))).unwrap(), None);
        let error = ask(&cx, None).unwrap_err();
        assert_eq!(error.error_type, crate::ErrorType::Refused);
        assert!(error.message.contains("parameters.AcceptDataLoss"), "{}", error.message);
        cx.context.direct = true;
        assert!(ask(&cx, None).unwrap().unwrap().starts_with("writes may be lost"));
        assert!(ask(&cx, Some(Flag(false))).is_err(), "a denial holds everywhere");
        assert_eq!(ask(&cx, Some(Flag(true))).unwrap(), None);
    }

    #[test]
    fn a_key_depends_on_root_and_place_only() {
        let cx = |root: &str| Cx {
            context: Context { root: root.into(), ..sample() },
            phase: Phase::Activate,
            mode: Mode::Execute,
            resource_name: "r".into(),
            account: "1".into(),
            partition: "aws".into(),
            progress: Progress::default(),
            now: 0,
        };
        assert_eq!(cx("a").key("k"), cx("a").key("k"));
        assert_ne!(cx("a").key("k"), cx("b").key("k"));
    }
}
