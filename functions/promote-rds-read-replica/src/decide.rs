//! The decision: pure, and where the tests are.

use shared::{ChangeClass, Classified, Cx, ErrorType, Outcome, Step};
use shared_rds::{Health, Instance};

/// One look.
#[derive(Debug)]
pub struct Observed {
    pub id: String,
    pub region: String,
    pub instance: Option<Instance>,
    /// Seconds behind, while it is a replica and the metric answers.
    pub lag_s: Option<f64>,
}

/// The only change.
#[derive(Debug, PartialEq)]
pub struct Promote {
    pub id: String,
    pub source: String,
    pub lag_s: Option<f64>,
}

const NAME: &str = "PromoteReadReplica";

impl Classified for Promote {
    fn name(&self) -> &'static str {
        NAME
    }
    fn class(&self) -> ChangeClass {
        // Replication is asynchronous: what has not arrived is lost, and the tie is cut for good.
        ChangeClass::DataLoss
    }
    fn summary(&self) -> String {
        let lag = self.lag_s.map_or("lag unknown".to_owned(), |s| format!("lag {s} s"));
        let source = self.source.rsplit(':').next().unwrap_or(&self.source);
        format!("promote replica {} of {source}: {lag}; reboots; irreversible", self.id)
    }
}

pub fn decide(max_lag_s: Option<i64>, o: &Observed, cx: &Cx) -> Step<Promote> {
    let Some(instance) = &o.instance else {
        let why = format!("there is no DB instance {} in {}", o.id, o.region);
        return Step::Fail(ErrorType::NotFound, why, "Correct RDSInstanceIdentifier.".into());
    };
    if instance.engine.starts_with("aurora") {
        let why = format!("{} is an Aurora instance ({})", o.id, instance.engine);
        return Step::Refuse(why, "Use PlannedFailoverAurora or UnPlannedFailoverAurora.".into());
    }
    match (instance.health(), &instance.source) {
        (Health::Broken, _) => Step::Fail(
            ErrorType::Failed,
            format!("{} is {} and cannot be promoted", o.id, instance.status),
            "Bring it to available (RDS console, events of the instance), then start again.".into(),
        ),
        (Health::Available, None) if !instance.pending => Step::Done(done(o, instance, cx)),
        (Health::Available, Some(source)) if !instance.pending => replica(max_lag_s, o, source, cx),
        _ => Step::Wait(format!("{} is {}", o.id, waiting(instance))),
    }
}

fn waiting(instance: &Instance) -> String {
    let role = if instance.source.is_some() { "a replica" } else { "promoted" };
    let pending = if instance.pending { " with pending modifications" } else { "" };
    format!("{role}, {}{pending}", instance.status)
}

fn replica(max_lag_s: Option<i64>, o: &Observed, source: &str, cx: &Cx) -> Step<Promote> {
    let change = Promote { id: o.id.clone(), source: source.to_owned(), lag_s: o.lag_s };
    let Some(max) = max_lag_s.filter(|_| !cx.context.unplanned && cx.act(NAME).is_none()) else {
        return Step::Change(change);
    };
    match o.lag_s {
        Some(lag) if lag <= max as f64 => Step::Change(change),
        Some(lag) => Step::Wait(format!("{} is {lag} s behind, wanted at most {max} s", o.id)),
        None => Step::Wait(format!("{} has no ReplicaLag figure, wanted at most {max} s", o.id)),
    }
}

