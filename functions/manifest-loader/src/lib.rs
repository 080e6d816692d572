//! Manifests: how they are read, every rule that they must keep, and what a run makes of them.
//! The Lambda function, `validate` and yaml-to-json share this one code.

pub mod application;
mod approvers;
pub mod items;
pub mod join;
pub mod key;
pub mod offline;
pub mod path;
pub mod problem;
pub mod product;
pub mod registry;
pub mod schema;
pub mod start;
pub mod text;
pub mod tree;

#[cfg(test)]
mod complete_tests;
#[cfg(test)]
mod offline_tests;
#[cfg(test)]
mod rules_tests;
#[cfg(test)]
mod text_tests;
