//! Mutations of manifests, structure-aware: most of what comes out is still read as a tree and
//! breaks one of our rules, not the syntax. The same random numbers give the same mutation.

// The end-to-end tests share this module and use a part of it.
#![allow(dead_code)]

pub mod odd;
pub mod text;

use fastrand::Rng;
use serde_json::{Map, Value};

type Change = fn(&mut Rng, &mut Value) -> Option<()>;

/// Each with its name, so that a failure tells what was done.
const CHANGES: &[(&str, Change)] = &[
    ("drop", drop_one),
    ("drop", drop_one),
    ("repeat", repeat),
    ("rename", rename),
    ("rename", rename),
    ("add", add),
    ("replace", replace),
    ("replace", replace),
    ("replace", replace),
    ("append", append),
    ("token", token),
    ("key of an object", object_key),
    ("word", word),
    ("nest", nest),
    ("swap", swap),
];

/// Changes a tree in one to three ways and tells them.
pub fn tree(rng: &mut Rng, root: &mut Value) -> Vec<&'static str> {
    let mut done = Vec::new();
    let wanted = rng.usize(1..=3);
    for _ in 0..50 {
        if done.len() == wanted {
            break;
        }
        let (name, change) = odd::pick(rng, CHANGES);
        done.extend(change(rng, root).map(|()| *name));
    }
    done
}

/// A random node that `wanted` accepts.
fn node<'a>(
    rng: &mut Rng,
    root: &'a mut Value,
    wanted: fn(&Value) -> bool,
) -> Option<&'a mut Value> {
    let mut pointers = Vec::new();
    collect(root, String::new(), wanted, &mut pointers);
    let pointer = rng.choice(pointers)?;
    root.pointer_mut(&pointer)
}

fn collect(value: &Value, at: String, wanted: fn(&Value) -> bool, out: &mut Vec<String>) {
    let step = |name: &str| format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
    // The long tail of a list that was repeated is all the same.
    match value {
        _ if at.len() > 200 => {}
        Value::Array(items) => {
            let items = items.iter().take(50).enumerate();
            items.for_each(|(n, v)| collect(v, step(&n.to_string()), wanted, out));
        }
        Value::Object(map) => map.iter().for_each(|(k, v)| collect(v, step(k), wanted, out)),
        _ => {}
    }
    if wanted(value) {
        out.push(at);
    }
}

fn any(_: &Value) -> bool {
    true
}

fn filled_object(value: &Value) -> bool {
    value.as_object().is_some_and(|m| !m.is_empty())
}

fn filled_list(value: &Value) -> bool {
    value.as_array().is_some_and(|a| !a.is_empty())
}

fn object<'a>(rng: &mut Rng, root: &'a mut Value) -> Option<(&'a mut Map<String, Value>, String)> {
    let map = node(rng, root, filled_object)?.as_object_mut()?;
    let key = rng.choice(map.keys())?.clone();
    Some((map, key))
}

fn drop_one(rng: &mut Rng, root: &mut Value) -> Option<()> {
    let (map, key) = object(rng, root)?;
    map.shift_remove(&key).map(|_| ())
}

/// Resources of one name, and far more layers than any manifest has.
fn repeat(rng: &mut Rng, root: &mut Value) -> Option<()> {
    let items = node(rng, root, filled_list)?.as_array_mut()?;
    let one = rng.choice(items.iter())?.clone();
    let times = *odd::pick(rng, &[1, 2, 41, 201, 401, 10_000]);
    // Twice repeated is enough.
    if items.len() < 500 && one.to_string().len() * times < 8 << 20 {
        items.extend(std::iter::repeat_n(one, times));
    }
    Some(())
}

fn rename(rng: &mut Rng, root: &mut Value) -> Option<()> {
    let (map, key) = object(rng, root)?;
    let value = map.shift_remove(&key)?;
    map.insert(odd::key(rng, &key), value);
    Some(())
}

fn add(rng: &mut Rng, root: &mut Value) -> Option<()> {
    let (map, key) = object(rng, root)?;
    map.insert(odd::key(rng, &key), odd::value(rng));
    Some(())
}

fn replace(rng: &mut Rng, root: &mut Value) -> Option<()> {
    *node(rng, root, any)? = odd::value(rng);
    Some(())
}

fn append(rng: &mut Rng, root: &mut Value) -> Option<()> {
    let text = node(rng, root, Value::is_string)?;
    *text = format!("{}{}", text.as_str()?, odd::text(rng)).into();
    Some(())
}

fn token(rng: &mut Rng, root: &mut Value) -> Option<()> {
    *node(rng, root, Value::is_string)? = (*odd::pick(rng, odd::TOKENS)).into();
    Some(())
}

/// Where a key of S3 stands, and what leads elsewhere.
fn object_key(rng: &mut Rng, root: &mut Value) -> Option<()> {
    let key = |v: &Value| v.as_str().is_some_and(|t| t.contains(".json") || t.contains(".yaml"));
    *node(rng, root, key)? = (*odd::pick(rng, odd::KEYS)).into();
    Some(())
}

/// Another phase or another type.
fn word(rng: &mut Rng, root: &mut Value) -> Option<()> {
    let known = |v: &Value| ["action", "resourceType"].iter().any(|k| v.get(k).is_some());
    let map = node(rng, root, known)?.as_object_mut()?;
    let key = if map.contains_key("action") { "action" } else { "resourceType" };
    map.insert(key.to_owned(), (*odd::pick(rng, odd::WORDS)).into());
    Some(())
}

/// Deeper ones than a writer can write are among the texts.
fn nest(rng: &mut Rng, root: &mut Value) -> Option<()> {
    let (list, levels) = (rng.bool(), *odd::pick(rng, &[1, 2, 30, 63, 65, 127, 129, 200]));
    let place = node(rng, root, any)?;
    for _ in 0..levels {
        let inner = place.take();
        *place = if list { Value::from(vec![inner]) } else { serde_json::json!({"a": inner}) };
    }
    Some(())
}

/// A value where another one belongs.
fn swap(rng: &mut Rng, root: &mut Value) -> Option<()> {
    let copy = node(rng, root, any)?.clone();
    *node(rng, root, any)? = copy;
    Some(())
}
