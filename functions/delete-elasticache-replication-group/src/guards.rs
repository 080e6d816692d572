//! What must be true of the surviving side and of the group before anything is destroyed.

use crate::decide::Change;
use crate::observed::Observed;
use shared::{Cx, Mode, Step};
use shared_elasticache::{Datastore, Group, Health, Role, Seen};

/// None: it may go. Some: the refusal, or the wait.
pub fn guard(o: &Observed, group: &Group, cx: &Cx) -> Option<Step<Change>> {
    primary(o, group).or_else(|| member(o, group, cx)).or_else(|| listed(o, cx))
}

fn refuse(why: String, next: &str) -> Option<Step<Change>> {
    Some(Step::Refuse(why, next.to_owned()))
}

/// What serves must be proven now, elsewhere.
fn primary(o: &Observed, group: &Group) -> Option<Step<Change>> {
    let label = o.wanted.primary.label();
    let Some(primary) = &o.primary else {
        let why =
            format!("the expected primary {label} does not exist: this could be the last copy");
        let next = "Correct the Expected... parameters, or run ACTIVATE first.";
        return refuse(why, next);
    };
    if primary.arn == group.arn {
        let why = format!("{label} is both the expected primary and the group to delete");
        return refuse(why, "Let the Expected... parameters name the group that serves now.");
    }
    if !same_family(&primary.engine, &group.engine) {
        let (is, not) = (&primary.engine, &group.engine);
        let why =
            format!("the expected primary {label} is another cache: its engine is {is}, not {not}");
        return refuse(
            why,
            "Let the Expected... parameters name the former secondary of this group.",
        );
    }
    role(o, primary).or_else(|| match primary.health() {
        Health::Available | Health::PrimaryOnly => None,
        Health::Moving => {
            Some(Step::Wait(format!("the expected primary {label} is {}", primary.status)))
        }
        Health::Deleting | Health::Broken => {
            let is = &primary.status;
            let why =
                format!("the expected primary {label} is {is}: this could be the last good copy");
            refuse(why, "Bring the group that is to serve to available first.")
        }
    })
}

/// Standalone, or the primary by its own word and by its global datastore's.
fn role(o: &Observed, primary: &Group) -> Option<Step<Change>> {
    let label = o.wanted.primary.label();
    let membership = primary.global.as_ref()?;
    let store = &membership.datastore;
    let follows = |who: &str| {
        let why = format!("the expected primary {label} is a secondary of {store}{who}");
        refuse(why, "Run ACTIVATE first: it must be the primary, or standalone.")
    };
    match membership.role {
        Some(Role::Primary) => {}
        Some(Role::Secondary) => return follows(""),
        None => return Some(Step::Wait(format!("the role of {label} in {store} does not show"))),
    }
    match &o.at_primary {
        Some(Seen::There(d)) => match d.primary() {
            Some(side) if side.is(&o.wanted.primary) => None,
            Some(side) => follows(&format!(", whose primary is {}", side.label())),
            None => Some(Step::Wait(format!("the primary of {store} does not show"))),
        },
        Some(Seen::Silent(why)) => Some(Step::Wait(why.clone())),
        Some(Seen::Absent) | None => Some(Step::Wait(format!("{store} does not show"))),
    }
}

/// Redis OSS and Valkey follow each other; what tells no engine is not compared.
fn same_family(a: &str, b: &str) -> bool {
    let family = |e: &str| match e.to_ascii_lowercase().as_str() {
        "redis" | "valkey" => "redis".to_owned(),
        other => other.to_owned(),
    };
    a.is_empty() || b.is_empty() || family(a) == family(b)
}

/// The group must be in no global datastore by its own word.
fn member(o: &Observed, group: &Group, cx: &Cx) -> Option<Step<Change>> {
    let membership = group.global.as_ref()?;
    let (label, store) = (o.wanted.stale.label(), &membership.datastore);
    if membership.role == Some(Role::Primary) {
        let why = format!("{label} is the primary of {store}");
        let followed = |d: &Datastore| d.id == *store && !d.followers().is_empty();
        if o.datastores.iter().any(followed) {
            return refuse(why, "Run ACTIVATE first: what is to go must not serve.");
        }
        let next = "If it is stale, run DisassociateElastiCache with DeleteGlobalReplicationGroup \
                    \"True\" first: that leaves it standalone.";
        return Some(not_yet(o, cx, why, next));
    }
    let why = format!("{label} is still a secondary of {store}");
    Some(not_yet(o, cx, why, "Run DisassociateElastiCache for it first."))
}

/// A plan looks before the step that detaches the group has run.
fn not_yet(o: &Observed, cx: &Cx, why: String, next: &str) -> Step<Change> {
    match cx.mode {
        Mode::Plan => Step::Unknown(vec![o.wanted.stale.standalone()], format!("{why}. {next}")),
        Mode::Execute => Step::Refuse(why, next.to_owned()),
    }
}

/// And by the word of the global datastores.
fn listed(o: &Observed, cx: &Cx) -> Option<Step<Change>> {
    let known = o.datastores.iter().chain(o.at_primary.as_ref().and_then(Seen::there));
    let (store, side) = known.filter_map(|d| Some((d, d.side(&o.wanted.stale)?))).next()?;
    let why = format!("{} still lists {} as {}", store.id, side.label(), side.status);
    match side.is_associated() {
        true => Some(not_yet(o, cx, why, "Run DisassociateElastiCache for it first.")),
        false => Some(Step::Wait(why)),
    }
}
