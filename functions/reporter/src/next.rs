//! What the operator does next. Pure.

use crate::end::End;
use crate::gather::Found;
use shared::{Context, Phase};

/// One or two sentences for this end.
pub fn step(end: &End, found: &Found, region: &str) -> String {
    match end.outcome.as_str() {
        "SUCCEEDED" => after_success(end, end.context.as_ref().or(found.context.as_ref()), region),
        "PLANNED" => "Nothing was changed and nobody was asked. Start the same manifest without \
             planOnly to run it."
            .to_owned(),
        "REJECTED" => {
            "Nothing was changed. To ask again, start the same manifest again.".to_owned()
        }
        "APPROVAL_TIMED_OUT" => "Nothing was changed. Check that the approvers got the mail (the \
             subscription must be confirmed), then start the same manifest again."
            .to_owned(),
        "ABORTED" | "TIMED_OUT" => "What AWS had begun goes on by itself. Look at the resources \
             that were running, then start the same manifest again: it resumes, and what is done \
             is not done again."
            .to_owned(),
        _ => after_failure(end),
    }
}

fn after_failure(end: &End) -> String {
    if let Some(step) = end.next_step.as_deref().filter(|s| !s.is_empty()) {
        return step.to_owned();
    }
    match end.error_type.as_deref() {
        Some("Dr.PlanFailed" | "Dr.InvalidManifest" | "Dr.InvalidParameters") => {
            "Nothing was changed. Correct what is listed above, upload the manifests and start the \
             same product manifest again."
        }
        _ => {
            "Correct what is listed above, then start the same manifest again: it resumes, and \
             what is done is not done again. A corrected manifest continues where this run \
             stopped."
        }
    }
    .to_owned()
}

fn after_success(end: &End, context: Option<&Context>, region: &str) -> String {
    let primary = context.and_then(|c| c.primary_region.as_deref());
    let named = |other: &str| primary.filter(|p| *p != region).unwrap_or(other).to_owned();
    match end.phase {
        Some(Phase::Instantiate) => format!(
            "What the standby in {region} lacked is built; nothing serves from it yet. To move \
             the product there, run ACTIVATE in {region}."
        ),
        Some(Phase::Activate) => {
            let old = named("the old Region");
            format!(
                "The product now runs in {region} and has no standby. When {old} is back, run \
                 CLEANUP in {old}, which removes what is stale there, then REPLICATE, which makes \
                 it the new standby."
            )
        }
        Some(Phase::Cleanup) => format!(
            "What was stale in {region} is removed. Run REPLICATE next: until then the product \
             has no standby."
        ),
        Some(Phase::Replicate) => {
            "The product has a standby again. Nothing is left to do; to move \
             the product back, run INSTANTIATE and ACTIVATE with the manifests of the other \
             direction."
                .to_owned()
        }
        None => "Nothing is left to do.".to_owned(),
    }
}

/// Something was left out: nobody may take the product for whole.
pub fn after_skips(skipped: usize) -> String {
    format!(
        "{skipped} of its resources were skipped, so that the product is not whole. Make up for \
         them: correct what kept them from working and start the same manifest again; what is done \
         is not done again. Run no later phase before that, above all no CLEANUP."
    )
}

/// The call that starts the same manifest again.
pub fn command(end: &End, region: &str) -> Option<String> {
    let path = end.manifest()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._/-".contains(&b);
    if path.is_empty() || !path.bytes().all(plain) {
        return None;
    }
    let machine = end.execution.rsplit_once(':')?.0.replace(":execution:", ":stateMachine:");
    Some(format!(
        "aws stepfunctions start-execution --region {region} --state-machine-arn {machine} \
         --input '{{\"productmanifestpath\": \"{path}\"}}'"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::end;
    use serde_json::json;

    #[test]
    fn each_phase_names_the_one_after_it() {
        let cases = [
            (Phase::Instantiate, "run ACTIVATE in us-west-2"),
            (Phase::Activate, "When us-east-1 is back, run CLEANUP in us-east-1"),
            (Phase::Cleanup, "Run REPLICATE next"),
            (Phase::Replicate, "has a standby again"),
        ];
        for (phase, wanted) in cases {
            let mut end = end("SUCCEEDED", json!(null), json!([]));
            end.phase = Some(phase);
            assert!(step(&end, &Found::default(), "us-west-2").contains(wanted), "{phase}");
        }
    }

    #[test]
    fn the_failing_parts_own_advice_comes_first() {
        let mut end = end("FAILED", json!("Dr.InvalidManifest"), json!(["x"]));
        assert!(step(&end, &Found::default(), "r").starts_with("Nothing was changed. Correct"));
        end.next_step = Some("Do this.".into());
        assert_eq!(step(&end, &Found::default(), "r"), "Do this.");
    }

    #[test]
    fn the_command_cannot_be_broken_out_of() {
        let mut end = end("FAILED", json!("Dr.Failed"), json!(["x"]));
        assert_eq!(
            command(&end, "us-west-2").unwrap(),
            "aws stepfunctions start-execution --region us-west-2 --state-machine-arn \
             arn:aws:states:us-west-2:123456789012:stateMachine:aws-dr-orchestrator-stepfunction-product-orchestrator \
             --input '{\"productmanifestpath\": \"manifests/product.json\"}'"
        );
        end.input = json!({"productmanifestpath": "a'; rm -rf /"});
        assert_eq!(command(&end, "us-west-2"), None);
    }
}
