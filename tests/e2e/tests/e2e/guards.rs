//! Nothing is destroyed that could still be needed: each destructive type meets each reason not to
//! act, says it, and makes no change.

use crate::matrix::case::{Case, Seed};
use crate::matrix::rows::{FAST, say, seeded};
use crate::matrix::runner::{Ended, execute};
use e2e::World;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

mod aurora;
mod elasticache;
mod rds;

/// One reason not to act.
pub struct Guard {
    /// For people.
    pub name: &'static str,
    /// What stands between the parameters and the right ones; null takes one away.
    pub parameters: Value,
    /// `primary_region` of the run, when it is another one.
    pub primary: Option<&'static str>,
    /// What happens to the starting world.
    pub spoil: Seed,
    /// How the attempt ends.
    pub error: &'static str,
    /// Texts in message or next step.
    pub says: &'static [&'static str],
    /// Changes that come before the reason can be seen, none of them destructive.
    pub before: &'static [&'static str],
}

impl Guard {
    /// A refusal because of the parameters.
    pub fn new(name: &'static str, parameters: Value, says: &'static [&'static str]) -> Self {
        Self {
            name,
            parameters,
            primary: None,
            spoil: |_| Box::pin(async {}),
            error: "Dr.Refused",
            says,
            before: &[],
        }
    }

    /// A refusal because of the world.
    pub fn of_world(name: &'static str, spoil: Seed, says: &'static [&'static str]) -> Self {
        Self { spoil, ..Self::new(name, json!({}), says) }
    }
}

/// All guards of a case hold.
pub async fn hold(case: Case, guards: Vec<Guard>) {
    let case = Arc::new(case);
    let world = Arc::new(seeded(&case).await);
    let runs: Vec<_> = guards
        .into_iter()
        .map(|guard| tokio::spawn(holds(world.clone(), case.clone(), guard)))
        .collect();
    let mut wrong = Vec::new();
    for run in runs {
        wrong.extend(run.await.unwrap_or_else(|e| Some(e.to_string())));
    }
    assert!(wrong.is_empty(), "{} guards do not hold:\n\n{}\n", wrong.len(), wrong.join("\n\n"));
}

async fn holds(seeded: Arc<World>, case: Arc<Case>, guard: Guard) -> Option<String> {
    let _permit = FAST.acquire().await.ok()?;
    let world = seeded.copy();
    (guard.spoil)(&world).await;
    world.control.clear_calls();
    let spoiled = spoiled(&case, &guard);
    let result = match execute(&world, &spoiled, Duration::from_secs(60)).await {
        Ok(ended) => refused(&world, &ended, &guard),
        Err(why) => Err(why),
    };
    let why = format!("{}: {}: {}", case.name, guard.name, result.err()?);
    say(&why);
    Some(why)
}

fn spoiled(case: &Case, guard: &Guard) -> Case {
    let mut case = case.clone();
    case.primary = guard.primary.unwrap_or(case.primary);
    for (name, value) in guard.parameters.as_object().into_iter().flatten() {
        match (case.parameters.as_object_mut(), value) {
            (Some(all), Value::Null) => drop(all.remove(name)),
            _ => case.parameters[name] = value.clone(),
        }
    }
    case
}

fn refused(world: &World, ended: &Ended, guard: &Guard) -> Result<(), String> {
    let changes: Vec<String> =
        world.changes().into_iter().filter(|c| !guard.before.contains(&c.as_str())).collect();
    if !changes.is_empty() {
        return Err(format!("made {changes:?} before it ended: {}", ended.trouble()));
    }
    let right = ended.text("status") == "FAILED" && ended.text("errorType") == guard.error;
    if !right || ended.text("nextStep").is_empty() {
        return Err(format!("not {} with a next step: {}", guard.error, ended.trouble()));
    }
    let text = format!("{} {}", ended.text("message"), ended.text("nextStep"));
    match guard.says.iter().find(|s| !text.contains(**s)) {
        Some(missing) => Err(format!("does not say \"{missing}\": {text}")),
        None => Ok(()),
    }
}
