//! `DeleteAuroraCluster`.

fn main() {}
