//! The replacement guard: which changes of a change set would lose data.

use serde_json::Value;

/// Resource types that hold data, by prefix; nested stacks may hold any of them.
const STATEFUL: [&str; 19] = [
    "AWS::RDS::",
    "AWS::DocDB::",
    "AWS::Neptune::",
    "AWS::ElastiCache::",
    "AWS::MemoryDB::",
    "AWS::DynamoDB::",
    "AWS::S3::Bucket",
    "AWS::S3Express::DirectoryBucket",
    "AWS::KMS::",
    "AWS::EFS::",
    "AWS::FSx::",
    "AWS::OpenSearchService::",
    "AWS::Elasticsearch::",
    "AWS::Redshift::",
    "AWS::Kinesis::Stream",
    "AWS::MSK::",
    "AWS::SecretsManager::Secret",
    "AWS::EC2::Volume",
    "AWS::CloudFormation::Stack",
];
/// Types below a stateful prefix that hold nothing: policies and attachments of the others.
const HARMLESS: [&str; 8] = [
    "AWS::S3::BucketPolicy",
    "AWS::KMS::Alias",
    "AWS::EFS::MountTarget",
    "AWS::RDS::EventSubscription",
    "AWS::SecretsManager::SecretTargetAttachment",
    "AWS::EC2::VolumeAttachment",
    "AWS::MSK::ClusterPolicy",
    "AWS::CloudFormation::StackSet",
];

/// One change of a change set.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// `Add`, `Modify`, `Remove`, `Import`, `Dynamic`.
    pub action: String,
    /// Logical id, with those of the nested stacks around it.
    pub logical: String,
    /// Resource type.
    pub kind: String,
    /// `True`, `False`, `Conditional`, or empty.
    pub replacement: String,
    /// Whether it is a nested stack whose own changes were looked at.
    pub opened: bool,
}

fn holds_data(kind: &str) -> bool {
    STATEFUL.iter().any(|s| kind.starts_with(s)) && !HARMLESS.contains(&kind)
}

/// What the templates alone show, so that PLAN can refuse it: stores that the new one lacks, or
/// whose type it changes. One with a condition may never have existed; the change set will tell.
pub fn removed(present: &Value, wanted: &Value) -> Vec<String> {
    let resources = present.get("Resources").and_then(Value::as_object);
    let kind = |body: &Value| body.get("Type").and_then(Value::as_str).map(str::to_owned);
    let gone = |(name, body): (&String, &Value)| {
        let old = kind(body).filter(|k| holds_data(k) && body.get("Condition").is_none())?;
        let new = wanted.get("Resources")?.get(name).and_then(kind);
        let what = if new.is_some() { "is replaced" } else { "is removed" };
        (new.as_ref() != Some(&old)).then(|| format!("{name} ({old}) {what}"))
    };
    resources.into_iter().flatten().filter_map(gone).collect()
}

impl Seen {
    /// Why it may lose data; None when it cannot.
    pub fn loss(&self) -> Option<String> {
        if !holds_data(&self.kind) {
            return None;
        }
        let nested = self.kind == "AWS::CloudFormation::Stack";
        let what = match (self.action.as_str(), self.replacement.as_str()) {
            ("Remove", _) => "is removed",
            (_, "True") => "is replaced",
            // A nested stack's own resources are judged one by one.
            _ if nested && self.opened => return None,
            ("Modify" | "Dynamic", _) if nested => "changes in a way that cannot be seen",
            (_, "Conditional") => "may be replaced",
            ("Dynamic", _) => "changes in a way that is not known yet",
            _ => return None,
        };
        Some(format!("{} ({}) {what}", self.logical, self.kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_templates_alone_show_what_is_taken_out() {
        let present = json!({"Resources": {
            "Db": {"Type": "AWS::RDS::DBInstance"},
            "Keys": {"Type": "AWS::KMS::Key"},
            "Table": {"Type": "AWS::DynamoDB::Table"},
            "Maybe": {"Type": "AWS::DynamoDB::Table", "Condition": "C"},
            "Code": {"Type": "AWS::Lambda::Function"},
        }});
        let wanted = json!({"Resources": {
            "Keys": {"Type": "AWS::KMS::Key", "Properties": {}},
            "Table": {"Type": "AWS::DynamoDB::GlobalTable"},
        }});
        let all =
            ["Db (AWS::RDS::DBInstance) is removed", "Table (AWS::DynamoDB::Table) is replaced"];
        assert_eq!(removed(&present, &wanted), all);
        assert!(removed(&present, &present).is_empty());
    }

    #[test]
    fn only_what_may_lose_data_is_a_loss() {
        let (db, stack) = ("AWS::RDS::DBInstance", "AWS::CloudFormation::Stack");
        let cases = [
            ("Modify", db, "True", false, Some("is replaced")),
            ("Modify", db, "Conditional", false, Some("may be replaced")),
            ("Modify", db, "False", false, None),
            ("Remove", db, "", false, Some("is removed")),
            ("Dynamic", db, "", false, Some("not known yet")),
            ("Add", db, "", false, None),
            ("Remove", "AWS::Lambda::Function", "", false, None),
            ("Modify", "AWS::Lambda::Function", "True", false, None),
            ("Remove", "AWS::S3::Bucket", "", false, Some("is removed")),
            ("Remove", "AWS::S3::BucketPolicy", "", false, None),
            ("Modify", "AWS::DynamoDB::Table", "True", false, Some("is replaced")),
            ("Modify", stack, "False", true, None),
            ("Modify", stack, "Conditional", true, None),
            ("Modify", stack, "False", false, Some("cannot be seen")),
            ("Dynamic", stack, "", false, Some("cannot be seen")),
            ("Remove", stack, "", false, Some("is removed")),
        ];
        for (action, kind, replacement, opened, wanted) in cases {
            let seen = Seen {
                action: action.into(),
                logical: "X".into(),
                kind: kind.into(),
                replacement: replacement.into(),
                opened,
            };
            let loss = seen.loss();
            match wanted {
                None => assert_eq!(loss, None, "{action} {kind} {replacement}"),
                Some(text) => {
                    assert!(loss.unwrap().contains(text), "{action} {kind} {replacement}")
                }
            }
        }
    }
}
