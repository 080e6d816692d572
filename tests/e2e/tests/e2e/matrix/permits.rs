//! What was not approved does not happen, and nothing that hurts happens without the run lock.

use crate::matrix::case::Case;
use crate::matrix::rows::FAST;
use crate::matrix::runner;
use e2e::World;
use std::time::Duration;

/// Classes that need approval and lock.
const HURTS: [&str; 3] = ["traffic", "data-loss", "destructive"];

/// What went wrong; nothing is asked of a case that only builds.
pub async fn hold(seeded: &World, case: &Case) -> Vec<String> {
    let unapproved = Case { approved: &["modify"], ..case.clone() };
    let without_lock = Case { locked: false, ..case.clone() };
    let mut wrong = Vec::new();
    for (row, case, error) in
        [("not approved", unapproved, "Dr.Refused"), ("lock lost", without_lock, "Dr.Locked")]
    {
        if let Err(why) = refused(seeded, &case, error).await {
            wrong.push(format!("{}: {row}: {why}", case.name));
        }
    }
    wrong
}

async fn refused(seeded: &World, case: &Case, error: &str) -> Result<(), String> {
    let _permit = FAST.acquire().await.map_err(|e| e.to_string())?;
    let planned = runner::plan(&seeded.copy(), case).await?;
    if !HURTS.contains(&planned.text("changeClass")) {
        return Ok(());
    }
    let world = seeded.copy();
    let ended = runner::execute(&world, case, Duration::from_secs(60)).await?;
    let changes = world.changes();
    if !changes.is_empty() {
        return Err(format!("made {changes:?} before it ended: {}", ended.trouble()));
    }
    match ended.text("errorType") == error && !ended.text("nextStep").is_empty() {
        true => Ok(()),
        false => Err(format!("not {error}: {}", ended.trouble())),
    }
}
