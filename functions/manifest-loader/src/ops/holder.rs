//! Whether the holder of a run lock may still act: its execution, the executions that it started,
//! and the functions that outlive a stopped execution for a moment.

use super::bucket::each;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::types::ExecutionStatus;
use serde_json::Value;
use shared::lock::Lock;
use shared::{Doing, Error, ErrorType, Frame, Phase, Result, clock};

/// Stopping an execution does not end a running function: seconds until it must have ended.
const QUIET_S: i64 = 120;
/// A run that ends by itself gives its lock back: seconds that this may take.
const GIVES_BACK_S: i64 = 10;
/// Running executions that are looked into; with more of them nobody can tell in time.
const LOOKED_INTO: usize = 500;

/// Whether the holder ended by itself just now, so that its lock comes back at any moment.
///
/// # Errors
/// As Step Functions says.
pub async fn gives_back(frame: &Frame, lock: &Lock) -> Result<bool> {
    let ended = ended(&Client::new(&frame.config), lock).await?;
    Ok(ended.is_some_and(|e| e.by_itself && clock::epoch() - e.at < GIVES_BACK_S))
}

/// Ok: the holder has ended, and nothing that it started runs any more.
///
/// # Errors
/// `Dr.Locked` with the holder and what to do; otherwise as Step Functions says.
pub async fn must_be_at_rest(frame: &Frame, lock: &Lock) -> Result<()> {
    let client = Client::new(&frame.config);
    let Some(ended) = ended(&client, lock).await? else {
        return Err(locked(lock, "it is running", &stop(lock)));
    };
    if let Some(child) = running_child(frame, &client, lock).await? {
        let next = format!("Wait until {child} has ended, or stop it, then start again.");
        return Err(locked(lock, "it has ended, and an execution that it started runs", &next));
    }
    let left = QUIET_S - (clock::epoch() - ended.at);
    if left > 0 {
        let next = format!("Start again in {left} s.");
        return Err(locked(lock, "it ended a moment ago, and its functions may still act", &next));
    }
    Ok(())
}

fn locked(lock: &Lock, why: &str, next: &str) -> Error {
    let text = format!(
        "the run {} ({}) holds the lock of {} since {}: {why}. Its console page: {}",
        lock.execution_name,
        lock.action,
        lock.product,
        lock.taken_at,
        shared::names::console(&lock.execution)
    );
    Error::new(ErrorType::Locked, text).next(next)
}

fn stop(lock: &Lock) -> String {
    format!(
        "Wait for its report, or stop it (aws stepfunctions stop-execution --execution-arn {}) and start again 2 minutes later.",
        lock.execution
    )
}

/// How an execution ended.
struct Ended {
    /// Seconds since 1970; 0 when Step Functions has forgotten the execution.
    at: i64,
    /// Nobody stopped it, and it did not run out of time.
    by_itself: bool,
}

/// None: it runs.
async fn ended(client: &Client, lock: &Lock) -> Result<Option<Ended>> {
    let what = format!("look at the execution {} that holds the lock", lock.execution_name);
    let answer = client.describe_execution().execution_arn(&lock.execution).send().await;
    let known = match answer.doing(&what) {
        Err(error) if error.has_code("ExecutionDoesNotExist") => {
            return Ok(Some(Ended { at: 0, by_itself: true }));
        }
        answer => answer?,
    };
    let at = known.stop_date().map_or_else(clock::epoch, |d| d.secs());
    let by_itself = matches!(known.status(), ExecutionStatus::Succeeded | ExecutionStatus::Failed);
    Ok((!is_open(known.status())).then_some(Ended { at, by_itself }))
}

fn is_open(status: &ExecutionStatus) -> bool {
    matches!(status, ExecutionStatus::Running | ExecutionStatus::PendingRedrive)
}

/// The name of a running execution of ours whose context names the holder.
async fn running_child(frame: &Frame, client: &Client, lock: &Lock) -> Result<Option<String>> {
    let mut running = Vec::new();
    for machine in Phase::ALL.iter().map(|p| p.as_str()).chain(["resource"]) {
        running.extend(running_of(frame, client, machine).await?);
    }
    if running.len() > LOOKED_INTO {
        return Ok(Some(format!("one of the {} running executions", running.len())));
    }
    let answers = each(running, |arn: String| {
        let (client, holder) = (client.clone(), lock.execution.clone());
        async move { is_started_by(&client, &arn, &holder).await.map(|is| is.then_some(arn)) }
    });
    let found: Result<Vec<Option<String>>> = answers.await?.into_iter().collect();
    Ok(found?.into_iter().flatten().next())
}

async fn running_of(frame: &Frame, client: &Client, machine: &str) -> Result<Vec<String>> {
    let env = &frame.env;
    let arn = format!(
        "arn:{}:states:{}:{}:stateMachine:aws-dr-orchestrator-stepfunction-{machine}",
        env.partition, env.region, env.account
    );
    let pages = client
        .list_executions()
        .state_machine_arn(arn)
        .status_filter(ExecutionStatus::Running)
        .into_paginator()
        .items()
        .send();
    let found = pages.collect::<std::result::Result<Vec<_>, _>>().await;
    let found = found.doing(&format!("list the running executions of {machine}"))?;
    Ok(found.into_iter().map(|e| e.execution_arn).collect())
}

async fn is_started_by(client: &Client, arn: &str, holder: &str) -> Result<bool> {
    let answer = client.describe_execution().execution_arn(arn).send().await;
    let known = answer.doing("look at a running execution")?;
    let input: Value = serde_json::from_str(known.input().unwrap_or_default()).unwrap_or_default();
    Ok(is_open(known.status()) && input["context"]["execution"] == holder)
}
