//! The loop against a resource whose world is a script.

use super::*;
use crate::clients::Clients;
use crate::context::{Phase, sample};
use crate::progress::Progress;
use crate::resource::{ChangeClass, ControlPlane};
use serde_json::json;
use std::sync::Mutex;

#[derive(Default, serde::Deserialize, schemars::JsonSchema)]
pub(crate) struct NoParameters {
    #[serde(skip)]
    flip: Flip,
    #[serde(skip)]
    steady: u32,
    #[serde(skip)]
    end: Option<Step<Flip>>,
}

/// What a look sees: `Ok(true)` is the post-condition.
type Look = Result<bool>;

#[derive(Default)]
pub(crate) struct Scripted {
    looks: Mutex<Vec<Look>>,
    answers: Mutex<Vec<Result<Value>>>,
    applied: Mutex<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Flip {
    reissuable: bool,
    question: bool,
    takes_s: u64,
    hurts: bool,
    thing: Option<u32>,
}

impl Classified for Flip {
    fn name(&self) -> &'static str {
        "Flip"
    }
    fn key(&self) -> String {
        self.thing.map_or("Flip".to_owned(), |n| format!("Flip {n}"))
    }
    fn class(&self) -> ChangeClass {
        if self.hurts { ChangeClass::Destructive } else { ChangeClass::Modify }
    }
    fn summary(&self) -> String {
        "flip it".into()
    }
    fn reissuable(&self) -> bool {
        self.reissuable
    }
    fn is_question(&self) -> bool {
        self.question
    }
    fn takes(&self) -> Duration {
        Duration::from_secs(self.takes_s)
    }
}

impl Resource for Scripted {
    const TYPE: &'static str = "Scripted";
    const PHASES: &'static [Phase] = &[Phase::Activate];
    const READS: &'static [&'static str] = &[];
    const WRITES: &'static [&'static str] = &[];
    const CONTROL_PLANE: ControlPlane = ControlPlane::None;
    const TIMEOUT: Duration = Duration::from_secs(60);
    const TYPICAL: Duration = Duration::from_secs(30);
    const CLASS: ChangeClass = ChangeClass::Destructive;
    type Parameters = NoParameters;
    type Observed = bool;
    type Change = Flip;

    async fn connect(_: &Clients, _: &NoParameters, _: &Cx) -> Result<Self> {
        Ok(Self::default())
    }
    async fn observe(&self, _: &NoParameters, _: &Cx) -> Look {
        let mut looks = self.looks.lock().unwrap();
        if looks.len() > 1 { looks.remove(0) } else { looks[0].clone() }
    }
    fn decide(p: &NoParameters, flipped: &bool, _: &Cx) -> Step<Flip> {
        match &p.end {
            Some(end) => end.clone(),
            None if *flipped => Step::Done(Outcome::new("flipped")),
            None => Step::Change(p.flip),
        }
    }
    async fn apply(&self, _: &NoParameters, _: Flip, _: &Cx) -> Result<Value> {
        *self.applied.lock().unwrap() += 1;
        let mut answers = self.answers.lock().unwrap();
        if answers.is_empty() { Ok(Value::Null) } else { answers.remove(0) }
    }
    fn signs(flipped: &bool) -> Vec<&'static str> {
        if *flipped { vec!["flipped"] } else { vec![] }
    }
    fn steady(p: &NoParameters) -> u32 {
        p.steady
    }
}

