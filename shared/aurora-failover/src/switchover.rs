//! Planned: `SwitchoverGlobalCluster`, which loses no data and needs both sides healthy.

use crate::not_where_it_serves;
use crate::target::{CANCELLED, Metadata, Target, look_again, took_effect, word};
use crate::version::same_minor;
use serde_json::{Value, json};
use shared::{
    ChangeClass, Classified, Clients, Cx, Doing, Error, ErrorType, Outcome, Phase, Result, Step,
};
use shared_metrics::{Lag, aurora_rpo_lag, latest};
use shared_rds::{Arn, Cluster, Global, Health, describe_cluster, health, remedy};

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Identifier of the global cluster.
    pub global: String,
    /// The secondary that is to become the primary.
    pub target: Arn,
    /// The lag at which the switchover may begin, seconds.
    pub max_lag_s: i64,
    /// Whether the manifest itself sets that limit: then a lag that is not known is waited for.
    pub lag_must_be_known: bool,
}

/// One look.
#[derive(Debug, Clone)]
pub struct Observed {
    /// What is wanted.
    pub wanted: Wanted,
    /// The secondary and what its Region knows of the global cluster.
    pub target: Target,
    /// The present primary, while it is another cluster.
    pub primary: Option<Cluster>,
    /// The other secondaries, as far as they show. Before the call.
    pub others: Vec<Cluster>,
    /// How far the target is behind, before the call.
    pub lag: Lag,
}

/// The only call.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Identifier of the global cluster.
    pub global: String,
    /// The present primary: the call goes to its Region.
    pub from: Arn,
    /// The secondary.
    pub to: Arn,
    /// How far it is behind.
    pub lag: Lag,
    /// Whether the answer to the same call was lost before.
    pub again: bool,
}

/// Its name.
pub const NAME: &str = "SwitchoverGlobalCluster";
/// IAM actions of the looks.
pub const READS: [&str; 4] = [
    "rds:DescribeGlobalClusters",
    "rds:DescribeDBClusters",
    "rds:DescribeDBInstances",
    "cloudwatch:GetMetricData",
];
/// IAM actions of the call.
pub const WRITES: [&str; 1] = ["rds:SwitchoverGlobalCluster"];
/// How long an accepted switchover may stay without a sign.
const REFLECTED_S: i64 = 120;

impl Classified for Change {
    fn name(&self) -> &'static str {
        NAME
    }
    fn class(&self) -> ChangeClass {
        ChangeClass::Traffic
    }
    fn summary(&self) -> String {
        let Self { global, from, to, lag, .. } = self;
        format!(
            "switch {global} over from {} in {} to {} in {}: {lag}; loses no data, interrupts writes",
            from.id, from.region, to.id, to.region
        )
    }
    /// An accepted one may have been cancelled by AWS, and then for a reason. One whose answer was
    /// lost, and of which nothing shows, is sent again: AWS refuses a second while the first runs.
    fn reissuable(&self) -> bool {
        self.again
    }
}

/// What needs no call.
fn may_begin(wanted: &Wanted, cx: &Cx) -> Result<()> {
    if cx.context.unplanned && cx.phase == Phase::Activate {
        return Err(Error::refused(format!(
            "{}: a switchover needs a healthy primary, and this run is unplanned",
            wanted.target.id
        ))
        .next("Use UnPlannedFailoverAurora, or start a run that is not unplanned."));
    }
    not_where_it_serves(&wanted.target, cx)
}

/// The clients of a switchover.
#[derive(Debug, Clone)]
pub struct Switchover {
    clients: Clients,
    rds: aws_sdk_rds::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    wanted: Wanted,
}

impl Switchover {
    /// Checks what needs no call, and builds the clients.
    ///
    /// # Errors
    /// `Dr.Refused` in an unplanned failover, and for a target in the Region that serves.
    pub fn connect(clients: &Clients, wanted: Wanted, cx: &Cx) -> Result<Self> {
        may_begin(&wanted, cx)?;
        let config = clients.region(&wanted.target.region)?;
        Ok(Self {
            clients: clients.clone(),
            rds: aws_sdk_rds::Client::new(&config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&config),
            wanted,
        })
    }

