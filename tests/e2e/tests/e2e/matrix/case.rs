//! What a case is.

use e2e::{EAST, WEST, World};
use serde_json::{Value, json};
use std::pin::Pin;

/// Work on a world.
pub type Work<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
/// Puts databases into a fresh copy.
pub type Seed = for<'a> fn(&'a World) -> Work<'a>;

/// A resource type in one of its modes.
#[derive(Clone)]
pub struct Case {
    /// For people.
    pub name: &'static str,
    /// `resourceType`.
    pub kind: &'static str,
    /// The Lambda function without its prefix.
    pub function: &'static str,
    /// The phase.
    pub phase: &'static str,
    /// The executing Region.
    pub region: &'static str,
    /// The Region that serves before the run.
    pub primary: &'static str,
    /// Whether the run is unplanned.
    pub unplanned: bool,
    /// Whether the Region that served is dark in all runs.
    pub dark: bool,
    /// `parameters`.
    pub parameters: Value,
    /// Change classes that were approved.
    pub approved: &'static [&'static str],
    /// Whether the run holds its product's lock.
    pub locked: bool,
    /// The starting world.
    pub seed: Seed,
    /// What the world must show when DONE is reported: JSON pointers into the topology.
    pub proof: Vec<(&'static str, Value)>,
    /// What it may show instead where AWS behaves in another way than by default.
    pub or_else: Vec<(&'static str, Value)>,
    /// The timing that makes the role change late, if the type changes a role.
    pub late: Option<&'static str>,
    /// Prefix of the unknowns that concern the type.
    pub family: &'static str,
    /// Changes that may be made once more after a kill or a lost answer, because they change
    /// nothing the second time. Never a destructive one.
    pub repeatable: &'static [&'static str],
}

impl Case {
    /// A case of an unplanned-free ACTIVATE in the standby; the rest is for the caller to say.
    pub fn new(name: &'static str, kind: &'static str, function: &'static str, seed: Seed) -> Self {
        Self {
            name,
            kind,
            function,
            phase: "ACTIVATE",
            region: WEST,
            primary: EAST,
            unplanned: false,
            dark: false,
            parameters: json!({}),
            approved: &["destructive"],
            locked: true,
            seed,
            proof: vec![],
            or_else: vec![],
            late: None,
            family: "rds.",
            repeatable: &[],
        }
    }

    /// The Region that does not serve before the run.
    pub fn secondary(&self) -> &'static str {
        if self.primary == EAST { WEST } else { EAST }
    }

    /// Whether no call may reach the Region that served.
    pub fn is_cut_off(&self) -> bool {
        self.unplanned && self.phase == "ACTIVATE"
    }

    /// Whether the type works on caches, not databases.
    pub fn caches(&self) -> bool {
        self.family == "elasticache."
    }

    /// The Regions that can be looked at.
    pub fn regions(&self) -> Vec<&'static str> {
        [EAST, WEST].into_iter().filter(|r| !self.dark || *r != self.primary).collect()
    }
}
