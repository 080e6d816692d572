//! End-to-end tests: the real binaries, state machines, templates and scripts on the local AWS.

mod again;
mod approval;
mod approval_iam;
mod bad_input;
mod cases;
mod cycle;
mod databases;
mod failures;
mod faults;
mod foreign;
mod fuzz;
mod guards;
mod holds;
mod lock;
mod matrix;
mod permissions;
mod plans;
mod secrets;