    /// Looks at the target in its Region, and before the call at all other members in theirs.
    ///
    /// # Errors
    /// As the services say.
    pub async fn observe(&self, cx: &Cx) -> Result<Observed> {
        let Wanted { global, target, .. } = &self.wanted;
        let target = Target::new(global.clone(), target.clone()).look(&self.rds).await?;
        let writer = target.metadata.global().and_then(Global::writer).map(|w| w.arn.clone());
        let other = writer.filter(|w| *w != target.arn);
        let (primary, lag) = match &other {
            Some(arn) if took_effect(cx, NAME).is_none() => {
                let series = aurora_rpo_lag(&target.arn.id, Some(&arn.region));
                let lag = latest(&self.cloudwatch, &series).await;
                (self.there(arn).await?, lag)
            }
            _ => (None, Lag::Unknown("not asked".into())),
        };
        let mut others = Vec::new();
        if let (Some(_), Some(global)) = (&primary, target.metadata.global()) {
            for arn in bystanders(global, &target.arn) {
                others.extend(self.there(arn).await?);
            }
        }
        Ok(Observed { wanted: self.wanted.clone(), target, primary, others, lag })
    }

    /// A member as its own Region shows it.
    async fn there(&self, arn: &Arn) -> Result<Option<Cluster>> {
        let client = aws_sdk_rds::Client::new(&self.clients.region(&arn.region)?);
        describe_cluster(&client, arn).await
    }

    /// Makes the call, at the present primary's Region, as the documentation asks.
    ///
    /// # Errors
    /// As the service says.
    pub async fn apply(&self, change: &Change) -> Result<Value> {
        let there = aws_sdk_rds::Client::new(&self.clients.region(&change.from.region)?);
        let what = format!("switch {} over to {}", change.global, change.to.id);
        there
            .switchover_global_cluster()
            .global_cluster_identifier(&change.global)
            .target_db_cluster_identifier(change.to.to_string())
            .send()
            .await
            .doing(&what)
            .map_err(look_again)?;
        Ok(json!({"from": change.from.to_string()}))
    }
}

/// The members that neither give the role away nor take it.
fn bystanders<'a>(global: &'a Global, target: &'a Arn) -> impl Iterator<Item = &'a Arn> {
    global.members.iter().filter(move |m| !m.writer && m.arn != *target).map(|m| &m.arn)
}

/// The role of the target divides everything.
pub fn decide(o: &Observed, cx: &Cx) -> Step<Change> {
    let target = &o.target;
    let cluster = match target.alive() {
        Ok(cluster) => cluster,
        Err(step) => return step,
    };
    let global = match &target.metadata {
        Metadata::There(global) => global,
        Metadata::Silent(why) => return Step::Wait(why.clone()),
        Metadata::Absent => return absent(o, cluster),
    };
    if let Some(step) = target.foreign() {
        return step;
    }
    if global.failover.is_some() {
        return Step::Wait(format!("{} switches over to {}", global.id, target.label()));
    }
    match target.is_writer() {
        Some(true) => target.not_serving(cluster).unwrap_or_else(|| done(o, global, cx)),
        Some(false) => follows(o, cluster, global, cx),
        None => no_member(o, cluster, global),
    }
}

fn absent(o: &Observed, cluster: &Cluster) -> Step<Change> {
    let (label, id) = (o.target.label(), &o.wanted.global);
    if cluster.global.as_ref().is_some_and(|g| g.eq_ignore_ascii_case(id)) {
        return Step::Wait(format!("{label} is a member of {id}, which does not show"));
    }
    let why = format!("there is no global cluster {id} in {}", o.target.arn.region);
    Step::Fail(ErrorType::NotFound, why, "Correct GlobalClusterIdentifier.".into())
}

fn no_member(o: &Observed, cluster: &Cluster, global: &Global) -> Step<Change> {
    let label = o.target.label();
    let is = match &cluster.global {
        Some(other) if other.eq_ignore_ascii_case(&global.id) => {
            return Step::Wait(format!("{} does not list {label} yet", global.id));
        }
        Some(other) => format!("a member of {other}"),
        None => "standalone".to_owned(),
    };
    let why = format!("{label} is {is}, not a member of {}", global.id);
    Step::Refuse(why, "Correct GlobalClusterIdentifier or DBClusterIdentifier.".into())
}

/// The target is a secondary, and nothing shows.
fn follows(o: &Observed, cluster: &Cluster, global: &Global, cx: &Cx) -> Step<Change> {
    if let Some(step) = sent(o, cluster, global, cx) {
        return step;
    }
    if o.target.vanished(cx) {
        return cancelled(o);
    }
    let ready = ready(o, cluster, global).or_else(|| o.target.not_ready(cluster));
    match (ready.or_else(|| too_far_behind(o)), global.writer()) {
        (Some(step), _) => step,
        (None, None) => Step::Wait(format!("{} shows no primary", global.id)),
        (None, Some(from)) => Step::Change(Change {
            global: global.id.clone(),
            from: from.arn.clone(),
            to: o.target.arn.clone(),
            lag: o.lag.clone(),
            again: cx.act(NAME).is_some(),
        }),
    }
}

