//! Events of a function URL, most of them broken somewhere.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;
use serde_json::{Value, json};

const TEXTS: &[&str] = &[
    "",
    "+",
    "%20",
    "%00",
    "%0d%0aSet-Cookie:%20a=b",
    "%ff%fe",
    "%c3",
    "%u0041",
    "%",
    "%2",
    "%zz",
    "%26id%3d1",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "<script>alert(1)</script>",
    "%22%3E%3Cb%20onload=%22x",
    "</textarea><b>",
    "%3C%2Ftextarea%3E%3Cform%20action%3D%22evil%22%3E",
    "&amp;lt;",
    "%26lt%3B",
    "%27%22%60",
    "..%2F..%2Fruns%2Fx",
    "../../x",
    "\u{fc}\u{1f600}",
    "%E2%80%AEdesrever",
    "%E2%80%8B",
    "%F0%9F%98%80",
    "\u{0}",
    "a=b",
    "RESEND",
];

/// One of them.
pub fn pick<'a, T>(rng: &mut Rng, all: &'a [T]) -> &'a T {
    &all[rng.usize(..all.len())]
}

/// A call as a browser, a scanner or an attacker makes it.
pub fn event(rng: &mut Rng) -> Value {
    let body = body(rng);
    let encoded = rng.bool();
    let method = *pick(rng, &["GET", "HEAD", "POST", "POST", "POST", "POST", "PUT", "post", ""]);
    let mut event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/", "rawQueryString": query(rng),
        "headers": {"content-type": "application/x-www-form-urlencoded"},
        "requestContext": {"http": {"method": method, "path": "/"}},
        "body": if encoded { STANDARD.encode(&body) } else { body },
        "isBase64Encoded": encoded,
    });
    if rng.u8(..5) == 0 {
        break_a_field(rng, &mut event);
    }
    event
}

/// Missing, or of another type.
fn break_a_field(rng: &mut Rng, event: &mut Value) {
    let fields = [
        "/requestContext",
        "/requestContext/http",
        "/requestContext/http/method",
        "/rawQueryString",
        "/body",
        "/isBase64Encoded",
        "/headers",
        "",
    ];
    let odd =
        [json!(null), json!(1), json!("true"), json!([]), json!({}), json!(false), json!(true)];
    if let Some(field) = event.pointer_mut(pick::<&str>(rng, &fields)) {
        *field = pick(rng, &odd).clone();
    }
}

fn id(rng: &mut Rng) -> String {
    (0..64).map(|_| rng.digit(16)).collect()
}

fn query(rng: &mut Rng) -> String {
    let id = id(rng);
    match rng.u8(..40) {
        0 => id[..rng.usize(..64)].to_owned() + "&id=",
        1 => format!("id={}", &id[..rng.usize(..64)]),
        2 => format!("id={id}{}", rng.digit(16)),
        3 => format!("id={}", id.replace(|c: char| c.is_ascii_alphabetic(), "A")),
        4 => format!("id={id}&id={id}"),
        5 => format!("id={id}&%69d={id}"),
        6 => format!("ID={id}"),
        7 => format!("id={}{}", &id[1..], pick(rng, &["g", "/", "\u{e9}", "%0a", "%00", ".", "+"])),
        8 => format!("id={}{}", &id[3..], pick(rng, &["%2e", "%2F", "\u{ff11}", "\u{441}", "..."])),
        9 => format!("id={}", pick(rng, TEXTS)),
        10 => format!("?id={id}"),
        11 => format!("id[]={id}"),
        12 => format!("id={}", "a".repeat(*pick(rng, &[6000, 65_000]))),
        13 => format!("id=\u{feff}{id}"),
        14 => format!("id={id}&x={}", pick(rng, TEXTS)),
        15 => format!("id={}", id.bytes().map(|b| format!("%{b:02x}")).collect::<String>()),
        16 => format!("&&%69%64={id}&"),
        _ => format!("id={id}"),
    }
}

fn body(rng: &mut Rng) -> String {
    let mut fields = vec![
        format!("approver={}", value(rng)),
        format!("reason={}", value(rng)),
        format!("decision={}", pick(rng, &["APPROVED", "APPROVED", "REJECTED", "MAYBE", "RESEND"])),
        format!("confirmation={}", confirmation(rng)),
    ];
    match rng.u8(..12) {
        0 => fields.truncate(rng.usize(..3)),
        1 => fields.push(pick(rng, &fields).clone()),
        2 => fields.push((*pick(rng, TEXTS)).to_owned()),
        3 => fields[2] = format!("decision={}", pick(rng, TEXTS)),
        4 => {
            fields[2] = format!("decision={}", pick(rng, &["approved", "APPROVED%00", "+APPROVED"]))
        }
        5 => return (*pick(rng, TEXTS)).to_owned(),
        _ => rng.shuffle(&mut fields),
    }
    fields.join(*pick(rng, &["&", "&", "&", "&", "&&", ";", "%26", "\r\n"]))
}

/// Mostly the product and the Region of the approval, else something near it.
fn confirmation(rng: &mut Rng) -> String {
    let right = "%3Cscript%3Ealert(%221%22)%3C/script%3E'%26+us-west-2";
    match rng.u8(..8) {
        0 => (*pick(rng, TEXTS)).to_owned(),
        1 => right.to_uppercase(),
        2 => right.replace('+', "++"),
        3 => right.replace("west", "east"),
        4 => format!("%20{right}+%0d%0a"),
        _ => right.to_owned(),
    }
}

fn value(rng: &mut Rng) -> String {
    match rng.u8(..12) {
        0..=7 => format!("Ann{}", pick(rng, TEXTS)),
        8 | 9 => (*pick(rng, TEXTS)).to_owned(),
        10 => pick(rng, &["n", "%C3%BC", "+"]).repeat(*pick(rng, &[200, 201, 1000, 1001, 70_000])),
        _ => (0..rng.usize(1..30)).map(|_| rng.char(..)).filter(|c| *c != '&').collect(),
    }
}
