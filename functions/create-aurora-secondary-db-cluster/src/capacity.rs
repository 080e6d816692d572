//! Aurora capacity units: the one number that comes in halves.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use shared::{Error, Result};
use std::borrow::Cow;

/// Aurora capacity units: a number, or a decimal number as text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capacity(pub f64);

/// The range that AWS documents; the smallest one is 0 only where the engine's version can pause.
const UNITS: std::ops::RangeInclusive<f64> = 0.0..=256.0;

impl<'de> Deserialize<'de> for Capacity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let number = match &value {
            Value::Number(n) => n.as_f64(),
            Value::String(s) => s.parse().ok(),
            _ => None,
        };
        let whole_halves = |n: &f64| UNITS.contains(n) && (n * 2.0).fract() == 0.0;
        number.filter(whole_halves).map(Self).ok_or_else(|| {
            D::Error::custom(format!("{value} is not a capacity (0 to 256 in steps of 0.5)"))
        })
    }
}

impl JsonSchema for Capacity {
    fn schema_name() -> Cow<'static, str> {
        "Capacity".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-dr-wants": "a capacity (0.5 or \"0.5\") or a token",
            "anyOf": [
                {"type": "number"},
                {"type": "string", "pattern": "^[0-9]+(\\.[05])?$"},
                {"type": "string", "pattern": shared::coerce::TOKEN_PATTERN}
            ]
        })
    }
}

/// Both ends of the capacity range, or neither.
///
/// # Errors
/// `Dr.InvalidParameters`.
pub fn range(min: Option<Capacity>, max: Option<Capacity>) -> Result<Option<(f64, f64)>> {
    let wrong = match (min, max) {
        (None, None) => return Ok(None),
        (Some(Capacity(min)), Some(Capacity(max))) if min > max => {
            format!("parameters.ServerlessV2MinCapacity {min} is above the greatest one, {max}")
        }
        (Some(_), Some(Capacity(max))) if max < 1.0 => {
            format!("parameters.ServerlessV2MaxCapacity is {max}, not 1 to 256")
        }
        (Some(Capacity(min)), Some(Capacity(max))) => return Ok(Some((min, max))),
        _ => "parameters.ServerlessV2MinCapacity and ServerlessV2MaxCapacity go together".into(),
    };
    Err(Error::invalid_parameters(wrong))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn capacities_come_in_halves_as_numbers_or_text() {
        for (value, units) in [(json!(0.5), 0.5), (json!("16"), 16.0), (json!("1.5"), 1.5)] {
            assert_eq!(from_value::<Capacity>(value).unwrap(), Capacity(units));
        }
        for wrong in [json!(0.3), json!(-1), json!("many"), json!(257), json!(true), json!("")] {
            assert!(from_value::<Capacity>(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_range_has_two_ends_in_order() {
        let of = |min: Option<f64>, max: Option<f64>| range(min.map(Capacity), max.map(Capacity));
        assert_eq!(of(None, None).unwrap(), None);
        assert_eq!(of(Some(0.5), Some(8.0)).unwrap(), Some((0.5, 8.0)));
        assert!(of(Some(0.5), None).is_err() && of(None, Some(8.0)).is_err());
        assert!(of(Some(9.0), Some(8.0)).is_err() && of(Some(0.5), Some(0.5)).is_err());
    }
}
