//! What must be true on the surviving side and of the cluster before anything is destroyed.

use crate::change::Change;
use crate::globals;
use crate::observed::Observed;
use shared::Step;
use shared_rds::{Cluster, Health};

type Guard = Option<Step<Change>>;

/// None: it may go. Some: the refusal, or the wait.
pub fn guard(o: &Observed, cluster: &Cluster) -> Guard {
    kind(cluster)
        .or_else(|| writer(o, Some(&cluster.engine)))
        .or_else(|| role(o, cluster))
        .or_else(|| relations(o, cluster))
        .or_else(|| empties(o, cluster))
}

fn refuse(why: String, next: &str) -> Guard {
    Some(Step::Refuse(why, next.to_owned()))
}

fn kind(cluster: &Cluster) -> Guard {
    if cluster.engine.starts_with("aurora") {
        return None;
    }
    let why = format!("{} is no Aurora cluster: its engine is {}", cluster.arn.id, cluster.engine);
    refuse(why, "This step deletes Aurora clusters only.")
}

/// The cluster that serves must be proven now, elsewhere, and by what both Regions say.
pub fn writer(o: &Observed, engine: Option<&str>) -> Guard {
    let arn = &o.wanted.writer;
    let Some(writer) = &o.writer else {
        let why = format!("the expected writer {arn} does not exist: this could be the last copy");
        return refuse(why, "Correct ExpectedWriterArn, or run ACTIVATE in its Region first.");
    };
    if writer.arn == o.wanted.stale {
        let why = format!("{arn} is both the expected writer and the cluster to delete");
        return refuse(why, "Let ExpectedWriterArn name the cluster that serves now.");
    }
    if let Some(engine) = engine.filter(|e| *e != writer.engine) {
        let engines = format!("{}, not {engine}", writer.engine);
        let why = format!("the expected writer {arn} is another database: its engine is {engines}");
        return refuse(why, "Let ExpectedWriterArn name the cluster that took over from this one.");
    }
    health("", &writer.status, writer.health(), o)
        .or_else(|| globals::unsettled(o).map(Step::Wait))
        .or_else(|| serves(o, writer))
        .or_else(|| writer_instance(o, writer))
}

fn health(of: &str, status: &str, health: Health, o: &Observed) -> Guard {
    let arn = &o.wanted.writer;
    match health {
        Health::Available => None,
        Health::Moving => {
            Some(Step::Wait(format!("{of}the expected writer {} is {status}", arn.id)))
        }
        Health::Deleting | Health::Broken => refuse(
            format!("{of}the expected writer {arn} is {status}: this could be the last good copy"),
            "Bring the cluster that is to serve to available first.",
        ),
    }
}

/// Standalone, or the primary of its global cluster.
fn serves(o: &Observed, writer: &Cluster) -> Guard {
    let arn = &writer.arn;
    let next = "Run ACTIVATE in its Region first: it must be promoted.";
    match (globals::of(o, arn), &writer.source) {
        (Some(global), _) if global.is_writer(arn) => None,
        (Some(global), _) if global.writer().is_none() => {
            Some(Step::Wait(format!("global cluster {} has no writer at the moment", global.id)))
        }
        (Some(global), _) => refuse(
            format!("the expected writer {arn} is a secondary of global cluster {}", global.id),
            next,
        ),
        (None, Some(source)) => {
            refuse(format!("the expected writer {arn} is still a replica of {source}"), next)
        }
        (None, None) => None,
    }
}

fn writer_instance(o: &Observed, writer: &Cluster) -> Guard {
    let arn = &writer.arn;
    let Some(member) = writer.writer() else {
        let why = format!("the expected writer {arn} has no instance that writes");
        return refuse(why, "Give it an instance first: without one it serves nobody.");
    };
    match o.writer_instances.iter().find(|i| i.arn.id == member.id) {
        Some(instance) => {
            health(&format!("instance {} of ", member.id), &instance.status, instance.health(), o)
        }
        None => Some(Step::Wait(format!("instance {} of {} does not show", member.id, arn.id))),
    }
}

