//! One look at the cluster that is to take over, in its own Region alone.

use aws_sdk_rds::Client;
use shared::progress::Act;
use shared::{Cx, Error, ErrorType, Result, Step};
use shared_rds::{
    Arn, Cluster, Failover, Global, Health, Instance, describe_cluster, describe_global,
    instances_of, remedy,
};

/// Sign in the memory of the loop: a switchover or failover to the target was seen.
pub const FAILOVER_STATE: &str = "FailoverState";
/// Sign in the memory of the loop: the target's status was one on the way, `promoting` for example.
pub const MOVING: &str = "moving";

/// What the Region knows of the global cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Metadata {
    /// As it says. How fresh that is while the primary's Region is lost is not documented.
    There(Global),
    /// It knows none of that identifier.
    Absent,
    /// It does not answer, and why.
    Silent(String),
}

impl Metadata {
    /// What is known, if anything.
    pub fn global(&self) -> Option<&Global> {
        match self {
            Self::There(global) => Some(global),
            Self::Absent | Self::Silent(_) => None,
        }
    }

    /// The change of roles that shows.
    pub fn failover(&self) -> Option<&Failover> {
        self.global()?.failover.as_ref()
    }
}

/// The cluster that is to take over, as its Region shows it.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its ARN.
    pub arn: Arn,
    /// The global cluster's identifier.
    pub global: String,
    /// What the Region knows of it.
    pub metadata: Metadata,
    /// The cluster.
    pub cluster: Option<Cluster>,
    /// Its instances.
    pub instances: Vec<Instance>,
}

impl Target {
    /// Nothing looked at yet.
    pub fn new(global: String, arn: Arn) -> Self {
        Self { arn, global, metadata: Metadata::Absent, cluster: None, instances: vec![] }
    }

    /// Looks. `client` calls the target's Region. The global cluster last: it decides.
    ///
    /// # Errors
    /// As the service says. That the metadata of the global cluster does not answer is no error.
    pub async fn look(&self, client: &Client) -> Result<Self> {
        let cluster = describe_cluster(client, &self.arn).await?;
        let instances = match &cluster {
            Some(_) => instances_of(client, &self.arn).await?,
            None => vec![],
        };
        let metadata = match describe_global(client, &self.global).await {
            Ok(Some(global)) => Metadata::There(global),
            Ok(None) => Metadata::Absent,
            Err(error) if error.is_transient() => Metadata::Silent(error.message),
            Err(error) => return Err(error),
        };
        Ok(Self { cluster, instances, metadata, ..self.clone() })
    }

    /// For people: `orders-dr in us-west-2`.
    pub fn label(&self) -> String {
        format!("{} in {}", self.arn.id, self.arn.region)
    }

    /// Whether the metadata lists it, and as what.
    pub fn is_writer(&self) -> Option<bool> {
        self.metadata.global()?.member(&self.arn).map(|m| m.writer)
    }

