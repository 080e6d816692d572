//! ACTIVATE: which way of failing over, and whether it is agreed to.

use crate::observed::Wanted;
use crate::parameters::Parameters;
use schemars::JsonSchema;
use serde::Deserialize;
use shared::coerce::Int;
use shared::{Cx, Error, Result};
use shared_aurora_failover::{failover, switchover};

/// The way in the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ModeName {
    /// Planned: loses nothing, needs both Regions.
    Switchover,
    /// Unplanned: the global cluster survives.
    Managed,
    /// Unplanned: the secondary leaves the global cluster.
    Detach,
}

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
/// `Dr.Refused` for the wrong way and without consent.
pub fn of(p: &Parameters, wanted: &Wanted, cx: &Cx) -> Result<Mode> {
    let mode = match p.failover_mode {
        None | Some(ModeName::Switchover) => return planned(p, wanted, cx),
        Some(ModeName::Managed) => failover::Mode::Managed,
        Some(ModeName::Detach) => failover::Mode::Detach,
    };
    Ok(Mode::Unplanned(failover::Wanted {
        global: wanted.global.clone(),
        target: wanted.cluster.clone(),
        mode,
        warnings: consents(p, mode, cx)?,
    }))
}

/// A detached cluster leaves a database behind that takes writes when its Region is back.
fn consents(p: &Parameters, mode: failover::Mode, cx: &Cx) -> Result<Vec<String>> {
    let loss = "what the old primary had not replicated is lost";
    let fence = "nothing keeps applications from writing to the old primary";
    let mut warnings = vec![cx.consent("AcceptDataLoss", p.accept_data_loss, loss)?];
    if mode == failover::Mode::Detach {
        warnings.push(cx.consent("FenceAcknowledged", p.fence_acknowledged, fence)?);
    }
    Ok(warnings.into_iter().flatten().collect())
}

fn planned(p: &Parameters, wanted: &Wanted, cx: &Cx) -> Result<Mode> {
    if cx.context.unplanned {
        return Err(Error::refused("a switchover needs both Regions, and this run is unplanned")
            .next("Set FailoverMode to MANAGED or DETACH, with the consents that it asks for."));
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
            let agreed = json!({
                "FailoverMode": word, "AcceptDataLoss": "True", "FenceAcknowledged": "True",
            });
            let Mode::Unplanned(w) = mode(agreed, |_| {}).unwrap() else { panic!() };
            assert_eq!((w.mode, w.warnings.len()), (wanted, 0));
            let error = mode(json!({"FailoverMode": word}), |_| {}).unwrap_err();
            assert_eq!(error.error_type, ErrorType::Refused);
            assert!(error.message.contains("AcceptDataLoss"), "{error}");
        }
        let unfenced = |word| mode(json!({"FailoverMode": word, "AcceptDataLoss": true}), |_| {});
        assert!(unfenced("MANAGED").is_ok());
        assert!(unfenced("DETACH").unwrap_err().message.contains("FenceAcknowledged"));
    }

    #[test]
    fn a_direct_start_without_consent_is_warned() {
        let direct = mode(json!({"FailoverMode": "DETACH"}), |cx| cx.context.direct = true);
        let Mode::Unplanned(w) = direct.unwrap() else { panic!() };
        assert!(w.warnings[0].contains("AcceptDataLoss"));
        assert!(w.warnings[1].contains("FenceAcknowledged"));
    }
}
