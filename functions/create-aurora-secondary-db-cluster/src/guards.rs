//! What must be true of source, global cluster and namesakes before anything is created.

use crate::change::{CREATE_CLUSTER, Change};
use crate::observed::Observed;
use shared::{Cx, ErrorType, Step};
use shared_rds::{Cluster, Global, Health, Instance, remedy};

/// None: it may go on.
type Verdict = Option<Step<Change>>;

/// How long what was just created may be shown without its relations, seconds.
pub const LATE: i64 = 120;
const CLEANUP: &str = "Run CLEANUP (DeleteAuroraCluster) first: nothing that exists is deleted or \
                       replaced here.";

/// All of them: relations before states, for a refusal says more than a wait.
pub fn guard(o: &Observed, source: &Cluster, cx: &Cx) -> Verdict {
    source_is(o, source)
        .or_else(|| o.global.as_ref().and_then(|g| global_is(o, g)))
        .or_else(|| o.cluster.as_ref().and_then(|c| cluster_is(o, c, cx)))
        .or_else(|| fits(o, source))
        .or_else(|| o.pairs().find_map(|(_, i)| instance_is(o, i?)))
}

fn refuse(why: String, next: &str) -> Verdict {
    Some(Step::Refuse(why, next.to_owned()))
}

fn wait(why: String) -> Verdict {
    Some(Step::Wait(why))
}

/// The end of an attempt: it does not leave this state by itself.
pub fn broken(what: &str, status: &str) -> Step<Change> {
    Step::Fail(ErrorType::Failed, format!("{what} is {status}"), remedy(status).to_owned())
}

fn source_is(o: &Observed, source: &Cluster) -> Verdict {
    let (id, wanted) = (&source.arn.id, &o.wanted);
    if !source.engine.starts_with("aurora") {
        let why = format!("{id} is no Aurora cluster ({})", source.engine);
        return refuse(why, "Only Aurora clusters have secondaries in other Regions.");
    }
    if source.engine != wanted.engine {
        let why = format!("{id} is {}, the manifest says {}", source.engine, wanted.engine);
        return refuse(why, "Correct Engine, or SourceDBClusterIdentifier.");
    }
    match &source.global {
        Some(other) if !other.eq_ignore_ascii_case(&wanted.global) => refuse(
            format!("{id} is a member of the global cluster {other}, not of {}", wanted.global),
            "Correct GlobalClusterIdentifier, or remove the cluster from the other one by hand.",
        ),
        Some(_) if o.global.is_none() => {
            wait(format!("{id} is a member of {}, which does not show yet", wanted.global))
        }
        _ => None,
    }
}

fn global_is(o: &Observed, global: &Global) -> Verdict {
    let id = &global.id;
    if let Some(failover) = &global.failover {
        return wait(format!("{id}: a change to {} is {}", failover.to, failover.status));
    }
    match shared_rds::health(&global.status) {
        Health::Available => {}
        Health::Broken => return Some(broken(&format!("global cluster {id}"), &global.status)),
        Health::Moving | Health::Deleting => {
            return wait(format!("global cluster {id} is {}", global.status));
        }
    }
    let Some(writer) = global.writer() else {
        let why = format!("global cluster {id} exists and has no primary");
        let next = "Delete it in the RDS console: a cluster that exists joins none as primary.";
        return refuse(why, next);
    };
    if writer.arn != o.wanted.source {
        return other_writer(o, global, &writer.arn);
    }
    neighbour(o, global)
}

/// The global cluster has a primary, and it is not the source.
fn other_writer(o: &Observed, global: &Global, writer: &shared_rds::Arn) -> Verdict {
    let (id, source) = (&global.id, &o.wanted.source);
    let why = format!("the primary of global cluster {id} is {writer}, not {source}");
    if global.member(source).is_some() {
        let next = "Run ACTIVATE first (PlannedFailoverAurora), or exchange source and secondary: \
                    nothing is to be deleted.";
        return refuse(format!("{why}, which is its secondary"), next);
    }
    if writer.region == o.wanted.cluster.region {
        return refuse(format!("{why}: it is stale"), CLEANUP);
    }
    refuse(why, "Correct SourceDBClusterIdentifier: it names the cluster that serves.")
}

/// A global cluster has one cluster in a Region.
fn neighbour(o: &Observed, global: &Global) -> Verdict {
    let wanted = &o.wanted.cluster;
    let other =
        global.members.iter().find(|m| m.arn.region == wanted.region && m.arn != *wanted)?;
    let why = format!("{} has another cluster in {}: {}", global.id, wanted.region, other.arn.id);
    refuse(why, "Correct DBClusterName and DBClusterIdentifier, or remove that one by hand.")
}

