//! The harness of the end-to-end tests: one local AWS with everything deployed by the real scripts,
//! and a copy of it for each test.
//!
//! The first test of the process starts the local AWS and deploys the orchestrator and the sample
//! product into both Regions. Every test then works in its own fork of that world.

mod aws;
mod control;
pub mod databases;
pub mod manifests;
mod parent;
pub mod plans;
mod principals;
pub mod raw;
pub mod sessions;
mod world;

pub use aws::{Ended, ManifestText};
pub use control::{Call, Control, Mail};
pub use parent::repository;
pub use principals::Person;
pub use world::{EAST, WEST, World};
