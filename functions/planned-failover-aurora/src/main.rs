//! `PlannedFailoverAurora`.

fn main() {}
