//! What a function URL sends (payload format 2.0): the few fields that matter, each of them optional.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// More than a name and a reason need, even when every character is escaped.
const BODY: usize = 32_000;

/// How the page was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Show.
    Get,
    /// Show, without the body.
    Head,
    /// Answer.
    Post,
    /// Nothing we know.
    Other,
}

/// One call.
#[derive(Debug)]
pub struct Request {
    /// GET, HEAD, POST.
    pub method: Method,
    /// `id` of the query; empty when there is none.
    pub id: String,
    /// The body of a form, decoded.
    pub body: Vec<u8>,
}

impl Request {
    /// From the event.
    pub fn new(event: &Value) -> Self {
        let method = match event["requestContext"]["http"]["method"].as_str() {
            Some("GET") => Method::Get,
            Some("HEAD") => Method::Head,
            Some("POST") => Method::Post,
            _ => Method::Other,
        };
        let query = event["rawQueryString"].as_str().unwrap_or_default();
        Self { method, id: parameter(query.as_bytes(), "id"), body: body(event) }
    }
}

/// The one value of a parameter; twice the same name is as good as none.
pub fn parameter(encoded: &[u8], name: &str) -> String {
    let mut found = form_urlencoded::parse(encoded).filter(|(key, _)| key == name);
    match (found.next(), found.next()) {
        (Some((_, value)), None) => value.into_owned(),
        _ => String::new(),
    }
}

fn body(event: &Value) -> Vec<u8> {
    let text = event["body"].as_str().unwrap_or_default();
    if text.len() > BODY * 2 {
        return vec![];
    }
    if event["isBase64Encoded"].as_bool().unwrap_or(false) {
        return STANDARD.decode(text).unwrap_or_default();
    }
    text.as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_is_read() {
        let event = json!({
            "version": "2.0", "rawQueryString": "id=ab%63&x=1", "body": "bmFtZT1h",
            "isBase64Encoded": true, "requestContext": {"http": {"method": "POST"}}
        });
        let request = Request::new(&event);
        assert_eq!(request.method, Method::Post);
        assert_eq!(request.id, "abc");
        assert_eq!(request.body, b"name=a");
    }

    #[test]
    fn nonsense_is_read_as_nothing() {
        for event in [json!(null), json!([]), json!({"body": "%%%", "isBase64Encoded": true})] {
            let request = Request::new(&event);
            assert_eq!(request.method, Method::Other);
            assert!(request.id.is_empty() && request.body.is_empty());
        }
    }

    #[test]
    fn a_doubled_parameter_is_none() {
        assert_eq!(parameter(b"id=a&id=b", "id"), "");
        assert_eq!(parameter(b"a=1", "id"), "");
    }
}
