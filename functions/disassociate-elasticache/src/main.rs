//! `DisassociateElastiCache`.

fn main() {}
