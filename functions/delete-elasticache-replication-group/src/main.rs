//! `DeleteElastiCacheReplicationGroup`.

fn main() {}
