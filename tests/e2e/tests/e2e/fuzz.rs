//! Broken manifests and broken calls of the approval page, through everything that is deployed. The
//! same on every machine; `DR_FUZZ_CASES` asks for another number of each.

#[path = "../../../../functions/manifest-loader/tests/mutate/mod.rs"]
mod mutate;

mod calls;

use crate::approval::{asked, still_waits};
use e2e::manifests::FILES;

use e2e::{Call, WEST, World, repository};
use fastrand::Rng;
use manifest_loader::offline::{Candidate, check};
use serde_json::Value;

/// Each case has this plus its number.
const SEED: u64 = 20_260_103;
/// Executions at once.
const ABREAST: usize = 10;
/// What these runs may write to: the orchestrator's own.
const OWN: [&str; 4] = ["sns:", "states:", "logs:", "cloudwatch:"];
/// No function of a resource is among those that the state machines call.
const INVOKED: [&str; 3] = ["-manifest-loader", "-reporter", "-failure-recorder"];

/// A manifest that `validate` refuses.
struct Broken {
    n: u64,
    done: Vec<&'static str>,
    bytes: Vec<u8>,
}

fn cases(usual: u64) -> u64 {
    std::env::var("DR_FUZZ_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}

fn seeds() -> Vec<Value> {
    let folder = repository().join("samples/sampleproduct/manifests");
    let phases = ["INSTANTIATE", "ACTIVATE", "CLEANUP", "REPLICATE"];
    let path = |phase| folder.join(format!("product-manifest-sampleproduct-{phase}.json"));
    let read = |phase| std::fs::read(path(phase)).unwrap();
    phases.into_iter().map(|phase| serde_json::from_slice(&read(phase)).unwrap()).collect()
}

/// Every third is broken as a text, all others as a tree.
fn broken(n: u64, seeds: &[Value]) -> Broken {
    let mut rng = Rng::with_seed(SEED + n);
    let mut value = mutate::odd::pick(&mut rng, seeds).clone();
    if n.is_multiple_of(3) {
        let (bytes, done) = mutate::text::bytes(&mut rng, value.to_string().into_bytes());
        return Broken { n, done, bytes };
    }
    let done = mutate::tree(&mut rng, &mut value);
    Broken { n, done, bytes: value.to_string().into_bytes() }
}

fn refused(broken: &Broken) -> bool {
    let path = "fuzz.json".to_owned();
    let file = Candidate { path, bytes: broken.bytes.clone(), named: true };
    !check(&[file]).unwrap_or_else(|e| panic!("{}", e.message)).report.is_clean()
}

impl Broken {
    async fn start(&self, world: &World) -> (String, String) {
        let key = format!("{FILES}fuzz-{}.json", self.n);
        let put = world.s3(WEST).put_object().bucket(World::bucket(WEST)).key(&key);
        put.body(self.bytes.clone().into()).send().await.unwrap();
        (world.start(WEST, &key).await, key)
    }

    /// FAILED, with an error that is the operator's to mend and names the file.
    async fn ends(&self, world: &World, arn: &str, key: &str) {
        let text: String = String::from_utf8_lossy(&self.bytes).chars().take(2000).collect();
        let about = format!("seed {SEED}, case {}, {:?}:\n{text}", self.n, self.done);
        let ended = world.wait(arn, 180).await;
        assert_eq!(ended.status.as_str(), "FAILED", "{about}");
        assert!(["Dr.InvalidManifest", "Dr.NotFound"].contains(&ended.error.as_str()), "{about}");
        let lines = ended.lines();
        assert!(lines.iter().any(|l| l.contains(key)), "{lines:?}, {about}");
    }
}

/// Accepted calls that write anything which is not the orchestrator's own.
fn foreign(world: &World) -> Vec<String> {
    let calls = world.control.calls();
    let calls = calls.iter().filter(|c| c.mutates() && c.accepted() && !is_own(c));
    calls.map(|c| c.0.to_string()).collect()
}

fn is_own(call: &Call) -> bool {
    let (action, request) = (call.action(), call.0["request"].to_string());
    match action.as_str() {
        "lambda:Invoke" => INVOKED.iter().any(|f| request.contains(f)),
        action if action.starts_with("s3:") => request.contains("dr-orchestrator-"),
        action => OWN.iter().any(|own| action.starts_with(own)),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_product_manifests_end_in_an_error_that_names_them_and_change_nothing() {
    let (world, seeds) = (World::new(), seeds());
    let all = (0..).map(|n| broken(n, &seeds)).filter(refused);
    let all: Vec<Broken> = all.take(cases(60) as usize).collect();
    assert!(all.last().is_none_or(|b| b.n < 2 * all.len() as u64), "most must be refused");
    for some in all.chunks(ABREAST) {
        let mut started = Vec::new();
        for broken in some {
            started.push((broken, broken.start(&world).await));
        }
        for (broken, (arn, key)) in &started {
            broken.ends(&world, arn, key).await;
        }
    }
    assert_eq!(foreign(&world), Vec::<String>::new());
    assert_eq!(world.changes(), Vec::<String>::new());
    let mails = world.control.mails();
    assert!(mails.iter().all(|m| !m.subject.contains("Approve")), "somebody was asked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_calls_of_the_approval_page_never_answer_and_never_break_it() {
    let world = World::new();
    let (arn, link) = asked(&world, "fuzz").await;
    for n in 0..cases(200) {
        let call = calls::call(&mut Rng::with_seed(SEED + n), &link);
        let status = world.control.raw(call.method, &call.link, call.content_type, &call.body);
        let about = format!("seed {SEED}, case {n}: {call:?}");
        assert!((200..500).contains(&status), "{status}, {about}");
        assert!(status >= 400 || ["GET", "HEAD"].contains(&call.method), "{status}, {about}");
    }
    still_waits(&world, &arn).await;
    assert!(!world.control.log("approval-callback").join("\n").contains("panicked"));
    assert_eq!(world.changes(), Vec::<String>::new());
    world.reject(&arn).await;
    world.wait(&arn, 60).await.failed("Dr.Rejected");
}
