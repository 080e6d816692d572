//! What one look sees, in plain types, and what can be read from it without a call.

use crate::parameters::Parameters;
use crate::template::Template;
use serde_json::Value;
use sha2::{Digest, Sha256};
use shared::Cx;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the manifest asks for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The template.
    pub template: Template,
    /// Its place, for people.
    pub from: String,
    /// Stands for template, parameter values and tags together.
    pub fingerprint: String,
}

/// A stack as it is.
#[derive(Debug, Clone, Default)]
pub struct Stack {
    /// Its ARN.
    pub id: String,
    /// For example `UPDATE_ROLLBACK_COMPLETE`.
    pub status: String,
    /// Why it has that status.
    pub reason: String,
    /// End of the last operation, seconds since 1970. The time of the last update will not do: a
    /// rollback may leave it as it was.
    pub generation: i64,
    /// Values; `****` for hidden ones.
    pub parameters: BTreeMap<String, String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Termination protection.
    pub protected: bool,
    /// The present template; None when it was not asked for.
    pub body: Option<Value>,
}

/// The newest event of the stack itself: who did the last operation, and when it ended.
#[derive(Debug, Clone, Default)]
pub struct LastOperation {
    /// `ClientRequestToken`.
    pub token: String,
    /// Seconds since 1970.
    pub at: i64,
}

/// Our change set.
#[derive(Debug, Clone, Default)]
pub struct ChangeSet {
    /// For example `CREATE_COMPLETE`.
    pub status: String,
    /// Why it has that status.
    pub reason: String,
    /// For example `AVAILABLE`.
    pub execution: String,
    /// Changes that would replace or remove what holds data.
    pub losses: Vec<String>,
}

/// What one look sees.
#[derive(Debug, Clone)]
pub struct Observed {
    /// What the manifest asks for.
    pub wanted: Arc<Wanted>,
    /// The stack; None when there is none.
    pub stack: Option<Stack>,
    /// The last operation on it.
    pub last: Option<LastOperation>,
    /// The change set of the name that [`Names::change_set`] gives.
    pub change_set: Option<ChangeSet>,
    /// The first resource that failed in the last operation, with its reason.
    pub failure: Option<String>,
    /// The Region.
    pub region: String,
}

/// Names and tokens: the same after a restart, others for another content or another exercise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    content: String,
    base: String,
}

impl Names {
    /// For this content at this place in this run.
    pub fn new(wanted: &Wanted, cx: &Cx) -> Self {
        let content = format!("dr-{}-", wanted.fingerprint);
        let base = format!("{content}{}", cx.key("change-set"));
        Self { content, base }
    }

    /// The change set's name, its token and that of its execution. It depends on the stack's
    /// generation, so that a new attempt after a rollback is not taken for the old one.
    pub fn change_set(&self, stack: Option<&Stack>) -> String {
        let fresh =
            |s: &&Stack| !matches!(s.status.as_str(), "REVIEW_IN_PROGRESS" | "DELETE_COMPLETE");
        format!("{}-{:x}", self.base, stack.filter(fresh).map_or(0, |s| s.generation))
    }

    /// The token of a deletion.
    pub fn deletion(&self) -> String {
        format!("{}-delete", self.base)
    }

    /// Whether a token is of this run.
    pub fn are_ours(&self, token: &str) -> bool {
        token.starts_with(&self.base)
    }

    /// Whether a token stands for this content, in whatever run.
    pub fn mean_this_content(&self, token: &str) -> bool {
        token.starts_with(&self.content)
    }
}

/// Stands for template, parameter values and tags. Hidden values are hashed slowly, since tokens
/// are visible to whoever may read stack events.
pub fn fingerprint(template: &Template, p: &Parameters) -> String {
    let declared = template.parameters();
    let texts = |map: &BTreeMap<String, crate::parameters::Text>| -> Vec<(String, String)> {
        map.iter().map(|(k, v)| (k.clone(), v.0.clone())).collect()
    };
    let all = (&template.body, texts(&p.parameters), p.tags.as_ref().map(texts));
    let mut digest = Sha256::digest(serde_json::to_vec(&all).unwrap_or_default());
    if p.parameters.keys().any(|k| declared.get(k).is_some_and(|d| d.no_echo)) {
        for _ in 0..20_000 {
            digest = Sha256::digest(digest);
        }
    }
    digest.iter().take(8).map(|b| format!("{b:02x}")).collect()
}

/// How the stack differs from what the manifest asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// The template differs.
    pub template: bool,
    /// Parameters whose values differ.
    pub parameters: Vec<String>,
    /// Parameters that CloudFormation hides.
    pub hidden: Vec<String>,
    /// The tags differ.
    pub tags: bool,
}

impl Difference {
    /// Compares. Capabilities and the service role are not compared: CloudFormation itself makes
    /// no update of them, so that the difference would never end.
    pub fn of(p: &Parameters, wanted: &Wanted, stack: &Stack) -> Self {
        let declared = wanted.template.parameters();
        let mut difference = Self {
            template: stack.body.as_ref() != Some(&wanted.template.body),
            tags: p
                .tags
                .as_ref()
                .is_some_and(|tags| !tags.iter().map(|(k, v)| (k, &v.0)).eq(stack.tags.iter())),
            ..Self::default()
        };
        for (name, value) in &p.parameters {
            let Some(parameter) = declared.get(name) else { continue };
            let tidy = |text: &str| match parameter.is_list() {
                true => text.split(',').map(str::trim).collect::<Vec<_>>().join(","),
                false => text.to_owned(),
            };
            let present = stack.parameters.get(name);
            if parameter.no_echo && present.is_some() {
                difference.hidden.push(name.clone());
            } else if present.map(|t| tidy(t)) != Some(tidy(&value.0)) {
                difference.parameters.push(name.clone());
            }
        }
        difference
    }

