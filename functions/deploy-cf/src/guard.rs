//! The replacement guard: which changes of a change set would lose data.

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

impl Seen {
    /// Why it may lose data; None when it cannot.
    pub fn loss(&self) -> Option<String> {
        let stateful = STATEFUL.iter().any(|s| self.kind.starts_with(s));
        if !stateful || HARMLESS.contains(&self.kind.as_str()) {
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
