//! In which states a cluster can go.

use crate::change::Change;
use crate::observed::Observed;
use shared::{ErrorType, Step};
use shared_rds::{Cluster, Health};

/// A final snapshot of these cannot be taken. RDS documents for instances that they can then be
/// deleted without one; for clusters it is silent, and its answer decides.
pub const NO_SNAPSHOT: &[&str] = &[
    "failed",
    "cloning-failed",
    "migration-failed",
    "inaccessible-encryption-credentials",
    "incompatible-restore",
    "incompatible-network",
];

/// Whether the cluster is in a state in which RDS deletes it. None: it is, or the operator agreed
/// to lose what no snapshot can be taken of. A cluster without instances is no less deletable.
pub fn state(o: &Observed, cluster: &Cluster) -> Option<Step<Change>> {
    let status = cluster.status.as_str();
    let is = format!("{} is {status}", cluster.arn.id);
    if NO_SNAPSHOT.contains(&status) {
        let why = format!("{is}: RDS takes no final snapshot of it");
        let next = "Enable its KMS key if that is the reason, or restore it. To delete it without \
                    a snapshot all the same, set FinalSnapshot to \"False\".";
        let fail = || Step::Fail(ErrorType::Failed, why, next.into());
        return o.wanted.final_snapshot.then(fail);
    }
    match cluster.health() {
        Health::Available => None,
        Health::Moving | Health::Deleting => Some(Step::Wait(is)),
        Health::Broken => {
            let why = format!("{is} and cannot be deleted");
            Some(Step::Fail(ErrorType::Failed, why, remedy(status).into()))
        }
    }
}

fn remedy(status: &str) -> &'static str {
    match status {
        "stopped" | "stopping" => {
            "Start the cluster (RDS console), wait until it is available, then start again."
        }
        s if s.starts_with("inaccessible-encryption") => {
            "Enable its KMS key, or give RDS access to it again, start the cluster (RDS console), \
             then start again."
        }
        _ => "Read its events in the RDS console and bring it to available, then start again.",
    }
}
