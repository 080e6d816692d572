//! What stands in the way: nothing that exists is changed or replaced here.

use crate::observed::{Change, JOIN, Observed};
use shared::{Cx, Step};
use shared_elasticache::{Group, Health, Role, suffix};

/// None: nothing. Some: the refusal, or the wait.
pub fn guard(o: &Observed, source: &Group, cx: &Cx) -> Option<Step<Change>> {
    source_role(o, source)
        .or_else(|| sizes(o, source))
        .or_else(|| outputs(o))
        .or_else(|| target(o, source, cx))
        .or_else(|| neighbour(o))
}

fn refuse(why: String, next: &str) -> Option<Step<Change>> {
    Some(Step::Refuse(why, next.to_owned()))
}

/// The source is standalone, or the primary of the wanted datastore.
fn source_role(o: &Observed, source: &Group) -> Option<Step<Change>> {
    let label = o.wanted.source.label();
    let listed = o.datastore.as_ref().and_then(|d| d.side(&o.wanted.source)).and_then(|s| s.role);
    let datastore = datastore_of(o, source)?;
    if source.role() == Some(Role::Secondary) || listed == Some(Role::Secondary) {
        let why = format!("the source {label} is a secondary of {datastore}, not what serves");
        return refuse(why, "Run ACTIVATE first, or correct SourceReplicationGroupId.");
    }
    if suffix(datastore) != Some(&o.wanted.suffix) {
        let why = format!(
            "the source {label} is the primary of {datastore}, not of one whose id ends in {}",
            o.wanted.suffix
        );
        return refuse(
            why,
            "Correct the id of the global datastore, or take the source out of it.",
        );
    }
    match source.role().or(listed) {
        Some(_) => None,
        None => Some(Step::Wait(format!("the role of {label} in {datastore} does not show"))),
    }
}

fn datastore_of<'a>(o: &'a Observed, source: &'a Group) -> Option<&'a str> {
    let own = source.global.as_ref().map(|g| g.datastore.as_str());
    own.or_else(|| o.datastore.as_ref().map(|d| d.id.as_str()))
}

fn sizes(o: &Observed, source: &Group) -> Option<Step<Change>> {
    if !source.sharded || o.wanted.nodes.is_none() {
        return None;
    }
    let why = format!("{} has shards: NumCacheClusters does not apply", o.wanted.source.label());
    refuse(why, "Give ReplicasPerNodeGroup instead.")
}

/// What the parameter holds must be an id of this datastore, or it is somebody else's.
fn outputs(o: &Observed) -> Option<Step<Change>> {
    let output = o.wanted.output.as_ref()?;
    let foreign = |value: &&String| suffix(value) != Some(&o.wanted.suffix);
    let (region, value) =
        o.outputs.iter().find_map(|(r, v)| Some((r, v.as_ref().filter(foreign)?)))?;
    let shown: String = value.chars().take(60).collect();
    let why = format!(
        "{} in {region} holds \"{shown}\", which is no id that ends in {}: it may be somebody else's",
        output.name, o.wanted.suffix
    );
    refuse(why, "Name another parameter, or delete that one if it is meant.")
}

/// What has the secondary's name must be a secondary of the source's datastore.
fn target(o: &Observed, source: &Group, cx: &Cx) -> Option<Step<Change>> {
    let target = o.target.as_ref()?;
    let label = o.wanted.target.label();
    if target.health() == Health::Deleting {
        return Some(Step::Wait(format!("an older {label} is being deleted")));
    }
    let Some(membership) = &target.global else {
        if cx.act(JOIN).is_some() || target.status.eq_ignore_ascii_case("creating") {
            return Some(Step::Wait(format!("{label} is {}", target.status)));
        }
        let why = format!("{label} exists and is standalone");
        let next = "Run CLEANUP (DeleteElastiCacheReplicationGroup) first: nothing that exists is \
                    replaced here.";
        return refuse(why, next);
    };
    let ours = datastore_of(o, source);
    match (ours == Some(&membership.datastore), membership.role) {
        (true, Some(Role::Secondary)) => None,
        (true, None) => Some(Step::Wait(format!("the role of {label} does not show"))),
        (_, role) => {
            let role = match role {
                Some(Role::Primary) => "the primary",
                _ => "a member",
            };
            let why = format!("{label} exists and is {role} of {}", membership.datastore);
            let next = "Run CLEANUP (DisassociateElastiCache, DeleteElastiCacheReplicationGroup) \
                        first: nothing that exists is replaced here.";
            refuse(why, next)
        }
    }
}

/// One member a Region: another one there keeps ours out.
fn neighbour(o: &Observed) -> Option<Step<Change>> {
    let datastore = o.datastore.as_ref()?;
    let other = datastore
        .sides
        .iter()
        .find(|s| s.region == o.wanted.target.region && !s.is(&o.wanted.target))?;
    let why = format!("{} has {} as a member already", datastore.id, other.label());
    refuse(why, "Name that one as ReplicationGroupId, or take it out (DisassociateElastiCache).")
}
