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

/// The identifier of a global cluster as RDS keeps it: in lower case.
///
/// # Errors
/// `Dr.InvalidParameters` when it cannot be one.
pub fn global_identifier(text: &str) -> shared::Result<String> {
    let legal = text.len() <= 255
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-:._".contains(&b));
    if legal {
        return Ok(text.to_ascii_lowercase());
    }
    Err(shared::Error::invalid_parameters(format!(
        "parameters.GlobalClusterIdentifier: \"{text}\" is not the identifier of a global cluster"
    )))
}