struct Silent;
impl Watch for Silent {
    async fn holds_lock(&self) -> Result<bool> {
        Ok(true)
    }
    async fn note(&mut self, _: &'static str, _: &str) {}
    async fn pause(&self, _: Duration) {}
}

fn cx(mode: Mode) -> Cx {
    let now = clock::epoch();
    Cx {
        context: sample(),
        phase: Phase::Activate,
        mode,
        resource_name: "r".into(),
        account: "123456789012".into(),
        partition: "aws".into(),
        progress: Progress { since: now, ..Progress::default() },
        now,
    }
}

async fn run(world: &Scripted, cx: &mut Cx, budget_s: u64) -> Response {
    let limits = Limits { budget: Duration::from_secs(budget_s), deadline: clock::epoch() + 60 };
    operate(world, &NoParameters::default(), cx, limits, &mut Silent).await
}

fn world(looks: Vec<Look>, answers: Vec<Result<Value>>) -> Scripted {
    Scripted { looks: Mutex::new(looks), answers: Mutex::new(answers), ..Scripted::default() }
}

fn fault(nature: Nature) -> Error {
    Error::new(ErrorType::Conflict, "no").nature(nature)
}

#[tokio::test]
async fn an_accepted_call_that_shows_late_is_sent_once() {
    let world = world(vec![Ok(false), Ok(false), Ok(false), Ok(true)], vec![]);
    let response = run(&world, &mut cx(Mode::Execute), 50).await;
    assert_eq!((response.status, response.changed), (Status::Done, true));
    assert_eq!(*world.applied.lock().unwrap(), 1);
}

#[tokio::test]
async fn what_is_done_already_is_not_touched() {
    let world = world(vec![Ok(true)], vec![]);
    let response = run(&world, &mut cx(Mode::Execute), 50).await;
    assert_eq!((response.status, response.changed), (Status::Done, false));
    assert_eq!(*world.applied.lock().unwrap(), 0);
}

#[tokio::test]
async fn a_plan_never_applies() {
    let world = world(vec![Ok(false)], vec![]);
    let response = run(&world, &mut cx(Mode::Plan), 20).await;
    assert_eq!(response.status, Status::Planned);
    assert_eq!(response.change_class, Some(ChangeClass::Modify));
    assert_eq!(*world.applied.lock().unwrap(), 0);
}

#[tokio::test]
async fn a_throttled_call_is_sent_again_and_a_final_error_ends() {
    let world =
        world(vec![Ok(false)], vec![Err(fault(Nature::Throttled)), Err(fault(Nature::Final))]);
    let response = run(&world, &mut cx(Mode::Execute), 50).await;
    assert_eq!(response.status, Status::Failed);
    assert_eq!(*world.applied.lock().unwrap(), 2);
}

#[tokio::test]
async fn a_lost_answer_is_looked_for_before_anything_else() {
    let looks = vec![Ok(false), Ok(false), Ok(true)];
    let world = world(looks, vec![Err(fault(Nature::Uncertain))]);
    let response = run(&world, &mut cx(Mode::Execute), 50).await;
    assert_eq!(response.status, Status::Done);
    assert_eq!(*world.applied.lock().unwrap(), 1);
}

#[tokio::test]
async fn state_faults_end_after_a_few_looks() {
    let faults = (0..9).map(|_| Err(fault(Nature::StateFault))).collect();
    let world = world(vec![Ok(false)], faults);
    let response = run(&world, &mut cx(Mode::Execute), 50).await;
    assert_eq!(response.status, Status::Failed);
    assert_eq!(*world.applied.lock().unwrap(), STATE_FAULTS);
}

#[tokio::test]
async fn a_wait_that_does_not_fit_is_handed_back() {
    let world = world(vec![Err(fault(Nature::Uncertain))], vec![]);
    let response = run(&world, &mut cx(Mode::Execute), 3).await;
    assert_eq!(response.status, Status::InProgress);
    assert!(response.wait_seconds >= 1);
    assert_eq!(run(&world, &mut cx(Mode::Plan), 3).await.status, Status::Failed);
}

#[tokio::test]
async fn the_deadline_ends_the_attempt() {
    let world = world(vec![Err(fault(Nature::Throttled))], vec![]);
    let limits = Limits { budget: Duration::from_secs(50), deadline: clock::epoch() };
    let response =
        operate(&world, &NoParameters::default(), &mut cx(Mode::Execute), limits, &mut Silent)
            .await;
    assert_eq!(response.error_type, Some(ErrorType::TimedOut));
}

#[test]
fn after_the_grace_only_reissuable_calls_are_sent_again() {
    let mut cx = cx(Mode::Execute);
    cx.progress
        .acts
        .insert("Flip".into(), Act { at: cx.now - GRACE_S, certain: true, result: json!(1) });
    assert_eq!(may_send(&Flip { reissuable: true, ..Flip::default() }, &cx).unwrap(), None);
    assert!(may_send(&Flip::default(), &cx).is_err());
    cx.now -= 1;
    assert!(may_send(&Flip { reissuable: true, ..Flip::default() }, &cx).unwrap().is_some());
}

#[test]
fn gaps_grow_with_the_wait_and_with_the_layer() {
    let mut cx = cx(Mode::Execute);
    let mut gap = |waited: i64, siblings: u32| {
        cx.now = cx.progress.since + waited;
        cx.context.siblings = Some(siblings);
        gap_seconds(&cx, 0)
    };
    assert_eq!([gap(0, 1), gap(200, 1), gap(9999, 1), gap(0, 400)], [1, 10, 60, 40]);
}

#[tokio::test]
async fn a_question_is_asked_again_at_each_look_and_a_lost_answer_leaves_the_last_one() {
    let looks = vec![Ok(false), Ok(false), Ok(false), Ok(true)];
    let answers = vec![Ok(json!("first")), Ok(json!("second")), Err(fault(Nature::Uncertain))];
    let world = world(looks, answers);
    let p = NoParameters { flip: Flip { question: true, ..Flip::default() }, steady: 1, end: None };
    let limits = Limits { budget: Duration::from_secs(50), deadline: clock::epoch() + 60 };
    let mut cx = cx(Mode::Execute);
    let response = operate(&world, &p, &mut cx, limits, &mut Silent).await;
    assert_eq!(response.status, Status::Done);
    assert_eq!(*world.applied.lock().unwrap(), 3);
    assert_eq!(cx.act("Flip").unwrap().result, json!("second"));
}

#[tokio::test]
async fn a_call_that_takes_longer_than_the_invocation_lasts_is_left_to_the_next_one() {
    let world = world(vec![Ok(false), Ok(false), Ok(true)], vec![]);
    let p = NoParameters { flip: Flip { takes_s: 10, ..Flip::default() }, steady: 1, end: None };
    let run = async |budget_s| {
        let limits =
            Limits { budget: Duration::from_secs(budget_s), deadline: clock::epoch() + 60 };
        operate(&world, &p, &mut cx(Mode::Execute), limits, &mut Silent).await
    };
    let response = run(2).await;
    assert_eq!((response.status, response.wait_seconds), (Status::InProgress, 1));
    assert_eq!(*world.applied.lock().unwrap(), 0);
    assert_eq!(run(4).await.status, Status::Done);
    assert_eq!(*world.applied.lock().unwrap(), 1);
}

#[tokio::test]
async fn what_must_be_steady_is_done_only_after_looks_in_a_row() {
    let looks = vec![Ok(true), Ok(false), Ok(true), Err(fault(Nature::Throttled)), Ok(true)];
    let world = world(looks, vec![]);
    let p = NoParameters { steady: 2, ..NoParameters::default() };
    let limits = Limits { budget: Duration::from_secs(50), deadline: clock::epoch() + 60 };
    let response = operate(&world, &p, &mut cx(Mode::Execute), limits, &mut Silent).await;
    assert_eq!(response.status, Status::Done);
    assert_eq!(world.looks.lock().unwrap().len(), 1, "the first look alone was not enough");
    assert_eq!(*world.applied.lock().unwrap(), 1);
    let plan = operate(&world, &p, &mut cx(Mode::Plan), limits, &mut Silent).await;
    assert_eq!(plan.status, Status::Done);
}

#[tokio::test]
async fn a_sign_that_aws_took_back_is_in_the_memory_and_in_the_answer() {
    let world = world(vec![Ok(true), Ok(false)], vec![Err(fault(Nature::Final))]);
    let p = NoParameters { steady: 2, ..NoParameters::default() };
    let limits = Limits { budget: Duration::from_secs(50), deadline: clock::epoch() + 60 };
    let mut cx = cx(Mode::Execute);
    let response = operate(&world, &p, &mut cx, limits, &mut Silent).await;
    assert_eq!(response.status, Status::Failed);
    assert_eq!(cx.looks_without_sign("flipped"), 1);
    assert!(cx.seconds_since_sign("flipped").is_some());
    assert_eq!(response.progress["gone"], json!({"flipped": 1}));
}

#[test]
fn the_same_call_for_another_thing_does_not_wait_for_the_first() {
    let mut cx = cx(Mode::Execute);
    let flip = |n| Flip { thing: Some(n), ..Flip::default() };
    record(&mut cx, &flip(1).key(), true, Value::Null);
    assert!(may_send(&flip(1), &cx).unwrap().unwrap().contains("does not show yet"));
    assert_eq!(may_send(&flip(2), &cx).unwrap(), None);
}

/// What becomes of a step that makes no change, in an attempt and in a plan.
async fn ended(end: Step<Flip>) -> [Response; 2] {
    let p = NoParameters { end: Some(end), ..NoParameters::default() };
    let limits = Limits { budget: Duration::from_secs(50), deadline: clock::epoch() + 60 };
    let world = world(vec![Ok(false)], vec![]);
    let attempt = operate(&world, &p, &mut cx(Mode::Execute), limits, &mut Silent).await;
    let plan = operate(&world, &p, &mut cx(Mode::Plan), limits, &mut Silent).await;
    assert_eq!(*world.applied.lock().unwrap(), 0);
    [attempt, plan]
}

#[tokio::test]
async fn a_guard_and_a_failure_end_the_attempt_and_block_the_plan() {
    let (why, next) = ("orders is the last copy", "Look at orders-dr.");
    for (end, error_type) in [
        (Step::Refuse(why.into(), next.into()), ErrorType::Refused),
        (Step::Fail(ErrorType::NotFound, why.into(), next.into()), ErrorType::NotFound),
    ] {
        for response in ended(end).await {
            assert_eq!((response.status, response.changed), (Status::Failed, false));
            assert_eq!(response.error_type, Some(error_type));
            assert_eq!(response.message.as_deref(), Some("orders is the last copy."));
            assert_eq!(response.next_step.as_deref(), Some(next));
        }
    }
}

#[tokio::test]
async fn what_is_missing_ends_the_attempt_and_is_open_in_the_plan() {
    let unknown = Step::Unknown(vec!["rds:a".into(), "rds:b".into()], "no source".into());
    let [attempt, plan] = ended(unknown).await;
    assert_eq!((attempt.status, attempt.error_type), (Status::Failed, Some(ErrorType::NotFound)));
    assert_eq!(attempt.message.as_deref(), Some("no source (missing: rds:a, rds:b)."));
    assert_eq!(plan.status, Status::Unknown);
    assert_eq!(
        (plan.depends_on.as_slice(), plan.summary.as_str()),
        (&["rds:a".to_owned(), "rds:b".into()][..], "no source")
    );
}

#[tokio::test]
async fn a_look_that_fails_for_good_ends_the_attempt() {
    for mode in [Mode::Execute, Mode::Plan] {
        let world = world(vec![Err(fault(Nature::Final))], vec![]);
        let response = run(&world, &mut cx(mode), 50).await;
        assert_eq!(response.error_type, Some(ErrorType::Conflict));
        assert_eq!(*world.applied.lock().unwrap(), 0);
    }
}

#[tokio::test]
async fn an_accepted_call_without_effect_is_not_sent_twice() {
    let world = world(vec![Ok(false)], vec![]);
    let mut cx = cx(Mode::Execute);
    let act = Act { at: cx.now - GRACE_S, certain: true, result: Value::Null };
    cx.progress.acts.insert("Flip".into(), act);
    let response = run(&world, &mut cx, 50).await;
    assert_eq!(response.error_type, Some(ErrorType::Failed));
    let message = response.message.unwrap();
    assert!(message.starts_with("Flip was accepted 12"), "{message}");
    assert!(message.ends_with("s ago but not reflected."), "{message}");
    assert_eq!(*world.applied.lock().unwrap(), 0);
}

/// Asked for the product's lock, it says this.
struct Lock(Result<bool>);
impl Watch for Lock {
    async fn holds_lock(&self) -> Result<bool> {
        self.0.clone()
    }
    async fn note(&mut self, _: &'static str, _: &str) {}
    async fn pause(&self, _: Duration) {}
}

#[tokio::test]
async fn without_the_lock_nothing_that_hurts_is_sent_and_without_an_answer_it_is_awaited() {
    let p = NoParameters { flip: Flip { hurts: true, ..Flip::default() }, ..Default::default() };
    for (lock, status, error_type) in [
        (Ok(false), Status::Failed, Some(ErrorType::Locked)),
        (Err(fault(Nature::Final)), Status::Failed, Some(ErrorType::Conflict)),
        (Err(fault(Nature::Uncertain)), Status::InProgress, None),
    ] {
        let world = world(vec![Ok(false)], vec![]);
        let limits = Limits { budget: Duration::from_secs(4), deadline: clock::epoch() + 60 };
        let mut cx = cx(Mode::Execute);
        let response = operate(&world, &p, &mut cx, limits, &mut Lock(lock)).await;
        assert_eq!((response.status, response.error_type), (status, error_type));
        assert_eq!(*world.applied.lock().unwrap(), 0);
    }
}
