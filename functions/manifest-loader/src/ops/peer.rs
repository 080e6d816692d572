//! Planned runs: whether the same product runs in the other Region at this moment.

use aws_config::{Region, SdkConfig};
use aws_sdk_sfn::types::ExecutionStatus;
use shared::lock::{self, Lock, State};
use shared::store::Store;
use shared::{Context, Doing, Error, ErrorType, Frame, Phase, Result};
use std::time::Duration;

/// Written by the orchestrator's stack of each Region: the name of its bucket.
const STORE_PARAMETER: &str = "/dr-orchestrator/template-store";
/// What the other Region's silence may cost a planned run.
const PATIENCE: Duration = Duration::from_secs(10);

/// A warning when it cannot be told. In an unplanned INSTANTIATE or ACTIVATE nothing is asked.
///
/// # Errors
/// `Dr.Locked` when a run of the product holds its lock there and is running.
pub async fn must_be_free(
    frame: &Frame,
    context: &Context,
    phase: Phase,
) -> Result<Option<String>> {
    let Some(region) = other(context).filter(|r| context.lost_region(phase) != Some(*r)) else {
        return Ok(None);
    };
    let config = frame.config.to_builder().region(Region::new(region.to_owned())).build();
    let asked = tokio::time::timeout(PATIENCE, holder(&config, &context.product)).await;
    let silent = Err(Error::internal("no answer in time"));
    match asked.unwrap_or(silent) {
        Ok(None) => Ok(None),
        Ok(Some(holder)) => Err(locked(&holder, region)),
        Err(error) => Ok(Some(format!(
            "whether a run of {} is under way in {region} could not be seen: {}",
            context.product, error.message
        ))),
    }
}

/// The Region of the run that is not the executing one.
fn other(context: &Context) -> Option<&str> {
    let both = [&context.primary_region, &context.secondary_region];
    both.into_iter().flatten().map(String::as_str).find(|r| *r != context.region)
}

/// The lock there, when its holder runs. No orchestrator there: nobody holds anything.
async fn holder(config: &SdkConfig, product: &str) -> Result<Option<Lock>> {
    let what = "read the other Region's bucket name";
    let answer =
        aws_sdk_ssm::Client::new(config).get_parameter().name(STORE_PARAMETER).send().await;
    let bucket = match answer.doing(what) {
        Err(error) if error.is_not_found() => return Ok(None),
        other => other?.parameter().and_then(|p| p.value()).unwrap_or_default().to_owned(),
    };
    let store = Store::new(config, &bucket);
    let Some(object) = store.get(&lock::key(product)).await? else { return Ok(None) };
    let held = lock::read(&object.bytes).filter(|known| known.state == State::Held);
    let Some(held) = held else { return Ok(None) };
    Ok(runs(config, &held.execution).await?.then_some(held))
}

async fn runs(config: &SdkConfig, execution: &str) -> Result<bool> {
    let client = aws_sdk_sfn::Client::new(config);
    let answer = client.describe_execution().execution_arn(execution).send().await;
    match answer.doing("look at the holder of the other Region's lock") {
        Err(error) if error.has_code("ExecutionDoesNotExist") => Ok(false),
        other => Ok(*other?.status() == ExecutionStatus::Running),
    }
}

fn locked(holder: &Lock, region: &str) -> Error {
    let text = format!(
        "the run {} ({}) of {} is under way in {region} since {}. Its console page: {}",
        holder.execution_name,
        holder.action,
        holder.product,
        holder.taken_at,
        shared::names::console(&holder.execution)
    );
    Error::new(ErrorType::Locked, text)
        .next("Wait for its report, or stop it there, then start again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_region_is_not_the_executing_one() {
        let context = |here: &str| -> Context {
            serde_json::from_value(serde_json::json!({
                "product": "shop", "execution": "arn", "root": "r", "startedAt": "t",
                "region": here, "primaryRegion": "us-east-1", "secondaryRegion": "us-west-2",
                "unplanned": false, "folder": "f/"
            }))
            .unwrap()
        };
        assert_eq!(other(&context("us-west-2")), Some("us-east-1"));
        assert_eq!(other(&context("us-east-1")), Some("us-west-2"));
        let alone = Context { primary_region: None, secondary_region: None, ..context("x") };
        assert_eq!(other(&alone), None);
    }
}
