//! Runs the rows of a case, each in a copy of the starting world, and says what must hold afterwards.

use crate::matrix::case::Case;
use crate::matrix::checks::{self, Reference};
use crate::matrix::faults::{Row, rows};
use crate::matrix::permits;
use crate::matrix::runner::{self, Ended};
use crate::matrix::topology::topology;
use e2e::{Call, World};
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Transitions that every look can see, and that cost next to nothing.
const SHORT: f64 = 0.5;
const VISIBLE: f64 = 0.3;

/// Runs under way. Most of a run is waiting, so that there are more than processors.
pub static FAST: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(parallel()));
/// Runs that wait for time-outs have permits of their own: they cost no processor.
static SLOW: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(2 * parallel()));

fn parallel() -> usize {
    std::env::var("DR_MATRIX_PARALLEL").ok().and_then(|n| n.parse().ok()).unwrap_or(8)
}

/// All rows of a case; what went wrong.
pub async fn of_case(case: Case) -> Vec<String> {
    let started = Instant::now();
    let case = Arc::new(case);
    let seeded = Arc::new(seeded(&case).await);
    let clean = match clean(&seeded, &case).await {
        Ok(clean) => Arc::new(clean),
        Err(why) => {
            let why = format!("{}: clean: {why}", case.name);
            say(&why);
            return vec![why];
        }
    };
    let mut rows = rows(&case, &clean, &seeded);
    rows.retain(|r| chosen(&case, &r.label));
    rows.sort_by_key(|r| !r.slow);
    let count = rows.len();
    let tasks: Vec<_> = rows
        .into_iter()
        .map(|row| tokio::spawn(one(case.clone(), clean.clone(), seeded.clone(), row)))
        .collect();
    let mut wrong = plan_and_again(&seeded, &case, &clean).await;
    for task in tasks {
        wrong.extend(task.await.unwrap_or_else(|e| Some(format!("{}: {e}", case.name))));
    }
    let spent = started.elapsed().as_secs();
    say(&format!("{}: {} runs, {} differ, {spent} s", case.name, count + 6, wrong.len()));
    wrong
}

/// Past the capture of the test harness: people watch.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// `DR_MATRIX` narrows the rows.
fn chosen(case: &Case, label: &str) -> bool {
    let wanted = std::env::var("DR_MATRIX").unwrap_or_default();
    format!("{}: {label}", case.name).contains(&wanted)
}

/// The starting world, and nothing of how it came about.
pub async fn seeded(case: &Case) -> World {
    let world = World::new();
    world.control.post("timings", &short(&world));
    (case.seed)(&world).await;
    world.control.dark(case.primary, case.dark);
    world.control.clear_calls();
    world
}

/// All operations of the databases take the same short time.
fn short(world: &World) -> Value {
    let known = world.control.get("timings");
    let names = known.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let ours = names.filter(|n| n.starts_with("rds.") || n.starts_with("elasticache."));
    let ours = ours.filter(|n| !n.ends_with("_delay"));
    let mut timings: serde_json::Map<_, _> = ours.map(|n| (n.to_owned(), json!(SHORT))).collect();
    timings.insert("visible".into(), json!(VISIBLE));
    Value::Object(timings)
}

async fn clean(seeded: &World, case: &Case) -> Result<Reference, String> {
    let _permit = FAST.acquire().await.map_err(|e| e.to_string())?;
    let world = seeded.copy();
    let ended = runner::execute(&world, case, Duration::from_secs(60)).await?;
    checks::is_done(&ended)?;
    checks::proven(&world, case, false).await?;
    let calls: Vec<Call> =
        world.control.calls().into_iter().filter(|c| !c.function().is_empty()).collect();
    checks::kept_away(case, &calls)?;
    let last = checks::settled(&world, case).await;
    let counts = checks::changes(&calls);
    say(&format!(
        "{}: clean in {:.1} s, {} calls, {counts:?}",
        case.name,
        ended.took.as_secs_f32(),
        calls.len()
    ));
    Ok(Reference { calls, counts, last })
}

/// PLAN changes nothing; a second start after the end changes nothing.
async fn plan_and_again(seeded: &World, case: &Case, clean: &Reference) -> Vec<String> {
    let mut wrong = Vec::new();
    if chosen(case, "plan")
        && let Err(why) = plan(seeded, case, clean).await
    {
        wrong.push(format!("{}: plan: {why}", case.name));
    }
    if chosen(case, "again")
        && let Err(why) = again(seeded, case, clean).await
    {
        wrong.push(format!("{}: again: {why}", case.name));
    }
    if chosen(case, "permits") {
        wrong.extend(permits::hold(seeded, case).await);
    }
    wrong
}

