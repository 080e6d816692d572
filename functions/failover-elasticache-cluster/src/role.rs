//! Which role the target has. Two answers tell it: the group's own, and the global datastore's,
//! which may be old or missing while the primary's Region is lost.

use crate::decide::settled;
use crate::observed::Observed;
use crate::parameters::is_unplanned;
use shared::Cx;
use shared_elasticache::{Group, Role, Seen};

/// What is known of the role.
#[derive(Debug, PartialEq, Eq)]
pub enum Known {
    /// It is the primary.
    Primary,
    /// It is a secondary.
    Secondary,
    /// The answers do not tell it yet.
    NotYet(String),
    /// They will not.
    Never(String),
}

/// The role that both answers agree on. In an unplanned run the group's own word is enough where
/// the global datastore does not tell, and after a while also against it.
pub fn role(o: &Observed, group: &Group, cx: &Cx) -> Known {
    let (target, name) = (o.wanted.target.label(), &o.wanted.datastore);
    let unplanned = is_unplanned(cx);
    if !unplanned && o.datastore == Seen::Absent {
        return Known::Never(format!("ElastiCache knows no global datastore {name}"));
    }
    if !unplanned && o.datastore.there().is_some() && o.side().is_none() {
        return Known::Never(format!("{target} is no member of {name}"));
    }
    let unclear = |what: &str| Known::NotYet(format!("the role of {target} is not clear: {what}"));
    match (group.role(), o.side().and_then(|s| s.role)) {
        (Some(own), Some(listed)) if own == listed => known(own),
        (Some(Role::Primary), Some(_)) if unplanned && settled(cx) => Known::Primary,
        (Some(_), Some(_)) => unclear("group and global datastore differ"),
        (None, Some(listed)) => known(listed),
        (Some(own), None) if unplanned => known(own),
        (Some(_), None) => unclear("the global datastore does not tell it"),
        (None, None) => unclear("nobody tells it"),
    }
}

fn known(role: Role) -> Known {
    match role {
        Role::Primary => Known::Primary,
        Role::Secondary => Known::Secondary,
    }
}
