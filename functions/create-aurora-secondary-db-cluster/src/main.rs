//! `CreateAuroraSecondaryDBCluster`.

fn main() {}
