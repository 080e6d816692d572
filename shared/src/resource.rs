//! The contract that every resource type implements.

use crate::clients::Clients;
use crate::context::Phase;
use crate::error::{ErrorType, Result};
use crate::progress::Cx;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// How much a change can hurt, mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeClass {
    /// Adds something.
    Create,
    /// Changes something in place.
    Modify,
    /// Moves users.
    Traffic,
    /// May lose writes that were not replicated.
    DataLoss,
    /// Removes something, or cannot be taken back.
    Destructive,
}

impl ChangeClass {
    /// Whether it needs an approval of its own.
    pub fn hurts(self) -> bool {
        self > Self::Modify
    }

    /// What hurts less than an approved change of the same resource is approved with it.
    pub fn is_permitted(self, approved: &[Self]) -> bool {
        !self.hurts() || approved.iter().any(|known| *known >= self)
    }

    /// The word in plans and mails.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Modify => "modify",
            Self::Traffic => "traffic",
            Self::DataLoss => "data-loss",
            Self::Destructive => "destructive",
        }
    }
}

/// The control plane that a type needs to be up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlPlane {
    /// None.
    None,
    /// The Regions that its parameters name.
    Regional,
    /// One fixed Region, whatever the parameters say.
    Fixed(&'static str),
}

/// A change that `decide` asks for and `apply` makes: one mutating call.
pub trait Classified {
    /// The API action, for example `PromoteReadReplica`. Two different changes of one operation
    /// have different names, or else different keys: the loop remembers by key what it has done.
    fn name(&self) -> &'static str;
    /// What the loop remembers it by. The name, unless an operation makes the same call for several
    /// things: then each of them has its own, for example `CreateDBInstance orders-2`.
    fn key(&self) -> String {
        self.name().to_owned()
    }
    /// Its class.
    fn class(&self) -> ChangeClass;
    /// One line for people: what will happen.
    fn summary(&self) -> String;
    /// Whether the call may be sent again when its effect has not shown after the grace period.
    /// True for calls that AWS itself refuses in the wrong state.
    fn reissuable(&self) -> bool {
        true
    }
    /// Whether the call is a question that is its own answer, asked again at each look: the loop
    /// waits for no effect of it, and a lost answer leaves the last one standing.
    fn is_question(&self) -> bool {
        false
    }
    /// Seconds of writes that may be lost by it, as far as a metric tells.
    fn expected_loss(&self) -> Option<f64> {
        None
    }
    /// How long the call may take beyond the usual ten seconds. The loop begins it only where the
    /// invocation has that much time left.
    fn takes(&self) -> Duration {
        Duration::ZERO
    }
}

/// A reached post-condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// One line for people: what is true now.
    pub summary: String,
    /// Measured data loss, seconds.
    pub rpo_seconds: Option<f64>,
}

impl Outcome {
    /// An outcome without a measured data loss.
    pub fn new(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), rpo_seconds: None }
    }
}

/// What `decide` says.
#[derive(Debug, Clone, PartialEq)]
pub enum Step<C> {
    /// The post-condition is observed.
    Done(Outcome),
    /// Nothing to do but look again; the text says what is awaited.
    Wait(String),
    /// Make this change.
    Change(C),
    /// PLAN only: what is missing (`stack:x`, `rds:<arn>`) and why it matters. In EXECUTE it fails.
    Unknown(Vec<String>, String),
    /// A guard speaks: why, and what the operator can do. Never repeated by itself.
    Refuse(String, String),
    /// It cannot succeed: error type, why, what the operator can do.
    Fail(ErrorType, String, String),
}

/// One resource type. The doc comment of the implementing type has the headings
/// Reads, Changes, Done when, Refuses when, Safe to repeat because.
pub trait Resource: Sized + Send + Sync {
    /// `resourceType` of the manifest.
    const TYPE: &'static str;
    /// Phases in which it is legal.
    const PHASES: &'static [Phase];
    /// IAM actions of `connect` and `observe`.
    const READS: &'static [&'static str];
    /// IAM actions of `apply`, dependent ones included.
    const WRITES: &'static [&'static str];
    /// What must be up.
    const CONTROL_PLANE: ControlPlane;
    /// Deadline of an attempt unless [`Resource::timeout`] says otherwise.
    const TIMEOUT: Duration;
    /// What the operation usually takes, by AWS's documentation and experience: what an approver is
    /// told until a run has measured it.
    const TYPICAL: Duration;
    /// The worst class of change that this type makes; shown when PLAN cannot see further.
    const CLASS: ChangeClass;

    /// Typed parameters; `deny_unknown_fields`.
    type Parameters: DeserializeOwned + JsonSchema + Send + Sync;
    /// What one look sees.
    type Observed: Send + Sync;
    /// The changes it can make.
    type Change: Classified + Send + Sync;

    /// Checks that need no call (Regions, ARNs, combinations), and builds the clients.
    fn connect(
        clients: &Clients,
        p: &Self::Parameters,
        cx: &Cx,
    ) -> impl Future<Output = Result<Self>> + Send;

    /// Looks; never changes anything.
    fn observe(
        &self,
        p: &Self::Parameters,
        cx: &Cx,
    ) -> impl Future<Output = Result<Self::Observed>> + Send;

    /// Decides; pure.
    fn decide(p: &Self::Parameters, o: &Self::Observed, cx: &Cx) -> Step<Self::Change>;

    /// Makes one change. The value is kept in `progress` (at most 1 KB) for later decisions.
    fn apply(
        &self,
        p: &Self::Parameters,
        change: Self::Change,
        cx: &Cx,
    ) -> impl Future<Output = Result<Value>> + Send;

    /// The deadline of an attempt with these parameters.
    fn timeout(_p: &Self::Parameters) -> Duration {
        Self::TIMEOUT
    }

    /// What of this look a later decision must know of, when it does not show any more: the sign of
    /// an operation that AWS may cancel.
    fn signs(_o: &Self::Observed) -> Vec<&'static str> {
        vec![]
    }

    /// How many looks in a row must find the post-condition before EXECUTE believes it. More than
    /// one where the wanted state shows for a moment while the operation still runs.
    fn steady(_p: &Self::Parameters) -> u32 {
        1
    }

    /// PLAN: class and line of the whole operation when its first change does not tell all,
    /// for example a deletion that first lifts deletion protection.
    fn outlook(
        _p: &Self::Parameters,
        _o: &Self::Observed,
        _cx: &Cx,
    ) -> Option<(ChangeClass, String)> {
        None
    }

    /// PLAN: what the planned operation would create (`export:x`, `stack:x`, `rds:<arn>`).
    fn creates(_p: &Self::Parameters, _o: &Self::Observed, _cx: &Cx) -> Vec<String> {
        vec![]
    }
}
