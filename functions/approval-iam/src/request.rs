//! Which parameter a call is about: EventBridge's event or a person's `{"name": ...}`. Pure.

use serde_json::Value;
use shared::consent::PARAMETERS;

/// A parameter that may answer a run.
#[derive(Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its whole name.
    pub name: String,
    /// The product in it.
    pub product: String,
    /// The part that stands for the run; behind it the position of a held resource may follow.
    pub run: String,
}

/// None for everything that is not exactly a name of ours.
pub fn asked(payload: &Value) -> Option<Asked> {
    let name = payload["detail"]["name"].as_str().or_else(|| payload["name"].as_str())?;
    let (product, rest) = name.strip_prefix(PARAMETERS)?.split_once('/')?;
    let (run, position) = rest.split_once('/').unwrap_or((rest, "-"));
    let is_product = (1..=128).contains(&product.len())
        && product.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (is_product && is_segment(run) && is_segment(position)).then(|| Asked {
        name: name.to_owned(),
        product: product.to_owned(),
        run: run.to_owned(),
    })
}

fn is_segment(text: &str) -> bool {
    (1..=80).contains(&text.len())
        && text.bytes().any(|b| b != b'.')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_and_a_person_name_the_same_parameter() {
        let name = shared::consent::parameter("shop", "run-1");
        let event = asked(&json!({"source": "aws.ssm", "detail": {"name": name}}));
        assert_eq!(event, asked(&json!({"name": name})));
        assert_eq!(event.map(|a| (a.product, a.run)), Some(("shop".into(), "run-1".into())));
    }

    #[test]
    fn a_held_resource_has_a_parameter_below_its_runs() {
        let name = shared::consent::hold_parameter("shop", "run-1", "shop-app1-0-2");
        let found = asked(&json!({"name": name})).unwrap();
        assert_eq!((found.name, found.run.as_str()), (name, "run-1"));
    }

    #[test]
    fn what_is_no_name_of_ours_is_nothing() {
        let long = format!("/dr-orchestrator/approvals/shop/{}", "r".repeat(81));
        let names = [
            "",
            "/dr-orchestrator/approval-url",
            "/dr-orchestrator/approvals/shop",
            "/dr-orchestrator/approvals/shop/",
            "/dr-orchestrator/approvals//run-1",
            "/dr-orchestrator/approvals/shop/run-1/",
            "/dr-orchestrator/approvals/shop/run-1/x/y",
            "/dr-orchestrator/approvals/sh op/run-1",
            "/dr-orchestrator/approvals/../run-1",
            "/dr-orchestrator/approvals/shop/../run-1",
            "/dr-orchestrator/approvals/shop/r\u{fc}n",
            "/other/dr-orchestrator/approvals/shop/run-1",
            long.as_str(),
        ];
        for name in names {
            assert_eq!(asked(&json!({"name": name})), None, "{name}");
        }
        for odd in [json!(null), json!([]), json!({"detail": {"name": 1}}), json!("x")] {
            assert_eq!(asked(&odd), None);
        }
    }
}
