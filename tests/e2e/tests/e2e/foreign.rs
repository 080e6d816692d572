//! What others do in the middle of an attempt: AWS cancels, somebody else starts something else, a
//! database breaks. A clear end within seconds.

use crate::matrix::case::Case;
use crate::matrix::rows::{FAST, say, seeded};
use crate::matrix::runner::{Ended, execute};
use e2e::World;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

mod aurora;
mod elasticache;
mod rds;

/// An attempt that waits for nothing must end in this time.
const SECONDS: u64 = 30;

/// One thing that others do.
pub struct Meddling {
    /// For people.
    pub name: &'static str,
    /// The type that meets it.
    pub case: Case,
    /// How long things take, so that it comes in the middle.
    pub timings: Value,
    /// Comes before the attempt; else as soon as something was changed.
    pub before: bool,
    /// Route of the control API, and bodies that are posted there.
    pub posts: Vec<(&'static str, Value)>,
    /// How the attempt may end.
    pub errors: &'static [&'static str],
    /// Texts in message or next step.
    pub says: &'static [&'static str],
}

/// Each of them ends the attempt, with a reason and a next step.
pub async fn end(all: Vec<Meddling>) {
    let runs: Vec<_> = all.into_iter().map(|m| tokio::spawn(ends(m))).collect();
    let mut wrong = Vec::new();
    for run in runs {
        wrong.extend(run.await.unwrap_or_else(|e| Some(e.to_string())));
    }
    assert!(
        wrong.is_empty(),
        "{} do not end as they must:\n\n{}\n",
        wrong.len(),
        wrong.join("\n\n")
    );
}

async fn ends(m: Meddling) -> Option<String> {
    let _permit = FAST.acquire().await.ok()?;
    let world = Arc::new(seeded(&m.case).await);
    world.control.post("timings", &m.timings);
    let posts = m.posts.clone();
    let meddler = match m.before {
        true => {
            posted(&world, &posts);
            None
        }
        false => Some(tokio::spawn(meddle(world.clone(), posts))),
    };
    let ended = execute(&world, &m.case, Duration::from_secs(SECONDS)).await;
    if let Some(meddler) = meddler {
        meddler.abort();
    }
    let result = ended.and_then(|e| terminal(&m, &e)).and_then(|()| once(&world));
    let why = format!("{}: {}: {}", m.case.name, m.name, result.err()?);
    say(&why);
    Some(why)
}

/// As soon as something was changed.
async fn meddle(world: Arc<World>, posts: Vec<(&'static str, Value)>) {
    while world.changes().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    posted(&world, &posts);
}

fn posted(world: &World, posts: &[(&'static str, Value)]) {
    for (route, body) in posts {
        let answer = world.control.post(route, body);
        assert!(answer.get("error").is_none(), "POST {route} {body}: {answer}");
    }
}

fn terminal(m: &Meddling, ended: &Ended) -> Result<(), String> {
    let right = ended.text("status") == "FAILED" && m.errors.contains(&ended.text("errorType"));
    if !right || ended.text("nextStep").is_empty() {
        return Err(format!("not {:?} with a next step: {}", m.errors, ended.trouble()));
    }
    let text = format!("{} {}", ended.text("message"), ended.text("nextStep"));
    match m.says.iter().find(|s| !text.contains(**s)) {
        Some(missing) => Err(format!("does not say \"{missing}\": {text}")),
        None => Ok(()),
    }
}

/// Whatever it was, nothing was tried again.
fn once(world: &World) -> Result<(), String> {
    let changes = world.changes();
    let mut distinct = changes.clone();
    distinct.sort();
    distinct.dedup();
    if distinct.len() == changes.len() { Ok(()) } else { Err(format!("repeated: {changes:?}")) }
}

/// The states that a database does not leave by itself.
pub const BROKEN: [&str; 3] =
    ["failed", "incompatible-network", "inaccessible-encryption-credentials"];

/// A body that puts something into such a state.
pub fn status(region: &str, kind: &str, id: &str, status: &str) -> Value {
    json!({"region": region, kind: id, "status": status})
}
