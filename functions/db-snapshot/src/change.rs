//! The changes.

use shared::{ChangeClass, Classified};
use shared_rds::Kind;

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// CreateDBClusterSnapshot or CreateDBSnapshot.
    Create {
        /// Of what.
        kind: Kind,
        /// The database.
        of: String,
        /// The snapshot.
        name: String,
    },
    /// CopyDBClusterSnapshot or CopyDBSnapshot, in the copy's Region.
    Copy {
        /// Of what.
        kind: Kind,
        /// ARN of the snapshot to copy.
        source: String,
        /// The copy.
        name: String,
        /// Its Region.
        region: String,
    },
}

impl Classified for Change {
    fn name(&self) -> &'static str {
        match self {
            Self::Create { kind: Kind::Cluster, .. } => "CreateDBClusterSnapshot",
            Self::Create { kind: Kind::Db, .. } => "CreateDBSnapshot",
            Self::Copy { kind: Kind::Cluster, .. } => "CopyDBClusterSnapshot",
            Self::Copy { kind: Kind::Db, .. } => "CopyDBSnapshot",
        }
    }

    fn class(&self) -> ChangeClass {
        ChangeClass::Create
    }

    fn summary(&self) -> String {
        match self {
            Self::Create { of, name, .. } => format!("takes snapshot {name} of {of}"),
            Self::Copy { source, name, region, .. } => {
                let parts: Vec<&str> = source.splitn(7, ':').collect();
                let (from, old) = match parts.as_slice() {
                    [_, _, _, from, _, _, old] => (*from, *old),
                    _ => ("", source.as_str()),
                };
                format!("copies snapshot {old} of {from} to {name} in {region}")
            }
        }
    }
}
