//! `AuroraGlobalLagCheck`.

fn main() {}
