//! Names that several parts derive from the same words.

use sha2::{Digest, Sha256};

/// Everything the orchestrator keeps in the bucket lies under this prefix.
pub const PREFIX: &str = "dr-orchestration-artifacts/";

/// Words with capitals inside, and how they read as one.
const WORDS: &[(&str, &str)] =
    &[("ElastiCache", "Elasticache"), ("MySQL", "Mysql"), ("UnPlanned", "Unplanned")];

/// kebab-case of a resource type: `PromoteRDSReadReplica` -> `promote-rds-read-replica`,
/// `DeployCF` -> `deploy-cf`. Names of products count as one word: `AuroraMySQL` -> `aurora-mysql`.
pub fn kebab(resource_type: &str) -> String {
    let whole = WORDS
        .iter()
        .fold(resource_type.to_owned(), |name, (is, as_word)| name.replace(is, as_word));
    let chars: Vec<char> = whole.chars().collect();
    let mut out = String::new();
    for (i, c) in chars.iter().enumerate() {
        if i > 0 && c.is_ascii_uppercase() && starts_word(&chars, i) {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn starts_word(chars: &[char], i: usize) -> bool {
    let after_lower = !chars[i - 1].is_ascii_uppercase();
    let before_lower = chars.get(i + 1).is_some_and(char::is_ascii_lowercase);
    after_lower || before_lower
}

/// The Lambda function of a resource type.
pub fn function_name(resource_type: &str) -> String {
    format!("aws-dr-orchestrator-{}", kebab(resource_type))
}

/// The folder of a run: `dr-orchestration-artifacts/runs/<product>/<execution name>/`.
pub fn run_folder(product: &str, execution_name: &str) -> String {
    format!("{PREFIX}runs/{product}/{execution_name}/")
}

/// The console page of an execution, by its ARN. Empty for what is no ARN.
pub fn console(execution: &str) -> String {
    let parts: Vec<&str> = execution.split(':').collect();
    let (Some(partition), Some(region)) = (parts.get(1), parts.get(3)) else {
        return String::new();
    };
    let host = match *partition {
        "aws-cn" => format!("{region}.console.amazonaws.cn"),
        "aws-us-gov" => format!("{region}.console.amazonaws-us-gov.com"),
        _ => format!("{region}.console.aws.amazon.com"),
    };
    format!("https://{host}/states/home?region={region}#/v2/executions/details/{execution}")
}

/// Letters, digits and hyphens only, at most `max` characters, never empty.
pub fn slug(text: &str, max: usize) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let keep = c.is_ascii_alphanumeric();
        if keep {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.truncate(max);
    let out = out.trim_matches('-').to_owned();
    if out.is_empty() { "x".to_owned() } else { out }
}

/// Lower-case hexadecimal SHA-256.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// Text cut to `max` characters, with an ellipsis when something is missing.
pub fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max.saturating_sub(3)).collect();
    format!("{kept}...")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acronyms_stay_together() {
        let cases = [
            ("PromoteRDSReadReplica", "promote-rds-read-replica"),
            ("DeployCF", "deploy-cf"),
            ("ModuleTest", "module-test"),
            ("DeleteRDSInstance", "delete-rds-instance"),
            ("R53Record", "r53-record"),
            ("AuroraMySQL", "aurora-mysql"),
            ("UnPlannedFailoverAurora", "unplanned-failover-aurora"),
            ("DisassociateElastiCache", "disassociate-elasticache"),
            ("CreateAuroraSecondaryDBCluster", "create-aurora-secondary-db-cluster"),
        ];
        for (from, to) in cases {
            assert_eq!(kebab(from), to);
        }
    }

    #[test]
    fn a_console_page_is_in_the_executions_region_and_partition() {
        let arn = "arn:aws-cn:states:cn-north-1:1:execution:m:run-1";
        assert!(console(arn).starts_with("https://cn-north-1.console.amazonaws.cn/states/"));
        assert!(console(arn).ends_with(arn));
        assert_eq!(console("run-1"), "");
    }

    #[test]
    fn a_slug_is_never_empty_and_never_long() {
        assert_eq!(slug("orders db (main)", 80), "orders-db-main");
        assert_eq!(slug("***", 5), "x");
        assert_eq!(slug("abcdefgh", 3), "abc");
    }
}
