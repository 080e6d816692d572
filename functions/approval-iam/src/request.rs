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
    /// The part that stands for the execution.
    pub run: String,
}

/// None for everything that is not exactly a name of ours.
pub fn asked(payload: &Value) -> Option<Asked> {
    let name = payload["detail"]["name"].as_str().or_else(|| payload["name"].as_str())?;
    let (product, run) = name.strip_prefix(PARAMETERS)?.split_once('/')?;
    let is_product = (1..=128).contains(&product.len())
        && product.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_run = (1..=80).contains(&run.len())
        && run.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
    (is_product && is_run).then(|| Asked {
        name: name.to_owned(),
        product: product.to_owned(),
        run: run.to_owned(),
    })
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
    fn what_is_no_name_of_ours_is_nothing() {
        let long = format!("/dr-orchestrator/approvals/shop/{}", "r".repeat(81));
        let names = [
            "",
            "/dr-orchestrator/approval-url",
            "/dr-orchestrator/approvals/shop",
            "/dr-orchestrator/approvals/shop/",
            "/dr-orchestrator/approvals//run-1",
            "/dr-orchestrator/approvals/shop/run-1/x",
            "/dr-orchestrator/approvals/sh op/run-1",
            "/dr-orchestrator/approvals/../run-1",
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