    /// Whether nothing that can be seen differs.
    pub fn is_none(&self) -> bool {
        !self.template && !self.tags && self.parameters.is_empty()
    }

    /// For people: names only, values may be secret.
    pub fn text(&self) -> String {
        let mut parts = Vec::new();
        if self.template {
            parts.push("template changes".to_owned());
        }
        if !self.parameters.is_empty() {
            parts.push(format!("parameters change: {}", self.parameters.join(", ")));
        }
        if self.tags {
            parts.push("tags change".to_owned());
        }
        if !self.hidden.is_empty() {
            parts.push(format!("hidden parameters may change: {}", self.hidden.join(", ")));
        }
        parts.join("; ")
    }
}

/// The pseudo parameters and parameters that export names are made of, before the stack exists.
pub fn known(name: &str, p: &Parameters, o: &Observed, cx: &Cx) -> Option<String> {
    match name {
        "AWS::StackName" => return Some(p.stack_name.clone()),
        "AWS::Region" => return Some(o.region.clone()),
        "AWS::AccountId" => return Some(cx.account.clone()),
        "AWS::Partition" => return Some(cx.partition.clone()),
        "AWS::URLSuffix" => {
            let china = cx.partition == "aws-cn";
            return Some(if china { "amazonaws.com.cn" } else { "amazonaws.com" }.to_owned());
        }
        _ => {}
    }
    let declared = o.wanted.template.parameters().remove(name)?;
    if declared.no_echo || declared.kind.starts_with("AWS::SSM::") {
        return None;
    }
    let given = p.parameters.get(name).map(|t| t.0.clone());
    let present = || o.stack.as_ref()?.parameters.get(name).cloned();
    given.or_else(present).or(declared.default)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{observed, parameters, stack, wanted};
    use serde_json::json;
    use shared::Phase;
    use shared::progress::sample_cx;

    #[test]
    fn a_difference_names_what_differs_and_never_a_value() {
        let p = parameters(json!({
            "Parameters": {"Size": "3", "Nets": "a, b", "Secret": "hunter2"},
            "Tags": {"team": "x"},
        }));
        let mut stack = stack("CREATE_COMPLETE");
        stack.parameters.insert("Nets".into(), "a,b".into());
        let difference = Difference::of(&p, &wanted(&p), &stack);
        assert_eq!(difference.parameters, ["Size"]);
        assert_eq!(difference.hidden, ["Secret"]);
        assert!(difference.tags && !difference.template);
        assert!(!difference.text().contains("hunter2"));
    }

    #[test]
    fn what_the_manifest_leaves_out_is_no_difference() {
        let p = parameters(json!({}));
        assert!(Difference::of(&p, &wanted(&p), &stack("CREATE_COMPLETE")).is_none());
        let mut other = stack("CREATE_COMPLETE");
        other.body = Some(json!({"Resources": {}}));
        assert!(Difference::of(&p, &wanted(&p), &other).template);
    }

    #[test]
    fn names_depend_on_content_run_and_generation() {
        let cx = sample_cx(Phase::Activate);
        let names = |given| Names::new(&wanted(&parameters(given)), &cx);
        let first = names(json!({"Parameters": {"Size": 1}}));
        let other = names(json!({"Parameters": {"Size": 2}}));
        assert_eq!(first, names(json!({"Parameters": {"Size": "1"}})));
        assert_ne!(first, other);
        let mut stack = stack("UPDATE_COMPLETE");
        let name = first.change_set(Some(&stack));
        assert!(first.are_ours(&name) && !other.are_ours(&name));
        assert!(name.len() <= 128 && name.starts_with("dr-"));
        stack.generation += 1;
        assert_ne!(name, first.change_set(Some(&stack)));
        let mut again = cx.clone();
        again.context.root = "run-2".into();
        let later = Names::new(&wanted(&parameters(json!({"Parameters": {"Size": 1}}))), &again);
        assert!(later.mean_this_content(&name) && !later.are_ours(&name));
    }

    #[test]
    fn a_review_has_the_name_of_a_creation() {
        let names = Names::new(&wanted(&parameters(json!({}))), &sample_cx(Phase::Activate));
        assert_eq!(names.change_set(None), names.change_set(Some(&stack("REVIEW_IN_PROGRESS"))));
    }

    #[test]
    fn export_names_take_given_values_before_present_ones_before_defaults() {
        let cx = sample_cx(Phase::Activate);
        let size = |given, present: bool| {
            let p = parameters(given);
            let mut o = observed(&p, present.then(|| stack("CREATE_COMPLETE")));
            o.region = "us-east-1".into();
            assert_eq!(known("AWS::Region", &p, &o, &cx).as_deref(), Some("us-east-1"));
            assert_eq!(known("Secret", &p, &o, &cx), None);
            known("Size", &p, &o, &cx).unwrap()
        };
        assert_eq!(size(json!({"Parameters": {"Size": 9}}), true), "9");
        assert_eq!(size(json!({}), true), "2");
        assert_eq!(size(json!({}), false), "1");
    }
}
