//! The local AWS that all tests copy: started once, everything deployed, ended with this process.

use crate::control::Control;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

static PARENT: OnceLock<Parent> = OnceLock::new();
static FORKING: Mutex<()> = Mutex::new(());

pub struct Parent {
    control: Control,
    _server: Option<Child>,
}

/// A control of a fresh copy of the deployed world.
pub fn fork() -> Control {
    let parent = PARENT.get_or_init(start);
    let _one_at_a_time = FORKING.lock().unwrap_or_else(|e| e.into_inner());
    parent.control.fork()
}

/// The root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// `DR_LOCALAWS_PORT` names a local AWS that is deployed already, so that a test under work starts at
/// once; else there is a new one.
fn start() -> Parent {
    if let Some(port) = std::env::var("DR_LOCALAWS_PORT").ok().and_then(|p| p.parse().ok()) {
        let control = Control::new(port);
        enforce_iam(&control);
        return Parent { control, _server: None };
    }
    let started = Instant::now();
    let port = free_port();
    let server = serve(port);
    let control = Control::new(port);
    control.wait_healthy();
    enforce_iam(&control);
    control.post("timings", &fast());
    deploy(port);
    eprintln!("the world was deployed in {} s", started.elapsed().as_secs());
    Parent { control, _server: Some(server) }
}

/// What a role, its session policy or a trust does not allow is refused, as on AWS. The tests' own
/// clients are administrators.
fn enforce_iam(control: &Control) {
    control.post("iam", &serde_json::json!({"mode": "enforce"}));
}

/// Short, but never zero: every transition is seen.
fn fast() -> serde_json::Value {
    serde_json::from_str(include_str!("../../timings.json")).expect("tests/timings.json")
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// The server ends when its standard input closes, that is with this process.
fn serve(port: u16) -> Child {
    Command::new("bash")
        .arg(repository().join("scripts/localaws.sh"))
        .args(["--port", &port.to_string(), "--until-stdin-closes"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("scripts/localaws.sh")
}

fn deploy(port: u16) {
    let zips = std::env::var("DR_DIST")
        .expect("DR_DIST names the folder of the zips: run scripts/test.sh");
    let script = repository().join("scripts/localaws-deploy.sh");
    let output = Command::new("bash")
        .arg(script)
        .args(["--port", &port.to_string(), "--zips", &zips])
        .stdin(Stdio::null())
        .output()
        .expect("scripts/localaws-deploy.sh");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the world could not be deployed:\n{text}");
    // A copy can be taken only when nothing runs any more.
    std::thread::sleep(Duration::from_secs(2));
}
