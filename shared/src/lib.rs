//! What all functions of the DR Orchestrator share: the contract of a resource type, the loop
//! that runs it, errors, tokens, clients, the journal and the run's folder in S3.
//!
//! A resource type implements [`Resource`] and calls [`main`]; a core function calls [`serve`].

pub mod aws;
pub mod cause;
pub mod clients;
pub mod clock;
pub mod coerce;
pub mod consent;
pub mod context;
pub mod describe;
pub mod durations;
mod engine;
pub mod env;
pub mod error;
pub mod folder;
pub mod journal;
pub mod lock;
pub mod names;
pub mod nearest;
pub mod pending;
mod permit;
pub mod progress;
pub mod request;
pub mod resource;
mod run;
#[cfg(test)]
mod session_policies_tests;
pub mod skips;
pub mod store;
pub mod telemetry;
pub mod text;
pub mod tokens;

pub use aws::Doing;
pub use clients::Clients;
pub use context::{Context, Mode, Phase};
pub use error::{Error, ErrorType, Nature, Result, must_be};
pub use progress::Cx;
pub use request::{Request, Response, Status};
pub use resource::{ChangeClass, Classified, ControlPlane, Outcome, Resource, Step};
pub use run::Frame;
pub use run::{main, serve};
