//! What the type does in a phase: instances of a cluster, or a failover to it. Which of them it is
//! was settled when the clients were built.

use crate::change::Change;
use crate::instances::Instances;
use crate::mode::{self, Mode};
use crate::observed::Observed;
use crate::parameters::{self, Parameters};
use crate::{add, remove};
use serde_json::Value;
use shared::{ChangeClass, Classified, Clients, Cx, Phase, Result, Step};
use shared_aurora_failover::failover::{self, Takeover};
use shared_aurora_failover::switchover::{self, Switchover};
use std::time::Duration;

/// The clients.
pub enum Work {
    /// INSTANTIATE and CLEANUP.
    Instances(Instances),
    /// ACTIVATE, planned.
    Switchover(Box<Switchover>),
    /// ACTIVATE, unplanned.
    Takeover(Takeover),
}

/// One look.
pub enum Look {
    /// INSTANTIATE and CLEANUP.
    Instances(Box<Observed>),
    /// ACTIVATE, planned.
    Switchover(Box<switchover::Observed>),
    /// ACTIVATE, unplanned.
    Takeover(Box<failover::Observed>),
}

/// One call.
#[derive(Debug, PartialEq)]
pub enum Act {
    /// INSTANTIATE and CLEANUP.
    Instance(Change),
    /// ACTIVATE, planned.
    Switchover(switchover::Change),
    /// ACTIVATE, unplanned.
    Takeover(failover::Change),
}

impl Work {
    /// Checks the parameters and builds the clients.
    ///
    /// # Errors
    /// `Dr.InvalidParameters` and `Dr.Refused`.
    pub fn connect(clients: &Clients, p: &Parameters, cx: &Cx) -> Result<Self> {
        let wanted = parameters::wanted(p, clients.executing_region(), cx)?;
        if cx.phase != Phase::Activate {
            return Ok(Self::Instances(Instances::connect(clients, wanted)?));
        }
        match mode::of(p, &wanted, cx)? {
            Mode::Planned(wanted) => {
                Ok(Self::Switchover(Switchover::connect(clients, wanted, cx)?.into()))
            }
            Mode::Unplanned(wanted) => Ok(Self::Takeover(Takeover::connect(clients, wanted, cx)?)),
        }
    }

    /// Looks.
    ///
    /// # Errors
    /// As the services say.
    pub async fn observe(&self, cx: &Cx) -> Result<Look> {
        match self {
            Self::Instances(work) => Ok(Look::Instances(work.observe(cx).await?.into())),
            Self::Switchover(work) => Ok(Look::Switchover(work.observe(cx).await?.into())),
            Self::Takeover(work) => Ok(Look::Takeover(work.observe(cx).await?.into())),
        }
    }

    /// Makes the call.
    ///
    /// # Errors
    /// As the services say.
    pub async fn apply(&self, p: &Parameters, act: &Act) -> Result<Value> {
        match (self, act) {
            (Self::Instances(work), Act::Instance(change)) => {
                work.apply(p, change).await.map(|()| Value::Null)
            }
            (Self::Switchover(work), Act::Switchover(change)) => work.apply(change).await,
            (Self::Takeover(work), Act::Takeover(change)) => work.apply(change).await,
            _ => Err(shared::Error::internal("a call of another phase came up")),
        }
    }
}

/// Decides; pure.
pub fn decide(look: &Look, cx: &Cx) -> Step<Act> {
    match look {
        Look::Instances(o) if cx.phase == Phase::Cleanup => {
            lift(remove::decide(o, cx), Act::Instance)
        }
        Look::Instances(o) => lift(add::decide(o, cx), Act::Instance),
        Look::Switchover(o) => lift(switchover::decide(o, cx), Act::Switchover),
        Look::Takeover(o) => lift(failover::decide(o, cx), Act::Takeover),
    }
}

fn lift<C>(step: Step<C>, act: impl FnOnce(C) -> Act) -> Step<Act> {
    match step {
        Step::Change(change) => Step::Change(act(change)),
        Step::Done(outcome) => Step::Done(outcome),
        Step::Wait(why) => Step::Wait(why),
        Step::Unknown(missing, why) => Step::Unknown(missing, why),
        Step::Refuse(why, next) => Step::Refuse(why, next),
        Step::Fail(error_type, why, next) => Step::Fail(error_type, why, next),
    }
}

/// PLAN: the whole operation in one line.
pub fn outlook(look: &Look, cx: &Cx) -> Option<(ChangeClass, String)> {
    match look {
        Look::Instances(o) if cx.phase == Phase::Cleanup => {
            Some((ChangeClass::Destructive, remove::outlook(o, cx)?))
        }
        Look::Instances(o) => Some((ChangeClass::Create, add::outlook(o, cx)?)),
        Look::Switchover(o) => Some((ChangeClass::Traffic, switchover::outlook(o, cx)?)),
        Look::Takeover(o) => Some((ChangeClass::DataLoss, failover::outlook(o, cx)?)),
    }
}

/// PLAN: what there will be.
pub fn creates(look: &Look, cx: &Cx) -> Vec<String> {
    match look {
        Look::Instances(o) if cx.phase == Phase::Instantiate => {
            o.wanted.instances.iter().map(|i| format!("rds:{i}")).collect()
        }
        _ => vec![],
    }
}

/// What a later look must know of.
pub fn signs(look: &Look) -> Vec<&'static str> {
    match look {
        Look::Instances(_) => vec![],
        Look::Switchover(o) => o.target.signs(),
        Look::Takeover(o) => o.target.signs(),
    }
}

impl Act {
    fn change(&self) -> &dyn Classified {
        match self {
            Self::Instance(change) => change,
            Self::Switchover(change) => change,
            Self::Takeover(change) => change,
        }
    }
}

impl Classified for Act {
    fn name(&self) -> &'static str {
        self.change().name()
    }
    fn key(&self) -> String {
        self.change().key()
    }
    fn class(&self) -> ChangeClass {
        self.change().class()
    }
    fn summary(&self) -> String {
        self.change().summary()
    }
    fn expected_loss(&self) -> Option<f64> {
        self.change().expected_loss()
    }
    fn reissuable(&self) -> bool {
        self.change().reissuable()
    }
    fn is_question(&self) -> bool {
        self.change().is_question()
    }
    fn takes(&self) -> Duration {
        self.change().takes()
    }
}

#[cfg(test)]
#[path = "work_tests.rs"]
mod tests;
