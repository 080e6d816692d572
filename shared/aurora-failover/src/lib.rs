//! How a secondary of an Aurora global database becomes the primary: planned ([`switchover`]), and
//! unplanned ([`failover`]). Both judge by roles, never by a status: `available` is true before,
//! between and after.

pub mod failover;
pub mod switchover;
mod takeover;
mod target;
mod version;

pub use target::{FAILOVER_STATE, MOVING, Metadata, Target};
pub use version::same_minor;

use shared::{Cx, Error, Phase, Result};

/// Nothing moves to where the run starts from: that Region serves, or is taken for lost. In
/// REPLICATE it is the aim.
fn not_where_it_serves(target: &shared_rds::Arn, cx: &Cx) -> Result<()> {
    let serves = cx.context.primary_region.as_deref() == Some(&target.region);
    if !serves || cx.phase != Phase::Activate {
        return Ok(());
    }
    Err(Error::refused(format!(
        "{} is in {}, which is primary_region: the Region that serves before the run",
        target.id, target.region
    ))
    .next("Let DBClusterIdentifier name the secondary, or correct primary_region."))
}

/// The identifier of a global cluster as RDS keeps it: in lower case.
///
/// # Errors
/// `Dr.InvalidParameters` when it cannot be one.
pub fn global_identifier(text: &str) -> Result<String> {
    let legal = text.len() <= 255
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-:._".contains(&b));
    if legal {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Error::invalid_parameters(format!(
        "parameters.GlobalClusterIdentifier: \"{text}\" is not the identifier of a global cluster"
    )))
}
