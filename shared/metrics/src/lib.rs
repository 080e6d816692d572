//! How far a copy is behind, from the metrics of its own Region.

mod lag;
mod series;

pub use lag::{Lag, latest, recent};
pub use series::{Series, aurora_rpo_lag, global_datastore_lag, replica_lag};
