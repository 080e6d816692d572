//! What must be true on the surviving side and of the instance before anything is destroyed.

use crate::decide::Change;
use crate::observed::Observed;
use shared::Step;
use shared_rds::{Health, Instance};

/// None: it may go. Some: the refusal, or the wait.
pub fn guard(o: &Observed, instance: &Instance) -> Option<Step<Change>> {
    kind(instance).or_else(|| writer(o, instance)).or_else(|| relations(o, instance))
}

fn refuse(why: String, next: &str) -> Option<Step<Change>> {
    Some(Step::Refuse(why, next.to_owned()))
}

fn kind(instance: &Instance) -> Option<Step<Change>> {
    refuse(instance.foreign_kind()?, "This step deletes single DB instances only.")
}

/// The database that serves must be proven now, elsewhere.
fn writer(o: &Observed, instance: &Instance) -> Option<Step<Change>> {
    let arn = &o.wanted.writer;
    let Some(writer) = &o.writer else {
        let why = format!("the expected writer {arn} does not exist: this could be the last copy");
        return refuse(why, "Correct ExpectedWriterArn, or run ACTIVATE in its Region first.");
    };
    if writer.arn == instance.arn {
        let why = format!("{arn} is both the expected writer and the instance to delete");
        return refuse(why, "Let ExpectedWriterArn name the database that serves now.");
    }
    if let Some(source) = &writer.source {
        let why = format!("the expected writer {arn} is still a replica of {source}");
        return refuse(why, "Run ACTIVATE in its Region first: it must be promoted.");
    }
    if writer.engine != instance.engine {
        let engines = format!("{}, not {}", writer.engine, instance.engine);
        let why = format!("the expected writer {arn} is another database: its engine is {engines}");
        return refuse(why, "Let ExpectedWriterArn name the promoted replica of this instance.");
    }
    match writer.health() {
        Health::Available => None,
        Health::Moving => {
            Some(Step::Wait(format!("the expected writer {} is {}", arn.id, writer.status)))
        }
        Health::Deleting | Health::Broken => {
            let status = &writer.status;
            let why =
                format!("the expected writer {arn} is {status}: this could be the last good copy");
            refuse(why, "Bring the database that is to serve to available first.")
        }
    }
}

/// The instance must be nobody's replica, and nobody's source.
fn relations(o: &Observed, instance: &Instance) -> Option<Step<Change>> {
    let id = &instance.arn.id;
    if let Some(source) = &instance.source {
        let why = format!("{id} is a replica of {source}: a standby, not a stale primary");
        return refuse(why, "Correct the manifest; a replica that is to go is deleted by hand.");
    }
    let orphans: Vec<&str> =
        instance.replicas.iter().map(String::as_str).filter(|r| !accounted_for(o, r)).collect();
    if orphans.is_empty() {
        return None;
    }
    let why = format!("{id} still has read replicas: {}", orphans.join(", "));
    refuse(
        why,
        "Promote or delete them, or name those that may lose their source in AllowReplicas.",
    )
}

/// The promoted database may still be listed for a while; it was observed to be standalone.
fn accounted_for(o: &Observed, replica: &str) -> bool {
    let named = |n: &String| n.eq_ignore_ascii_case(replica.rsplit(':').next().unwrap_or(replica));
    let allowed = |n: &String| n.eq_ignore_ascii_case(replica) || named(n);
    o.wanted.writer.is_named(replica, &o.wanted.stale.region)
        || o.wanted.allowed_replicas.iter().any(allowed)
}
