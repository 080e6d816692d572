//! Calls of the approval page of which none is a whole form to the right id.

use crate::fuzz::mutate::odd::pick;
use fastrand::Rng;

/// One call.
#[derive(Debug)]
pub struct Call {
    pub method: &'static str,
    pub link: String,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

const WHOLE: &str = "approver=Eve&reason=because&decision=APPROVED";
const FORM: &str = "application/x-www-form-urlencoded";
const TYPES: [&str; 6] =
    [FORM, FORM, "text/plain", "application/json", "multipart/form-data; boundary=x", "\u{e9}/x"];

/// A whole form to a broken id, a broken form to the right one, or no POST at all.
pub fn call(rng: &mut Rng, link: &str) -> Call {
    let (page, id) = link.split_once("id=").expect("an id");
    let content_type = *pick(rng, &TYPES);
    let mut call = Call { method: "POST", link: link.to_owned(), content_type, body: vec![] };
    match rng.u8(..3) {
        0 => {
            call.link = format!("{page}{}", query(rng, id));
            call.body = WHOLE.into();
        }
        1 => call.body = form(rng),
        _ => {
            call.method = *pick(rng, &["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "post"]);
            call.link = format!("{page}{}", query(rng, id));
            call.body = form(rng);
        }
    }
    call
}

/// Never exactly the id.
fn query(rng: &mut Rng, id: &str) -> String {
    match rng.u8(..16) {
        0 => format!("id={}", &id[..rng.usize(..64)]),
        1 => format!("id={id}{}", rng.digit(16)),
        2 => format!("id={id}&id={id}"),
        3 => format!("id={id}&i%64=x"),
        4 => format!("ID={id}"),
        5 => format!("id={id}%00"),
        6 => format!("id=%0d%0aX-Evil:%201{id}"),
        7 => format!("id=..%2f..%2fruns%2f{id}"),
        8 => format!("id={}", id.replacen(&id[..1], "%ef%bc%91", 1)),
        9 => format!("id[]={id}"),
        10 => format!("id=%{id}"),
        11 => format!("id={}", "%ff".repeat(rng.usize(1..2000))),
        12 => (0..64).map(|_| rng.digit(16)).fold("id=".to_owned(), |q, d| format!("{q}{d}")),
        13 => format!("id={}", id.to_uppercase() + "A"),
        14 => format!("id=+{id}"),
        _ => "id=%3Cscript%3Ealert(1)%3C%2Fscript%3E".to_owned(),
    }
}

/// Never a whole one.
fn form(rng: &mut Rng) -> Vec<u8> {
    match rng.u8(..12) {
        0 => WHOLE[..rng.usize(..WHOLE.len())].into(),
        1 => format!("{WHOLE}&decision=REJECTED").into(),
        2 => format!("{WHOLE}&%61pprover=Bob").into(),
        3 => WHOLE
            .replace("APPROVED", pick::<&str>(rng, &["approved", "RESEND", "%00%00", "APPROVE"]))
            .into(),
        4 => WHOLE.replace("Eve", pick::<&str>(rng, &["", "+", "%20%09", "%00", "%0d%0a"])).into(),
        5 => WHOLE.replace("because", &"r".repeat(*pick(rng, &[1001, 70_000]))).into(),
        6 => WHOLE.replace('&', pick::<&str>(rng, &[";", "%26", "\r\n", "\0"])).into(),
        7 => WHOLE.replace('=', pick::<&str>(rng, &["%3d", ":", "==="])).into(),
        8 => (0..rng.usize(..3000)).map(|_| rng.u8(..)).collect(),
        9 => b"{\"approver\": \"Eve\", \"reason\": \"x\", \"decision\": \"APPROVED\"}".to_vec(),
        10 => b"--x\r\nContent-Disposition: form-data; name=\"decision\"\r\n\r\nAPPROVED\r\n--x--"
            .to_vec(),
        _ => vec![],
    }
}