/// The call took effect and nothing shows. None: it did not, or was not made.
fn sent(o: &Observed, cluster: &Cluster, global: &Global, cx: &Cx) -> Option<Step<Change>> {
    let act = took_effect(cx, NAME)?;
    let age = cx.now - act.at;
    let quiet = [&cluster.status, &global.status].iter().all(|s| health(s) == Health::Available);
    if o.target.vanished(cx) || (age >= REFLECTED_S && quiet) {
        return Some(cancelled(o));
    }
    Some(Step::Wait(format!("the switchover was {} {age} s ago and does not show yet", word(act))))
}

fn cancelled(o: &Observed) -> Step<Change> {
    let why = format!(
        "the switchover to {} was accepted, and the roles are the old ones: AWS cancelled it, or \
         never began it",
        o.target.label()
    );
    Step::Fail(ErrorType::Failed, why, CANCELLED.into())
}

/// What the other members and the global cluster must be. None: they are.
fn ready(o: &Observed, cluster: &Cluster, global: &Global) -> Option<Step<Change>> {
    let writer = global.writer()?;
    let label = format!("the primary {} in {}", writer.arn.id, writer.arn.region);
    let others = bystanders(global, &o.target.arn).map(|arn| {
        let label = format!("secondary {} in {}", arn.id, arn.region);
        (label, o.others.iter().find(|c| c.arn == *arn))
    });
    std::iter::once((label, o.primary.as_ref()))
        .chain(others)
        .find_map(|(label, member)| other_member(o, cluster, &label, member))
        .or_else(|| state(&format!("global cluster {}", global.id), &global.status))
}

/// Equal versions of all members, all of them available. None: this one is no obstacle.
fn other_member(
    o: &Observed,
    cluster: &Cluster,
    label: &str,
    member: Option<&Cluster>,
) -> Option<Step<Change>> {
    let Some(member) = member else {
        return Some(Step::Wait(format!("{label} does not show")));
    };
    if !same_minor(&member.engine_version, &cluster.engine_version) {
        let why = format!(
            "{label} has version {}, {} has {}: AWS switches over between equal versions only",
            member.engine_version,
            o.target.label(),
            cluster.engine_version
        );
        return Some(Step::Refuse(why, "Upgrade the members to the same version first.".into()));
    }
    state(label, &member.status)
}

fn state(label: &str, status: &str) -> Option<Step<Change>> {
    match health(status) {
        Health::Available => None,
        Health::Moving => Some(Step::Wait(format!("{label} is {status}"))),
        Health::Broken | Health::Deleting => Some(Step::Fail(
            ErrorType::Failed,
            format!("{label} is {status}: a switchover needs healthy members"),
            format!("{} Or fail over unplanned, which may lose data.", remedy(status)),
        )),
    }
}

/// AWS waits for the secondary itself; the limit keeps that wait short. A lag that nobody tells
/// stops only a manifest which sets a limit: no data can be lost, and a metric that fails must not
/// keep a healthy database from moving.
fn too_far_behind(o: &Observed) -> Option<Step<Change>> {
    let max = f64::from(i32::try_from(o.wanted.max_lag_s).unwrap_or(i32::MAX));
    match &o.lag {
        Lag::Current(s) if *s <= max => None,
        Lag::Last(s) if *s <= max && !o.wanted.lag_must_be_known => None,
        Lag::Unknown(_) if !o.wanted.lag_must_be_known => None,
        lag => Some(Step::Wait(format!(
            "{}: {lag}, wanted at most {} s",
            o.target.label(),
            o.wanted.max_lag_s
        ))),
    }
}

fn done(o: &Observed, global: &Global, cx: &Cx) -> Step<Change> {
    let how = if cx.act(NAME).is_some() { "is now" } else { "is already" };
    let mut line = format!("{} {how} the primary of {}, available", o.target.label(), global.id);
    for member in global.members.iter().filter(|m| !m.writer) {
        let word = member.synchronization.as_deref().unwrap_or("without a word of synchronization");
        line += &format!("; {} in {} is {word}", member.arn.id, member.arn.region);
    }
    Step::Done(Outcome::new(line))
}

/// PLAN: the switchover, also when something must be awaited first.
pub fn outlook(o: &Observed, cx: &Cx) -> Option<String> {
    let global = o.target.metadata.global()?;
    let from = global.writer().filter(|w| w.arn != o.target.arn)?.arn.clone();
    let (global, to, lag) = (global.id.clone(), o.target.arn.clone(), o.lag.clone());
    let line = Change { global, from, to, lag, again: false };
    let first = match decide(o, cx) {
        Step::Wait(why) => format!("; first waits: {why}"),
        _ => String::new(),
    };
    Some(format!("{}{first}", line.summary()))
}

#[cfg(test)]
#[path = "switchover_tests.rs"]
mod tests;