async fn plan(seeded: &World, case: &Case, clean: &Reference) -> Result<(), String> {
    let _permit = FAST.acquire().await.map_err(|e| e.to_string())?;
    let world = seeded.copy();
    let before = topology(&world, &case.regions(), case.caches()).await;
    let ended = runner::plan(&world, case).await?;
    let wanted = if clean.counts.is_empty() { "DONE" } else { "PLANNED" };
    if ended.text("status") != wanted || ended.text("summary").is_empty() {
        return Err(format!("not {wanted}: {}", ended.trouble()));
    }
    nothing_changed(&world)?;
    checks::same(&before, &topology(&world, &case.regions(), case.caches()).await)
}

async fn again(seeded: &World, case: &Case, clean: &Reference) -> Result<(), String> {
    let _permit = FAST.acquire().await.map_err(|e| e.to_string())?;
    let world = seeded.copy();
    checks::is_done(&runner::execute(&world, case, Duration::from_secs(60)).await?)?;
    world.control.clear_calls();
    let ended = runner::execute(&world, case, Duration::from_secs(60)).await?;
    checks::is_done(&ended)?;
    if ended.answer["changed"] != false {
        return Err(format!("the second run says that it changed something: {}", ended.answer));
    }
    nothing_changed(&world)?;
    checks::kept_away(case, &world.control.calls())?;
    checks::same_at_last(&world, case, clean).await
}

fn nothing_changed(world: &World) -> Result<(), String> {
    let changes = world.changes();
    if changes.is_empty() { Ok(()) } else { Err(format!("changed something: {changes:?}")) }
}

/// One row in a copy of its own.
async fn one(
    case: Arc<Case>,
    clean: Arc<Reference>,
    seeded: Arc<World>,
    row: Row,
) -> Option<String> {
    let permits = if row.slow { &*SLOW } else { &*FAST };
    let _permit = permits.acquire().await.ok()?;
    let world = Arc::new(seeded.copy());
    let result = attempt(&world, &case, &clean, &row).await;
    let why = result.err()?;
    let trail: Vec<String> = world
        .control
        .calls()
        .iter()
        .filter(|c| !c.function().is_empty())
        .map(|c| format!("{} {}", c.action(), c.text("result")))
        .collect();
    let text = format!("{}: {}: {why}\n    calls: {}", case.name, row.label, trail.join(", "));
    say(&text);
    Some(text)
}

async fn attempt(
    world: &Arc<World>,
    case: &Case,
    clean: &Reference,
    row: &Row,
) -> Result<(), String> {
    prepare(world, case, row);
    let watcher = row.darkens.then(|| tokio::spawn(darken(world.clone(), case.primary)));
    let limit = Duration::from_secs(if row.slow { 300 } else { 90 });
    let ended = runner::execute(world, case, limit).await;
    if let Some(watcher) = watcher {
        watcher.abort();
    }
    let ended = ended?;
    checks::is_done(&ended)?;
    checks::proven(world, case, row.other_rules).await?;
    in_time(&ended, row)?;
    let calls = world.control.calls();
    checks::kept_away(case, &calls)?;
    checks::no_more_changes(case, clean, &calls, row.other_rules)?;
    hit(world, row)?;
    if row.other_rules { Ok(()) } else { checks::same_at_last(world, case, clean).await }
}

fn prepare(world: &World, case: &Case, row: &Row) {
    if row.timings.is_object() {
        world.control.post("timings", &row.timings);
    }
    if row.unknowns.is_object() {
        world.control.post("unknowns", &row.unknowns);
    }
    if row.darkens {
        world.control.dark(case.primary, false);
    }
    for fault in &row.faults {
        world.control.fault(fault.clone());
    }
}

fn in_time(ended: &Ended, row: &Row) -> Result<(), String> {
    let took = ended.took.as_secs_f32();
    if ended.took >= row.least {
        return Ok(());
    }
    Err(format!("DONE after {took:.1} s, before the role can have changed: {}", ended.trouble()))
}

/// A row whose fault met no call proves nothing.
fn hit(world: &World, row: &Row) -> Result<(), String> {
    let faults = world.control.get("faults");
    let missed: Vec<&Value> =
        faults["faults"].as_array().into_iter().flatten().filter(|f| f["fired"] == 0).collect();
    if row.must_hit && !missed.is_empty() {
        return Err(format!("the fault met no call: {missed:?}"));
    }
    Ok(())
}

/// Takes the Region away as soon as something was changed.
async fn darken(world: Arc<World>, region: &'static str) {
    while world.changes().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    world.control.dark(region, true);
}