    /// What [`shared::Resource::signs`] answers.
    pub fn signs(&self) -> Vec<&'static str> {
        let to_it = self.metadata.failover().is_some_and(|f| f.is_to(&self.arn));
        let moves = self.cluster.as_ref().is_some_and(|c| c.health() == Health::Moving);
        let all = [(to_it, FAILOVER_STATE), (moves, MOVING)];
        all.into_iter().filter(|(shows, _)| *shows).map(|(_, sign)| sign).collect()
    }

    /// Whether the cluster alone proves that it is not the primary: AWS describes a secondary as
    /// made up of readers alone, and a primary has a writer. A cluster without instances proves
    /// nothing.
    pub fn reads_only(&self) -> bool {
        let members = self.cluster.as_ref().map_or(&[][..], |c| &c.members);
        !members.is_empty() && members.iter().all(|m| !m.writer)
    }

    /// The cluster, when it is there and not beyond help.
    ///
    /// # Errors
    /// The step that ends the attempt.
    pub fn alive<C>(&self) -> std::result::Result<&Cluster, Step<C>> {
        let Some(cluster) = &self.cluster else {
            let why = format!("there is no DB cluster {}", self.label());
            let next = "Correct DBClusterIdentifier, or start in the Region of the secondary.";
            return Err(Step::Fail(ErrorType::NotFound, why, next.into()));
        };
        if !cluster.engine.starts_with("aurora") {
            let why = format!("{} is no Aurora cluster ({})", self.label(), cluster.engine);
            return Err(Step::Refuse(why, "Only Aurora has global databases.".into()));
        }
        match cluster.health() {
            Health::Broken | Health::Deleting => {
                let why = format!("{} is {} and cannot take over", self.label(), cluster.status);
                Err(Step::Fail(ErrorType::Failed, why, remedy(&cluster.status).into()))
            }
            Health::Available | Health::Moving => Ok(cluster),
        }
    }

    /// Why it does not serve as a writer yet, although its role says that it is one. None: it does.
    pub fn not_serving<C>(&self, cluster: &Cluster) -> Option<Step<C>> {
        if cluster.health() != Health::Available {
            return Some(Step::Wait(format!("{} is {}", self.label(), cluster.status)));
        }
        let Some(writer) = cluster.writer() else {
            return Some(Step::Wait(format!("{} shows no writer instance yet", self.label())));
        };
        let of = |i: &&Instance| i.arn.id == writer.id;
        let Some(instance) = self.instances.iter().find(of) else {
            return Some(Step::Wait(format!("its writer instance {} does not show", writer.id)));
        };
        match instance.health() {
            Health::Available => None,
            Health::Moving => Some(Step::Wait(format!(
                "its writer instance {} is {}",
                writer.id, instance.status
            ))),
            Health::Broken | Health::Deleting => Some(broken(instance)),
        }
    }

    /// Why it could not take over, before anything is sent. None: it could.
    pub fn not_ready<C>(&self, cluster: &Cluster) -> Option<Step<C>> {
        if cluster.members.is_empty() && self.instances.is_empty() {
            let why = format!("{} has no instance: AWS promotes no headless cluster", self.label());
            let next = "Add one first (AuroraMySQL in INSTANTIATE), then start again.";
            return Some(Step::Fail(ErrorType::Failed, why, next.into()));
        }
        if cluster.health() != Health::Available {
            return Some(Step::Wait(format!("{} is {}", self.label(), cluster.status)));
        }
        if self.instances.iter().any(|i| i.health() == Health::Available) {
            return None;
        }
        match self.instances.iter().find(|i| i.health() == Health::Moving) {
            Some(i) => Some(Step::Wait(format!("instance {} is {}", i.arn.id, i.status))),
            None => match self.instances.first() {
                Some(i) => Some(broken(i)),
                None => Some(Step::Wait(format!("the instances of {} do not show", self.label()))),
            },
        }
    }

    /// Whose change of roles is going on, when it is not ours to wait for. None: nothing shows, or
    /// it is one to the target.
    pub fn foreign<C>(&self) -> Option<Step<C>> {
        let failover = self.metadata.failover()?;
        let what = format!("{} is {} to {}", self.global, failover.status, failover.to);
        if !failover.is_to(&self.arn) {
            let why = format!("{what}, not to {}: somebody else has started that", self.arn);
            let next = "Find out who did, and wait until it has ended; then start again.";
            return Some(Step::Fail(ErrorType::Conflict, why, next.into()));
        }
        let cancelled = failover.status == "cancelling";
        cancelled.then(|| {
            Step::Fail(ErrorType::Failed, format!("AWS is cancelling: {what}"), CANCELLED.into())
        })
    }

    /// Whether a change of roles to the target has shown and is gone, so that a role which is the
    /// old one stays the old one. A moment and a second look are left for what shows late.
    pub fn vanished(&self, cx: &Cx) -> bool {
        cx.looks_without_sign(FAILOVER_STATE) >= 2
            && cx.seconds_since_sign(FAILOVER_STATE).is_some_and(|s| s >= VANISHED_S)
    }
}

/// What an operator does about a change of roles that AWS took back.
pub const CANCELLED: &str = "Read the events of the global database in the RDS console, remove the \
                             reason, then start again.";
/// How long the new role may show later than the end of FailoverState.
const VANISHED_S: i64 = 15;

fn broken<C>(instance: &Instance) -> Step<C> {
    let why = format!("instance {} is {} and cannot serve", instance.arn.id, instance.status);
    Step::Fail(ErrorType::Failed, why, remedy(&instance.status).into())
}

/// The call of that name, when it must not be sent again: it was accepted; or its answer was lost,
/// and FailoverState or a refusal of the next one shows that it took effect.
pub(crate) fn took_effect<'a>(cx: &'a Cx, name: &str) -> Option<&'a Act> {
    let shown = cx.seconds_since_sign(FAILOVER_STATE).is_some();
    let refused = cx.progress.faults.contains_key(name);
    cx.act(name).filter(|act| act.certain || shown || refused)
}

/// How the loop knows of a call.
pub(crate) fn word(act: &Act) -> &'static str {
    if act.certain { "accepted" } else { "sent, and took effect," }
}

/// A call is refused because what it names is gone since the last look: look again.
pub(crate) fn look_again(error: Error) -> Error {
    if error.is_not_found() { error.nature(shared::Nature::StateFault) } else { error }
}
