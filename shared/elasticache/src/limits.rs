//! Numbers in parameters: whole, within their range, and said so when they are not.

use shared::coerce::Int;
use shared::{Error, Result};
use std::ops::RangeInclusive;
use std::time::Duration;

/// Minutes that `TimeoutMinutes` may ask for: a day at most.
pub const MINUTES: RangeInclusive<i64> = 1..=1440;

/// The number as the SDK takes it.
///
/// # Errors
/// `Dr.InvalidParameters` when it is out of range.
pub fn within(
    parameter: &str,
    value: Option<Int>,
    range: RangeInclusive<i64>,
) -> Result<Option<i32>> {
    let Some(Int(number)) = value else { return Ok(None) };
    let fits = i32::try_from(number).ok().filter(|_| range.contains(&number));
    let (from, to) = range.into_inner();
    let wrong = || format!("parameters.{parameter} is {number}, not {from} to {to}");
    fits.map(Some).ok_or_else(|| Error::invalid_parameters(wrong()))
}

/// A deadline in minutes, already checked by [`within`], or the type's own.
pub fn deadline(minutes: Option<Int>, default: Duration) -> Duration {
    minutes.map_or(default, |m| Duration::from_secs(m.0.unsigned_abs().saturating_mul(60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_are_named() {
        assert_eq!(within("P", Some(Int(7)), 0..=5_000).unwrap(), Some(7));
        assert_eq!(within("P", None, 0..=5).unwrap(), None);
        let error = within("P", Some(Int(-1)), 0..=5).unwrap_err();
        assert_eq!(error.message, "parameters.P is -1, not 0 to 5");
        assert!(within("P", Some(Int(i64::MAX)), 0..=i64::MAX).is_err());
    }

    #[test]
    fn minutes_become_a_deadline() {
        let own = Duration::from_secs(9);
        assert_eq!(deadline(Some(Int(2)), own), Duration::from_secs(120));
        assert_eq!(deadline(None, own), own);
    }
}
