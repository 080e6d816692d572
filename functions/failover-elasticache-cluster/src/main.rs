//! `FailoverElastiCacheCluster`.

fn main() {}
