//! What is wanted, what one look sees, and the changes.

use shared::{ChangeClass, Classified};
use shared_elasticache::{Datastore, Group, GroupArn, Seen, Side};

/// The parameters, checked and typed.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Full id of the global datastore.
    pub datastore: String,
    /// What is to leave it.
    pub group: GroupArn,
    /// Region of its primary, when the datastore is to be deleted, too.
    pub at_primary: Option<String>,
    /// What a direct start did not agree to.
    pub warning: Option<String>,
}

/// One look.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The parameters.
    pub wanted: Wanted,
    /// What is to leave.
    pub group: Option<Group>,
    /// The global datastore as the group's Region knows it.
    pub here: Seen,
    /// As its primary's Region knows it; asked for only when it is to be deleted.
    pub there: Seen,
}

impl Observed {
    /// The global datastore, as whichever Region knows it; its primary's Region knows it best.
    pub fn datastore(&self) -> Option<&Datastore> {
        self.there.there().or_else(|| self.here.there())
    }

    /// The group as a global datastore lists it.
    pub fn side(&self) -> Option<&Side> {
        let of =
            |seen: &'_ Seen| seen.there().is_some_and(|d| d.side(&self.wanted.group).is_some());
        let seen = if of(&self.here) { &self.here } else { &self.there };
        seen.there().and_then(|d| d.side(&self.wanted.group))
    }

    /// What is standalone in the end: the group, and the primary of a datastore that is deleted.
    pub fn released(&self) -> Vec<GroupArn> {
        let primary = self.datastore().and_then(Datastore::primary);
        let primary = primary.filter(|_| self.wanted.at_primary.is_some()).map(|side| GroupArn {
            region: side.region.clone(),
            id: side.id.clone(),
            ..self.wanted.group.clone()
        });
        let mut all = vec![self.wanted.group.clone()];
        all.extend(primary.filter(|p| *p != self.wanted.group));
        all
    }
}

/// The changes, in order.
#[derive(Debug, PartialEq)]
pub enum Change {
    /// DisassociateGlobalReplicationGroup.
    Detach {
        /// The global datastore.
        datastore: String,
        /// What leaves it.
        group: GroupArn,
        /// Whether it leaves in order to serve.
        takes_over: bool,
    },
    /// DeleteGlobalReplicationGroup.
    Delete {
        /// The global datastore.
        datastore: String,
        /// Region of its primary.
        region: String,
    },
}

/// The call that makes a secondary a group of its own.
pub const DETACH: &str = "DisassociateGlobalReplicationGroup";
/// The call that dissolves a global datastore.
pub const DELETE: &str = "DeleteGlobalReplicationGroup";

impl Classified for Change {
    fn name(&self) -> &'static str {
        match self {
            Self::Detach { .. } => DETACH,
            Self::Delete { .. } => DELETE,
        }
    }
    fn class(&self) -> ChangeClass {
        match self {
            Self::Detach { takes_over: true, .. } => ChangeClass::DataLoss,
            _ => ChangeClass::Destructive,
        }
    }
    fn summary(&self) -> String {
        match self {
            Self::Detach { datastore, group, .. } => {
                format!("detach {} from {datastore}, standalone from then on", group.label())
            }
            Self::Delete { datastore, region } => {
                format!("delete global datastore {datastore}; its primary in {region} stays")
            }
        }
    }
}
