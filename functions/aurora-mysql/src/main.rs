//! `AuroraMySQL`.

fn main() {}
