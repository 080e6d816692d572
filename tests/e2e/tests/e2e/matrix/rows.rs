//! The rows: what is done to each case, and what must hold afterwards.

use crate::matrix::case::Case;
use crate::matrix::checks::{self, Reference};
use crate::matrix::runner::{self, Ended};
use crate::matrix::topology::topology;
use e2e::{Call, World};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Transitions that every look can see, and that cost next to nothing.
const SHORT: f64 = 0.5;
const VISIBLE: f64 = 0.3;
/// How late a role changes in the rows about that.
const LATE_S: u64 = 6;

/// Runs under way. Most of a run is waiting, so that there are more than processors.
pub static FAST: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(parallel()));
/// Runs that wait for time-outs have permits of their own: they cost no processor.
static SLOW: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(2 * parallel()));

fn parallel() -> usize {
    std::env::var("DR_MATRIX_PARALLEL").ok().and_then(|n| n.parse().ok()).unwrap_or(8)
}

/// One thing that is done to a case.
#[derive(Clone, Default)]
struct Row {
    label: String,
    faults: Vec<Value>,
    timings: Value,
    unknowns: Value,
    /// The Region that served goes dark after the first change.
    darkens: bool,
    /// The end cannot come earlier.
    least: Duration,
    /// Another setting of the local AWS: another way to the end may show in the last details.
    other_rules: bool,
    /// Waits for time-outs.
    slow: bool,
    /// The fault must have hit.
    must_hit: bool,
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
    say(&format!("{}: {} runs, {} differ, {spent} s", case.name, count + 4, wrong.len()));
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

fn rows(case: &Case, clean: &Reference, seeded: &World) -> Vec<Row> {
    let mut rows = killed(&clean.calls);
    rows.extend(dropped(&clean.calls));
    rows.push(Row { label: shows_late(""), timings: late_to_show(), ..Row::default() });
    rows.extend(["throttle", "5xx", "timeout"].map(troubled));
    rows.extend(other_rules(case, &seeded.control.get("unknowns")));
    if case.is_cut_off() {
        let label = format!("{} goes dark after the first change", case.primary);
        rows.push(Row { label, darkens: true, other_rules: true, ..Row::default() });
    }
    rows
}

/// Killed after each call. Of looks that repeat themselves, the first and the last.
fn killed(calls: &[Call]) -> Vec<Row> {
    let mut chosen = BTreeSet::new();
    let mut seen: BTreeMap<(usize, String), Vec<usize>> = BTreeMap::new();
    let mut changes = 0;
    for (n, call) in calls.iter().enumerate() {
        seen.entry((changes, call.action())).or_default().push(n);
        changes += usize::from(checks::is_change(call));
    }
    for ((_, action), places) in &seen {
        chosen.extend(places.first());
        // Its own notes look the same to the next start, whichever of them was the last.
        chosen.extend(places.last().filter(|_| !checks::is_own(action)));
    }
    let rows: Vec<Row> = chosen.into_iter().map(|n| killed_after(n, &calls[n])).collect();
    let late = rows.iter().filter(|r| r.must_hit).map(Row::showing_late).collect();
    [rows, late].concat()
}

fn killed_after(n: usize, call: &Call) -> Row {
    Row {
        label: format!("killed after call {} ({})", n + 1, call.action()),
        faults: vec![json!({"kind": "kill", "after": n, "times": 1})],
        must_hit: checks::is_change(call),
        ..Row::default()
    }
}

fn shows_late(label: &str) -> String {
    format!("{label} what was accepted shows late").trim().to_owned()
}

/// For so long AWS goes on showing the world before a call.
fn late_to_show() -> Value {
    json!({"visible": 3})
}

/// The answer of each change is lost; the answer of each kind of look is lost once.
fn dropped(calls: &[Call]) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for call in calls {
        let nth = seen.entry(call.action()).or_default();
        if checks::is_change(call) {
            let row = lost(call, *nth);
            rows.push(row.showing_late());
            rows.push(row);
        }
        *nth += 1;
    }
    let changes: BTreeSet<String> =
        calls.iter().filter(|c| checks::is_change(c)).map(Call::action).collect();
    let looks = seen.keys().filter(|a| !changes.contains(*a)).filter_map(|a| a.split_once(':'));
    let faults = looks
        .map(|(service, action)| json!({"kind": "drop", "service": service, "action": action}))
        .collect();
    rows.push(Row {
        label: "each kind of look lost once".into(),
        faults,
        must_hit: true,
        ..Row::default()
    });
    rows
}

fn lost(call: &Call, nth: usize) -> Row {
    let (service, action) = (call.text("service"), call.text("action"));
    let fault = json!({"kind": "drop", "service": service, "action": action, "after": nth});
    let label = format!("answer {} of {} lost", nth + 1, call.action());
    Row { label, faults: vec![fault], must_hit: true, slow: true, ..Row::default() }
}

/// Each kind of call meets this once.
fn troubled(kind: &str) -> Row {
    let fault = json!({"kind": kind, "service": "*", "action": "*", "times": 1, "each": true});
    let label = format!("each kind of call: {kind} once");
    Row { label, faults: vec![fault], slow: true, must_hit: true, ..Row::default() }
}

/// Roles that change late, and what AWS does not document either way.
fn other_rules(case: &Case, unknowns: &Value) -> Vec<Row> {
    let known = unknowns.as_object().into_iter().flatten();
    let ours = known.filter(|(name, _)| name.starts_with(case.family));
    let mut rows: Vec<Row> = ours.clone().flat_map(|(name, u)| each_choice(name, u)).collect();
    let words = format!("{}status_words", case.family);
    let Some(late) = case.late else { return rows };
    for choice in ours.filter(|(name, _)| **name == words).flat_map(|(_, u)| choices(u)) {
        rows.push(with_rule(&words, choice).and_late(late));
    }
    if rows.iter().all(|r| r.least.is_zero()) {
        rows.push(Row { label: String::new(), ..Row::default() }.and_late(late));
    }
    rows
}

fn choices(unknown: &Value) -> Vec<&str> {
    unknown["choices"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Each choice but the one that all other rows have.
fn each_choice(name: &str, unknown: &Value) -> Vec<Row> {
    let others = choices(unknown).into_iter().filter(|c| unknown["value"] != *c);
    others.map(|choice| with_rule(name, choice)).collect()
}

fn with_rule(name: &str, choice: &str) -> Row {
    let label = format!("{name} is {choice}");
    Row { label, unknowns: json!({name: choice}), other_rules: true, ..Row::default() }
}

impl Row {
    fn showing_late(&self) -> Self {
        Self { label: shows_late(&self.label), timings: late_to_show(), ..self.clone() }
    }

    fn and_late(self, timing: &str) -> Self {
        let label = format!("{} {timing} takes {LATE_S} s", self.label).trim().to_owned();
        let timings = json!({timing: LATE_S});
        Self { label, timings, least: Duration::from_secs(LATE_S), other_rules: true, ..self }
    }
}
