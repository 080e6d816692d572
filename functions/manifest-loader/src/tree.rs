//! Reads JSON or YAML into one tree, within bounds: no aliases that explode, no key given twice,
//! no value that JSON does not have. `!Import x` without quotes is read as the text it means.

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess};
use serde::de::{VariantAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::cell::Cell;
use std::fmt;

/// Levels of arrays and objects within each other.
const DEPTH: usize = 64;
/// Values plus bytes of text, after YAML aliases are expanded: far beyond any legal manifest.
const BUDGET: usize = 1 << 20;

/// What is wrong with a document that grows when it is read.
pub const TOO_LARGE: &str = "aliases (*name) make this document too large; write the values out";

/// Reads one document.
///
/// # Errors
/// The parser's, with its position, or ours within it.
pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    let budget = Cell::new(BUDGET);
    Tree { budget: &budget, depth: 0 }.deserialize(deserializer)
}

#[derive(Clone, Copy)]
struct Tree<'a> {
    budget: &'a Cell<usize>,
    depth: usize,
}

impl Tree<'_> {
    fn spend<E: Error>(&self, cost: usize) -> Result<(), E> {
        let left = self.budget.get().checked_sub(cost + 1);
        self.budget.set(left.unwrap_or(0));
        left.map(|_| ()).ok_or_else(|| E::custom(TOO_LARGE))
    }

    fn deeper<E: Error>(&self) -> Result<Self, E> {
        if self.depth == DEPTH {
            return Err(E::custom(format!("nested deeper than {DEPTH} levels")));
        }
        Ok(Self { budget: self.budget, depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, v: bool) -> Result<Value, E> {
        self.spend(0).map(|()| Value::Bool(v))
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<Value, E> {
        self.spend(0).map(|()| v.into())
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<Value, E> {
        self.spend(0).map(|()| v.into())
    }

    fn visit_i128<E: Error>(self, v: i128) -> Result<Value, E> {
        Err(E::custom(format!("the number {v} is too large; put it in quotes")))
    }

    fn visit_u128<E: Error>(self, v: u128) -> Result<Value, E> {
        Err(E::custom(format!("the number {v} is too large; put it in quotes")))
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Value, E> {
        self.spend(0)?;
        Number::from_f64(v).map(Value::Number).ok_or_else(|| E::custom(format!("{v} is no number")))
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Value, E> {
        self.spend(v.len()).map(|()| Value::String(v.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.spend(0).map(|()| Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        self.spend(0)?;
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        self.spend(0)?;
        let inner = self.deeper()?;
        let mut out = Map::new();
        while let Some(key) = map.next_key_seed(inner)? {
            let Value::String(key) = key else {
                return Err(A::Error::custom(format!(
                    "the key {key} is no text; put it in quotes"
                )));
            };
            if out.contains_key(&key) {
                return Err(A::Error::custom(format!("the key \"{key}\" is given twice")));
            }
            let value = map.next_value_seed(inner)?;
            out.insert(key, value);
        }
        Ok(Value::Object(out))
    }

    /// A YAML tag: people write `!Import x` as they do in CloudFormation.
    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Value, A::Error> {
        let (tag, content) = data.variant_seed(self)?;
        let value = content.newtype_variant_seed(self.deeper()?)?;
        match (tag.as_str().map(|t| t.trim_start_matches('!')), value) {
            (Some("Import"), Value::String(name)) => Ok(Value::String(format!("!Import {name}"))),
            (Some("Import"), _) => Err(A::Error::custom("!Import takes the name of one export")),
            (tag, _) => Err(A::Error::custom(format!(
                "the YAML tag !{} is not known here, only !Import is",
                tag.unwrap_or_default()
            ))),
        }
    }
}
