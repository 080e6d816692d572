//! The decision: pure, and where the tests are.

use crate::Nothing;
use shared::{Cx, ErrorType, Mode, Outcome, Step};
use std::time::Duration;

/// The parameters, checked and typed.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Identifier of the global cluster.
    pub global: String,
    /// Lag that is good enough.
    pub max_lag_s: i64,
    /// Figures in a row that must be good.
    pub periods: i64,
    /// Whether the step fails otherwise.
    pub required: bool,
}

/// One secondary.
#[derive(Debug, Clone)]
pub struct Behind {
    /// For people.
    pub name: String,
    /// Whether its Region is the lost one: it is not asked.
    pub lost: bool,
    /// Its lag, one figure a minute, newest first.
    pub newest_first: Vec<f64>,
}

/// One look.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The parameters.
    pub wanted: Wanted,
    /// Whether the global cluster exists.
    pub exists: bool,
    /// Its secondaries.
    pub secondaries: Vec<Behind>,
}

/// What the loop's deadline leaves for a last look, seconds.
const LAST_LOOK_S: i64 = 20;

/// Every secondary follows closely, or is waited for.
pub fn decide(o: &Observed, cx: &Cx, wait: Duration) -> Step<Nothing> {
    let id = &o.wanted.global;
    if cx.mode == Mode::Plan && o.secondaries.is_empty() {
        let why = format!("{id} has no secondary yet");
        return Step::Unknown(vec![shared_rds::secondary_of(id)], why);
    }
    if !o.exists {
        let next = "Correct GlobalClusterIdentifier, or set Region to that of a member.";
        return Step::Fail(
            ErrorType::NotFound,
            format!("there is no global cluster {id}"),
            next.into(),
        );
    }
    let asked: Vec<&Behind> = o.secondaries.iter().filter(|s| !s.lost).collect();
    if asked.is_empty() {
        let why = format!("{id} has no secondary that could be asked: nothing follows its primary");
        let next = "Create one (CreateAuroraSecondaryDBCluster in REPLICATE), then start again.";
        return Step::Fail(ErrorType::Failed, why, next.into());
    }
    let open: Vec<String> = asked.iter().filter_map(|s| trouble(s, &o.wanted)).collect();
    if open.is_empty() {
        let worst = asked.iter().filter_map(|s| s.newest_first.first()).fold(0.0, |a, b| b.max(a));
        let line = format!(
            "{id}: {} of {} secondaries at most {} s behind for {} minutes, now {worst} s",
            asked.len(),
            o.secondaries.len(),
            o.wanted.max_lag_s,
            o.wanted.periods
        );
        return Step::Done(Outcome { summary: line, rpo_seconds: Some(worst) });
    }
    let why = format!("{id}: {}", open.join("; "));
    let allowed = i64::try_from(wait.as_secs()).unwrap_or(i64::MAX) - LAST_LOOK_S;
    if !o.wanted.required && cx.mode == Mode::Execute && cx.waited() >= allowed {
        return Step::Done(Outcome::new(format!("warning: not caught up in time: {why}")));
    }
    Step::Wait(why)
}

/// Why a secondary is not good yet. None: it is.
fn trouble(secondary: &Behind, wanted: &Wanted) -> Option<String> {
    let name = &secondary.name;
    let needed = usize::try_from(wanted.periods).unwrap_or(usize::MAX);
    let limit = f64::from(i32::try_from(wanted.max_lag_s).unwrap_or(i32::MAX));
    let newest: Vec<f64> = secondary.newest_first.iter().take(needed).copied().collect();
    if let Some(worst) = newest.iter().find(|s| **s > limit || **s < 0.0) {
        return Some(format!("{name} is {worst} s behind, wanted at most {}", wanted.max_lag_s));
    }
    (newest.len() < needed)
        .then(|| format!("{name} has {} of {needed} figures of AuroraGlobalDBRPOLag", newest.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Phase;
    use shared::progress::sample_cx;

    fn look(figures: &[&[f64]]) -> Observed {
        let wanted = Wanted { global: "g".into(), max_lag_s: 5, periods: 3, required: true };
        let behind = |(n, f): (usize, &&[f64])| Behind {
            name: format!("s{n} in us-west-2"),
            lost: false,
            newest_first: f.to_vec(),
        };
        Observed {
            wanted,
            exists: true,
            secondaries: figures.iter().enumerate().map(behind).collect(),
        }
    }

    fn step(o: &Observed) -> Step<Nothing> {
        decide(o, &sample_cx(Phase::Replicate), Duration::from_secs(1800))
    }

    fn waits(o: &Observed) -> String {
        let Step::Wait(why) = step(o) else { panic!("{:?}", step(o)) };
        why
    }

    #[test]
    fn done_needs_as_many_good_figures_of_every_secondary() {
        let Step::Done(done) = step(&look(&[&[0.4, 5.0, 0.2, 99.0], &[1.5, 0.1, 0.1]])) else {
            panic!()
        };
        assert_eq!(done.rpo_seconds, Some(1.5));
        assert!(waits(&look(&[&[0.4, 0.4]])).contains("2 of 3 figures"));
        assert!(waits(&look(&[&[]])).contains("0 of 3 figures"), "missing is not good");
        assert!(waits(&look(&[&[0.1, 6.0, 0.1]])).contains("6 s behind"));
        assert!(waits(&look(&[&[0.1; 3], &[9.0; 3]])).contains("s1"));
        assert!(waits(&look(&[&[-1.0; 3]])).contains("-1 s behind"), "not active is not near");
    }

    #[test]
    fn nothing_to_ask_is_a_failure_and_never_done() {
        let missing = Observed { exists: false, ..look(&[]) };
        assert!(matches!(step(&missing), Step::Fail(ErrorType::NotFound, ..)));
        assert!(matches!(step(&look(&[])), Step::Fail(ErrorType::Failed, ..)));
        let mut lost = look(&[&[0.1; 3]]);
        lost.secondaries[0].lost = true;
        assert!(matches!(step(&lost), Step::Fail(ErrorType::Failed, ..)));
    }

    #[test]
    fn a_plan_leaves_it_to_what_creates_the_secondary() {
        let mut plan = sample_cx(Phase::Replicate);
        plan.mode = Mode::Plan;
        for o in [look(&[]), Observed { exists: false, ..look(&[]) }] {
            let step = decide(&o, &plan, Duration::from_secs(1800));
            let Step::Unknown(missing, _) = step else { panic!("{step:?}") };
            assert_eq!(missing, ["rds:secondary-of:g"]);
        }
        let mut lost = look(&[&[0.1; 3]]);
        lost.secondaries[0].lost = true;
        let step = decide(&lost, &plan, Duration::from_secs(1800));
        assert!(matches!(step, Step::Fail(..)), "{step:?}");
    }

    #[test]
    fn a_check_that_is_not_required_ends_with_a_warning_when_its_time_is_up() {
        let mut o = look(&[&[9.0; 3]]);
        o.wanted.required = false;
        assert!(matches!(step(&o), Step::Wait(_)));
        let cx = sample_cx(Phase::Replicate);
        let waited = Duration::from_secs(cx.waited().unsigned_abs() + 10);
        let Step::Done(done) = decide(&o, &cx, waited) else { panic!() };
        assert!(done.summary.starts_with("warning:"), "{}", done.summary);
        o.wanted.required = true;
        assert!(matches!(decide(&o, &cx, waited), Step::Wait(_)));
        let mut plan = cx.clone();
        plan.mode = Mode::Plan;
        o.wanted.required = false;
        assert!(matches!(decide(&o, &plan, waited), Step::Wait(_)), "a plan promises nothing");
    }
}
