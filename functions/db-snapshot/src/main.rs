//! `DBSnapshot`.

fn main() {}
