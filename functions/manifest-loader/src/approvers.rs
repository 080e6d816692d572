//! Who must approve, as a product manifest says.

use crate::problem::Report;
use serde_json::Value;
use shared::consent::{Rule, identity};
use std::collections::BTreeSet;

/// Nobody tells who started an execution (Step Functions does not), so everybody may have been the
/// starter. Of two different identities at least one was not: `not_starter` means `required: 2`.
pub fn rule(file: &str, approval: &Value, report: &mut Report) -> Rule {
    let given = approval["required"].as_u64().and_then(|n| usize::try_from(n).ok());
    let not_starter = approval["not_starter"].as_bool().unwrap_or(false);
    if not_starter && given == Some(1) {
        let text = "is 1 and \"not_starter\" asks for 2: nobody tells who started a run, so that \
                    only the second of two identities is surely another one. Leave it out";
        report.wrong(file, "$.approval.required", text);
    }
    let named = approval["approvers"].as_array().into_iter().flatten();
    let approvers: Vec<String> = named.filter_map(Value::as_str).map(str::to_owned).collect();
    let rule = Rule { required: given.unwrap_or(if not_starter { 2 } else { 1 }), approvers };
    enough(file, &rule, report);
    rule
}

/// A run that nobody can approve is refused before it asks.
fn enough(file: &str, rule: &Rule, report: &mut Report) {
    let different: BTreeSet<_> = rule.approvers.iter().filter_map(|a| identity(a)).collect();
    // An entry that is no identity at all is the schema's finding.
    let all_known = rule.approvers.iter().all(|a| identity(a).is_some());
    if !rule.approvers.is_empty() && all_known && different.len() < rule.required {
        let text = format!(
            "names {} identities, and {} different ones must approve: name more of them, or leave \
             the key out",
            different.len(),
            rule.required
        );
        report.wrong(file, "$.approval.approvers", text);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    fn of(approval: Value) -> (Rule, usize) {
        let mut report = Report::default();
        let rule = rule("product.json", &approval, &mut report);
        (rule, report.problems.len())
    }

    #[test]
    fn without_the_keys_one_answer_by_any_way_is_enough() {
        for approval in [json!(null), json!({"timeout_minutes": 5}), json!({"not_starter": false})]
        {
            assert_eq!(of(approval), (Rule::default(), 0));
        }
    }

    #[test]
    fn another_than_the_starter_means_two_identities() {
        assert_eq!(of(json!({"not_starter": true})).0.required, 2);
        assert_eq!(of(json!({"not_starter": true, "required": 2})).1, 0);
        assert_eq!(of(json!({"not_starter": true, "required": 1})).1, 1);
    }

    #[test]
    pub fn too_few_approvers_are_a_mistake() {
        let (lead, same) =
            ("arn:aws:iam::123456789012:role/Lead", "arn:aws:iam::123456789012:role/a/Lead");
        assert_eq!(of(json!({"approvers": [lead]})).1, 0);
        assert_eq!(of(json!({"approvers": [lead], "required": 2})).1, 1);
        assert_eq!(of(json!({"approvers": [lead, same], "not_starter": true})).1, 1);
        let two = json!({"approvers": [lead, "arn:aws:iam::123456789012:user/bob"], "required": 2});
        assert_eq!(of(two).1, 0);
    }
}
