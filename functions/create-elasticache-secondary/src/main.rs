//! `CreateElastiCacheSecondary`.

fn main() {}