/// A cluster of the secondary's name must be the secondary.
fn cluster_is(o: &Observed, cluster: &Cluster, cx: &Cx) -> Verdict {
    let (id, region) = (&cluster.arn.id, &cluster.arn.region);
    if cluster.health() == Health::Deleting {
        return wait(format!("an older {id} is being deleted"));
    }
    let named = cluster.global.as_deref();
    let listed = o.global.as_ref().is_some_and(|g| g.member(&cluster.arn).is_some());
    let member = named.is_some_and(|g| g.eq_ignore_ascii_case(&o.wanted.global));
    if member && o.global.is_none() {
        return wait(format!("{id} is a member of {}, which does not show", o.wanted.global));
    }
    if listed || member {
        return same_engine(o, cluster);
    }
    let new = cx.seconds_since(CREATE_CLUSTER).is_some_and(|s| s < LATE);
    if named.is_none() && (new || cluster.status == "creating") {
        return wait(format!("{id} is {}, its global cluster does not show yet", cluster.status));
    }
    let role = named.map_or("standalone".to_owned(), |g| format!("a member of {g}"));
    let wanted = format!("wanted a secondary of {}", o.wanted.global);
    refuse(format!("{id} in {region} exists and is {role}, {wanted}"), CLEANUP)
}

fn same_engine(o: &Observed, cluster: &Cluster) -> Verdict {
    if cluster.engine == o.wanted.engine {
        return None;
    }
    let why =
        format!("{} exists and is {}, wanted {}", cluster.arn.id, cluster.engine, o.wanted.engine);
    refuse(why, CLEANUP)
}

/// What the manifest says of encryption and capacity, against what there is.
fn fits(o: &Observed, source: &Cluster) -> Verdict {
    match &o.cluster {
        None => encryption(o, source).or_else(|| range(o)),
        Some(cluster) => scaling(o, cluster),
    }
}

fn encryption(o: &Observed, source: &Cluster) -> Verdict {
    let id = &source.arn.id;
    let encrypted = is_encrypted(o, source);
    match (encrypted, o.wanted.has_key, o.wanted.encrypted) {
        (true, false, _) => refuse(
            format!("{id} is encrypted, and a key does not leave its Region"),
            "Give KmsKeyId: a key of ClusterRegion.",
        ),
        (true, _, Some(false)) => refuse(
            format!("{id} is encrypted, the manifest says StorageEncrypted \"False\""),
            "Leave StorageEncrypted out, or set it to \"True\".",
        ),
        (false, true, _) | (false, _, Some(true)) => refuse(
            format!("{id} is not encrypted, the manifest asks for an encrypted secondary"),
            "Leave KmsKeyId and StorageEncrypted out, or encrypt the source (restore a snapshot of \
             it with a key).",
        ),
        _ => None,
    }
}

/// Whether the secondary's storage is encrypted: as the source's.
pub fn is_encrypted(o: &Observed, source: &Cluster) -> bool {
    source.encrypted || o.global.as_ref().is_some_and(|g| g.encrypted)
}

fn range(o: &Observed) -> Verdict {
    if !o.wanted.serverless || o.wanted.capacity {
        return None;
    }
    refuse(
        "db.serverless needs a capacity range".to_owned(),
        "Set ServerlessV2MinCapacity and ServerlessV2MaxCapacity, or another DBInstanceClass.",
    )
}

fn scaling(o: &Observed, cluster: &Cluster) -> Verdict {
    let complete = o.instances.iter().all(Option::is_some);
    if complete || cluster.serverless || !o.wanted.serverless {
        return None;
    }
    refuse(
        format!("{} has no capacity range, which db.serverless needs", cluster.arn.id),
        "Give the cluster a Serverless v2 capacity range (ModifyDBCluster), or set another \
         DBInstanceClass.",
    )
}

/// An instance of a wanted name must be the secondary's.
fn instance_is(o: &Observed, instance: &Instance) -> Verdict {
    let id = &instance.arn.id;
    if instance.health() == Health::Deleting {
        return wait(format!("an older instance {id} is being deleted"));
    }
    let wanted = &o.wanted.cluster.id;
    let of = instance.cluster.as_deref();
    if of.is_some_and(|c| c.eq_ignore_ascii_case(wanted)) {
        return (instance.health() == Health::Broken).then(|| broken(id, &instance.status));
    }
    let role = of.map_or("single".to_owned(), |c| format!("a member of {c}"));
    refuse(
        format!("instance {id} exists and is {role}, wanted one of {wanted}"),
        "Give other names in DBInstanceIdentifier, or delete that instance first.",
    )
}