/// What the cluster to delete is in its global cluster.
fn role(o: &Observed, cluster: &Cluster) -> Guard {
    let id = &cluster.arn.id;
    let Some(global) = globals::of(o, &cluster.arn) else { return standalone(o, cluster) };
    if let Some(named) = o.wanted.global.as_ref().filter(|n| !n.eq_ignore_ascii_case(&global.id)) {
        let why = format!("{id} is a member of global cluster {}, not of {named}", global.id);
        return refuse(why, "Correct GlobalClusterIdentifier or DBClusterIdentifier.");
    }
    let others = global.members.iter().filter(|m| m.arn != cluster.arn);
    let others: Vec<String> = others.map(|m| m.arn.to_string()).collect();
    match global.writer() {
        Some(w) if w.arn == cluster.arn && others.is_empty() => None,
        Some(w) if w.arn == cluster.arn => refuse(
            format!(
                "{id} is the current writer of global cluster {}, which {} follow(s)",
                global.id,
                others.join(", ")
            ),
            "Fail over first, or remove the secondaries that are stale from the global cluster.",
        ),
        Some(w) if w.arn != o.wanted.writer => refuse(
            format!("{id} is a secondary of {}, which is not the expected writer", w.arn),
            "Correct ExpectedWriterArn or DBClusterIdentifier.",
        ),
        Some(_) if o.wanted.may_delete_standby => None,
        Some(w) => refuse(
            format!("{id} is a healthy secondary of {}: a standby, not a stale primary", w.arn),
            "Nothing is to be cleaned up. To delete the standby all the same, set \
             AllowDeleteHealthySecondary to \"True\".",
        ),
        None => Some(Step::Wait(format!("global cluster {} has no writer now", global.id))),
    }
}

/// Outside of a global cluster it may still be a replica. RDS says so of secondaries too, perhaps
/// for a while after they were removed: then the consent to delete a standby covers it.
fn standalone(o: &Observed, cluster: &Cluster) -> Guard {
    let source = cluster.source.as_ref().filter(|_| !o.wanted.may_delete_standby)?;
    refuse(
        format!("{} is a replica of {source}: a standby, not a stale primary", cluster.arn.id),
        "Correct the manifest, or set AllowDeleteHealthySecondary to \"True\".",
    )
}

/// The cluster must be nobody's source.
fn relations(o: &Observed, cluster: &Cluster) -> Guard {
    let orphans: Vec<&str> =
        cluster.replicas.iter().map(String::as_str).filter(|r| !accounted_for(o, r)).collect();
    if orphans.is_empty() {
        return None;
    }
    let why = format!("{} still has read replicas: {}", cluster.arn.id, orphans.join(", "));
    refuse(
        why,
        "Promote or delete them, or name those that may lose their source in AllowReplicas.",
    )
}

/// The promoted cluster may still be listed for a while; it was observed to serve.
fn accounted_for(o: &Observed, replica: &str) -> bool {
    let named = |n: &String| n.eq_ignore_ascii_case(replica.rsplit(':').next().unwrap_or(replica));
    let allowed = |n: &String| n.eq_ignore_ascii_case(replica) || named(n);
    o.wanted.writer.is_named(replica, &o.wanted.stale.region)
        || o.wanted.allowed_replicas.iter().any(allowed)
}

/// Whether the global cluster that is to go will be empty, told before anything is destroyed.
fn empties(o: &Observed, cluster: &Cluster) -> Guard {
    let id = o.wanted.global.as_ref().filter(|_| o.wanted.delete_global)?;
    let global = globals::named(o, id)?;
    let others = global.members.iter().filter(|m| m.arn != cluster.arn);
    occupied(id, &others.map(|m| m.arn.to_string()).collect::<Vec<_>>(), global.protected)
}

/// Why a global cluster with these members besides the deleted one cannot go.
pub fn occupied(id: &str, members: &[String], protected: bool) -> Guard {
    let next = "Set DeleteGlobalCluster to \"False\", or remove the reason and start again.";
    if !members.is_empty() {
        let why = format!("global cluster {id} is to be deleted but has {}", members.join(", "));
        return refuse(why, next);
    }
    let why = || format!("global cluster {id} is to be deleted but has deletion protection");
    protected.then(|| Step::Refuse(why(), next.to_owned()))
}

#[cfg(test)]
#[path = "guards_tests.rs"]
mod tests;