fn done(o: &Observed, instance: &Instance, cx: &Cx) -> Outcome {
    let rpo = cx.act(NAME).and_then(|a| a.result["lagSeconds"].as_f64());
    let how = if cx.changed() { "promoted" } else { "standalone already" };
    let backups = match instance.retention_days {
        0 => "; automated backups are off: a later replica needs them",
        _ => "",
    };
    let summary = format!("{} in {} is {how} and available{backups}", o.id, o.region);
    Outcome { summary, rpo_seconds: rpo }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Phase;
    use shared::progress::{Act, sample_cx};

    const OWN: &str = "arn:aws:rds:us-west-2:123456789012:db:orders-dr";
    const SOURCE: &str = "arn:aws:rds:us-east-1:123456789012:db:orders";

    fn look(change: impl FnOnce(&mut Instance)) -> Observed {
        let mut instance = Instance::sample(OWN).unwrap();
        change(&mut instance);
        Observed {
            id: "orders-dr".into(),
            region: "us-west-2".into(),
            instance: Some(instance),
            lag_s: Some(4.0),
        }
    }

    fn replica_look(status: &str) -> Observed {
        look(|i| {
            i.source = Some(SOURCE.into());
            i.status = status.into();
        })
    }

    fn planned() -> Cx {
        let mut cx = sample_cx(Phase::Activate);
        cx.context.unplanned = false;
        cx
    }

    #[test]
    fn an_available_replica_is_promoted() {
        let Step::Change(change) = decide(None, &replica_look("available"), &planned()) else {
            panic!()
        };
        assert_eq!(
            change.summary(),
            "promote replica orders-dr of orders: lag 4 s; reboots; irreversible"
        );
    }

    #[test]
    fn status_words_of_a_replica() {
        for status in
            ["backing-up", "modifying", "rebooting", "creating", "configuring-log-exports"]
        {
            assert!(
                matches!(decide(None, &replica_look(status), &planned()), Step::Wait(_)),
                "{status}"
            );
        }
        for status in [
            "failed",
            "incompatible-network",
            "storage-full",
            "stopped",
            "inaccessible-encryption-credentials",
        ] {
            assert!(
                matches!(decide(None, &replica_look(status), &planned()), Step::Fail(..)),
                "{status}"
            );
        }
    }

    #[test]
    fn the_status_alone_is_never_done() {
        let still_a_replica = decide(None, &replica_look("available"), &planned());
        assert!(!matches!(still_a_replica, Step::Done(_)));
        for status in ["modifying", "rebooting", "backing-up"] {
            let step = decide(None, &look(|i| i.status = status.into()), &planned());
            assert!(matches!(step, Step::Wait(_)), "{status}");
        }
        assert!(matches!(decide(None, &look(|i| i.pending = true), &planned()), Step::Wait(_)));
    }

    #[test]
    fn a_standalone_instance_is_done_and_tells_the_lag_before_its_promotion() {
        let mut cx = planned();
        let Step::Done(before) = decide(None, &look(|_| ()), &cx) else { panic!() };
        assert!(before.summary.contains("standalone already"));
        let act = Act { at: cx.now, certain: true, result: serde_json::json!({"lagSeconds": 4.0}) };
        cx.progress.acts.insert(NAME.into(), act);
        let Step::Done(after) = decide(None, &look(|_| ()), &cx) else { panic!() };
        assert_eq!(after.rpo_seconds, Some(4.0));
    }

    #[test]
    fn a_planned_run_waits_for_the_lag_and_an_unplanned_one_does_not() {
        let behind = replica_look("available");
        assert!(matches!(decide(Some(3), &behind, &planned()), Step::Wait(_)));
        assert!(matches!(decide(Some(4), &behind, &planned()), Step::Change(_)));
        assert!(matches!(decide(Some(3), &behind, &sample_cx(Phase::Activate)), Step::Change(_)));
        let unknown = Observed { lag_s: None, ..replica_look("available") };
        assert!(matches!(decide(Some(3), &unknown, &planned()), Step::Wait(_)));
        assert!(matches!(decide(None, &unknown, &planned()), Step::Change(_)));
    }

    #[test]
    fn aurora_is_refused_and_a_missing_instance_is_named() {
        let aurora = look(|i| i.engine = "aurora-mysql".into());
        assert!(matches!(decide(None, &aurora, &planned()), Step::Refuse(..)));
        let missing = Observed { instance: None, ..look(|_| ()) };
        assert!(matches!(decide(None, &missing, &planned()), Step::Fail(ErrorType::NotFound, ..)));
    }
}
