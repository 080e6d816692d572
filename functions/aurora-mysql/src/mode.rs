//! ACTIVATE: which way of failing over, and whether it is agreed to.

use crate::observed::Wanted;
use crate::parameters::Parameters;
use shared::coerce::Int;
use shared::{Cx, Error, Result};
use shared_aurora_failover::{failover, switchover};

/// What the failover is to do.
#[derive(Debug)]
pub enum Mode {
    /// SWITCHOVER.
    Planned(switchover::Wanted),
    /// MANAGED and DETACH.
    Unplanned(failover::Wanted),
}

/// The lag at which a switchover may begin unless the manifest sets another, seconds.
const MAX_LAG_S: i64 = 60;

/// The way that the manifest asks for. A switchover is the default, for it loses nothing; where the
/// primary is lost there is no default.
///
/// # Errors
/// `Dr.InvalidParameters` for an unknown mode, `Dr.Refused` for the wrong one and without consent.
pub fn of(p: &Parameters, wanted: &Wanted, cx: &Cx) -> Result<Mode> {
    let mode = match p.failover_mode.as_deref() {
        None | Some("SWITCHOVER") => return planned(p, wanted, cx),
        Some("MANAGED") => failover::Mode::Managed,
        Some("DETACH") => failover::Mode::Detach,
        Some(other) => {
            let text = format!(
                "parameters.FailoverMode is \"{other}\", not SWITCHOVER, MANAGED or DETACH"
            );
            return Err(Error::invalid_parameters(text));
        }
    };
    let what = "what the secondary has not received is lost";
    let warning = cx.consent("AcceptDataLoss", p.accept_data_loss, what)?;
    Ok(Mode::Unplanned(failover::Wanted {
        global: wanted.global.clone(),
        target: wanted.cluster.clone(),
        mode,
        warnings: warning.into_iter().collect(),
    }))
}

fn planned(p: &Parameters, wanted: &Wanted, cx: &Cx) -> Result<Mode> {
    if cx.context.unplanned {
        return Err(Error::refused("a switchover needs both Regions, and this run is unplanned")
            .next("Set FailoverMode to MANAGED or DETACH, and AcceptDataLoss to \"True\"."));
    }
    Ok(Mode::Planned(switchover::Wanted {
        global: wanted.global.clone(),
        target: wanted.cluster.clone(),
        max_lag_s: p.max_lag_seconds.map_or(MAX_LAG_S, |Int(s)| s),
        lag_must_be_known: p.max_lag_seconds.is_some(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::headless;
    use serde_json::{Value, json};
    use shared::progress::sample_cx;
    use shared::{ErrorType, Phase};

    fn mode(change: Value, set: impl FnOnce(&mut Cx)) -> Result<Mode> {
        let mut all = json!({
            "DBClusterIdentifier": "orders-dr", "DBInstanceIdentifier": "a-1",
            "GlobalClusterIdentifier": "orders-global",
        });
        for (name, value) in change.as_object().unwrap() {
            all[name] = value.clone();
        }
        let mut cx = sample_cx(Phase::Activate);
        set(&mut cx);
        of(&serde_json::from_value(all).unwrap(), &headless().wanted, &cx)
    }

    fn planned_run(cx: &mut Cx) {
        cx.context.unplanned = false;
    }

    #[test]
    fn a_planned_run_switches_over_unless_told_otherwise() {
        for change in [json!({}), json!({"FailoverMode": "SWITCHOVER"})] {
            let Mode::Planned(w) = mode(change, planned_run).unwrap() else { panic!() };
            assert_eq!((w.global.as_str(), w.target.id.as_str()), ("orders-global", "orders-dr"));
            assert_eq!((w.max_lag_s, w.lag_must_be_known), (60, false));
        }
        let limited = mode(json!({"MaxLagSeconds": "5"}), planned_run).unwrap();
        let Mode::Planned(w) = limited else { panic!() };
        assert_eq!((w.max_lag_s, w.lag_must_be_known), (5, true));
    }

    #[test]
    fn an_unplanned_run_names_its_way_and_agrees_to_the_loss() {
        for change in [json!({}), json!({"FailoverMode": "SWITCHOVER"})] {
            let error = mode(change, |_| {}).unwrap_err();
            assert_eq!(error.error_type, ErrorType::Refused);
            assert!(error.next_step.contains("MANAGED or DETACH"));
        }
        for (word, wanted) in
            [("MANAGED", failover::Mode::Managed), ("DETACH", failover::Mode::Detach)]
        {
            let agreed = json!({"FailoverMode": word, "AcceptDataLoss": "True"});
            let Mode::Unplanned(w) = mode(agreed, |_| {}).unwrap() else { panic!() };
            assert_eq!((w.mode, w.warnings.len()), (wanted, 0));
            let error = mode(json!({"FailoverMode": word}), |_| {}).unwrap_err();
            assert_eq!(error.error_type, ErrorType::Refused);
            assert!(error.message.contains("AcceptDataLoss"), "{error}");
        }
    }

    #[test]
    fn a_direct_start_without_consent_is_warned() {
        let direct = mode(json!({"FailoverMode": "MANAGED"}), |cx| cx.context.direct = true);
        let Mode::Unplanned(w) = direct.unwrap() else { panic!() };
        assert!(w.warnings[0].contains("AcceptDataLoss"));
    }

    #[test]
    fn other_modes_are_named() {
        let error = mode(json!({"FailoverMode": "managed"}), |_| {}).unwrap_err();
        assert_eq!(error.error_type, ErrorType::InvalidParameters);
        assert!(error.message.contains("FailoverMode"));
    }
}
