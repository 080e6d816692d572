//! The world of `samples/databases`: deployed once by its own script into a copy of the deployed
//! world, and copied for each test.

use crate::parent::repository;
use crate::raw::ADMINISTRATOR;
use crate::world::{EAST, WEST, World};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

static DATABASES: OnceLock<World> = OnceLock::new();

impl World {
    /// A copy of the world with the sample databases, its manifests in both buckets.
    pub fn with_databases() -> Self {
        DATABASES.get_or_init(build).copy()
    }

    /// Uploads the manifests of the sample databases to both buckets.
    pub async fn upload_databases(&self) {
        let folder = repository().join("samples/databases/manifests");
        for folder in [folder.clone(), folder.join("failback")] {
            for file in std::fs::read_dir(folder).expect("the manifests").flatten() {
                let name = file.file_name().into_string().expect("a name");
                if name.ends_with(".json") {
                    let text = std::fs::read_to_string(file.path()).expect("a manifest");
                    self.upload(EAST, &name, text.as_str()).await;
                    self.upload(WEST, &name, text.as_str()).await;
                }
            }
        }
    }
}

fn build() -> World {
    let started = Instant::now();
    let world = World::new();
    script(&world, "samples/databases/deploy.sh", &[], ADMINISTRATOR);
    // A copy can be taken only when nothing runs any more.
    std::thread::sleep(Duration::from_secs(2));
    eprintln!("the sample databases were deployed in {} s", started.elapsed().as_secs());
    world
}

/// Runs a script of the repository against a world, with these keys; fails the test when it fails.
pub fn script(world: &World, path: &str, arguments: &[&str], key: &str) {
    let output = Command::new("bash")
        .arg(repository().join(path))
        .args(arguments)
        .env("AWS_ENDPOINT_URL", world.control.endpoint())
        .env("AWS_ACCESS_KEY_ID", key)
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .stdin(Stdio::null())
        .output()
        .expect("bash");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{path} failed:\n{text}");
}

/// A payload of the sample databases.
pub fn payload(case: &str) -> Value {
    let path = repository().join(format!("samples/databases/payloads/{case}.json"));
    let text = std::fs::read_to_string::<&Path>(path.as_ref()).expect("a payload");
    serde_json::from_str(&text).expect("JSON")
}
