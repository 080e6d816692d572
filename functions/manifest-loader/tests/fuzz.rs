//! A thousand broken manifests: nothing panics, nothing takes long, and whatever is refused is told
//! with its file, a place that is in it, and words. What is accepted keeps every documented bound.
//!
//! The same on every machine. `DR_FUZZ_CASES=100000` asks for more of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bounds;
mod mutate;
mod places;

use fastrand::Rng;
use manifest_loader::offline::{Candidate, check};
use manifest_loader::problem::Problem;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Each case has this plus its number.
const SEED: u64 = 20_260_101;
/// Of one case, unoptimised.
const SLOW: Duration = Duration::from_secs(2);
/// A mutator that breaks too little tests nothing.
const REFUSED_PERCENT: usize = 60;

/// A sample as it is.
struct Seed {
    name: String,
    value: Value,
    legal: bool,
}

/// What a failing test prints.
struct Case {
    n: u64,
    done: Vec<&'static str>,
    name: String,
    bytes: Vec<u8>,
}

impl Drop for Case {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let text = String::from_utf8_lossy(&self.bytes);
            let text: String = text.chars().take(3000).collect();
            let Self { n, done, name, .. } = self;
            eprintln!("seed {SEED}, case {n}, {done:?}, {name}, begins with:\n{text}");
        }
    }
}

fn cases() -> u64 {
    std::env::var("DR_FUZZ_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(1000)
}

fn samples(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let manifests = path.components().any(|c| c.as_os_str() == "manifests");
        match path.extension().and_then(|e| e.to_str()) {
            _ if path.is_dir() => samples(&path, out),
            Some("json") => out.push(path),
            Some("yaml") if manifests => out.push(path),
            _ => {}
        }
    }
}

fn problems(name: &str, bytes: &[u8]) -> Vec<Problem> {
    let file = Candidate { path: name.to_owned(), bytes: bytes.to_vec(), named: true };
    check(&[file]).unwrap_or_else(|e| panic!("{}", e.message)).report.problems
}

fn seeds() -> Vec<Seed> {
    let mut paths = Vec::new();
    samples(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples")), &mut paths);
    let seed = |path: &PathBuf| {
        let (bytes, name) = (std::fs::read(path).unwrap(), path.file_name().unwrap());
        let name = name.to_str().unwrap().to_owned();
        let (value, _) = manifest_loader::text::parse(&name, &bytes).unwrap();
        Seed { legal: problems(&name, &bytes).is_empty(), name, value }
    };
    let seeds: Vec<Seed> = paths.iter().map(seed).collect();
    assert!(seeds.iter().filter(|s| s.legal).count() >= 40, "the samples are not found");
    seeds
}

/// JSON, or YAML as a person would write it.
fn written(rng: &mut Rng, name: &str, value: &Value) -> (String, Vec<u8>) {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    if rng.u8(..3) == 0 {
        return (format!("{stem}.yaml"), serde_yaml::to_string(value).unwrap().into_bytes());
    }
    (format!("{stem}.json"), serde_json::to_vec_pretty(value).unwrap())
}

/// Time on a processor, which no other process takes from a case; elsewhere than on Linux the clock's.
fn spent(since: Instant) -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|n| n.parse().ok());
    nanoseconds.map_or_else(|| since.elapsed(), Duration::from_nanos)
}

/// Whether it was refused.
fn refused(case: &Case) -> bool {
    let since = Instant::now();
    let before = spent(since);
    let found = problems(&case.name, &case.bytes);
    let took = spent(since).saturating_sub(before);
    assert!(took <= SLOW, "took {took:?}");
    places::check(&case.name, &case.bytes, &found);
    bounds::check(&case.name, &case.bytes, found.is_empty());
    !found.is_empty()
}

/// What was done, then name and bytes of the manifest.
type Mutated = (Vec<&'static str>, (String, Vec<u8>));

fn run(group: u64, mutate: fn(&mut Rng, &Seed) -> Mutated) {
    let (seeds, started) = (seeds(), Instant::now());
    let (mut counted, mut bad) = (0, 0);
    let (first, last) = (group * 1_000_000, group * 1_000_000 + cases() / 2);
    for n in first..last.max(first + 1) {
        let mut rng = Rng::with_seed(SEED + n);
        let seed = &seeds[rng.usize(..seeds.len())];
        let (done, (name, bytes)) = mutate(&mut rng, seed);
        let case = Case { n, done, name, bytes };
        let refused = refused(&case);
        counted += usize::from(seed.legal);
        bad += usize::from(seed.legal && refused);
    }
    eprintln!("{bad} of {counted} refused in {:?}", started.elapsed());
    assert!(bad * 100 >= counted * REFUSED_PERCENT, "only {bad} of {counted} were refused");
}

#[test]
fn every_broken_tree_is_told_with_its_place() {
    run(0, |rng, seed| {
        let mut value = seed.value.clone();
        let done = mutate::tree(rng, &mut value);
        (done, written(rng, &seed.name, &value))
    });
}

#[test]
fn every_broken_text_is_told_with_its_file() {
    run(1, |rng, seed| {
        let (name, bytes) = written(rng, &seed.name, &seed.value);
        let (bytes, done) = mutate::text::bytes(rng, bytes);
        (done, (name, bytes))
    });
}
