//! End-to-end tests: the real binaries, state machines, templates and scripts on the local AWS.

mod again;
mod cycle;
mod faults;
