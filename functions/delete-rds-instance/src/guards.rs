//! What must be true on the surviving side and of the instance before anything is destroyed.

use crate::decide::Change;
use crate::observed::Observed;
use shared::Step;
use shared_rds::{Health, Instance};

/// None: it may go. Some: the refusal, or the wait.
pub fn guard(o: &Observed, instance: &Instance) -> Option<Step<Change>> {
    writer(o, instance).or_else(|| relations(o, instance))
}

fn refuse(why: String, next: &str) -> Option<Step<Change>> {
    Some(Step::Refuse(why, next.to_owned()))
}

/// The database that serves must be proven now, elsewhere.
fn writer(o: &Observed, instance: &Instance) -> Option<Step<Change>> {
    let arn = &o.wanted.writer;
    let Some(writer) = &o.writer else {
        let why = format!("the expected writer {arn} does not exist: this could be the last copy");
        return refuse(
            why,
            "Correct ExpectedWriterArn, or run ACTIVATE in the other Region first.",
        );
    };
    if writer.arn != *arn || writer.arn == instance.arn {
        let why = format!("the expected writer {arn} is observed as {}", writer.arn);
        return refuse(
            why,
            "Correct ExpectedWriterArn: the database that serves, in the other Region.",
        );
    }
    if let Some(source) = &writer.source {
        let why = format!("the expected writer {arn} is still a replica of {source}");
        return refuse(why, "Run ACTIVATE in its Region first: it must be promoted.");
    }
    match writer.health() {
        Health::Available => None,
        Health::Moving => Some(Step::Wait(format!("the expected writer is {}", writer.status))),
        _ => refuse(
            format!(
                "the expected writer {arn} is {}: this could be the last good copy",
                writer.status
            ),
            "Repair the database that is to serve before its old copy is deleted.",
        ),
    }
}

/// The instance must be nobody's replica, and nobody's source.
fn relations(o: &Observed, instance: &Instance) -> Option<Step<Change>> {
    if let Some(source) = &instance.source {
        let why = format!(
            "{} is a replica of {source}: it is a standby, not a stale primary",
            o.wanted.id
        );
        return refuse(why, "If it is to go all the same, delete it by hand.");
    }
    let orphans: Vec<&str> =
        instance.replicas.iter().map(String::as_str).filter(|r| !accounted_for(o, r)).collect();
    if orphans.is_empty() {
        return None;
    }
    let why = format!("{} still has read replicas: {}", o.wanted.id, orphans.join(", "));
    refuse(why, "Name those that may lose their source in AllowReplicas.")
}

/// The promoted database may still be listed for a while; it is observed to be standalone by now.
fn accounted_for(o: &Observed, replica: &str) -> bool {
    let named = |n: &String| n == replica || replica.ends_with(&format!(":db:{n}"));
    replica == o.wanted.writer.to_string() || o.wanted.allowed_replicas.iter().any(named)
}
