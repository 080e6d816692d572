//! `UnPlannedFailoverAurora`.

fn main() {}
