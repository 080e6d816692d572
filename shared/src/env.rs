//! The environment that the templates give to every function.

use crate::error::{Error, Result};

/// Settings of the deployed orchestrator.
#[derive(Debug, Clone)]
pub struct Env {
    /// The executing Region.
    pub region: String,
    /// `aws`, `aws-cn`, ...
    pub partition: String,
    /// The account of the orchestrator.
    pub account: String,
    /// The bucket of this Region, `TemplateStoreS3BucketName`.
    pub bucket: String,
    /// The topic that mails go to.
    pub topic_arn: String,
    /// Name of the DR execution role, without its path.
    pub role_name: String,
    /// External id that the role's trust policy asks for.
    pub external_id: String,
}

impl Env {
    /// Reads the variables; the error names every missing one.
    pub fn load() -> Result<Self> {
        let mut missing = Vec::new();
        let mut get = |name: &'static str| {
            std::env::var(name).ok().filter(|v| !v.is_empty()).unwrap_or_else(|| {
                missing.push(name);
                String::new()
            })
        };
        let env = Self {
            region: get("AWS_REGION"),
            partition: get("DR_PARTITION"),
            account: get("ORCHESTRATOR_ACCOUNT_ID"),
            bucket: get("TEMPLATE_STORE_BUCKET"),
            topic_arn: get("APPROVAL_TOPIC_ARN"),
            role_name: get("TARGET_ACCOUNTS_ASSUME_ROLE_NAME"),
            external_id: get("DR_EXTERNAL_ID"),
        };
        if missing.is_empty() {
            return Ok(env);
        }
        Err(Error::internal(format!("environment variables are missing: {}", missing.join(", ")))
            .next("Deploy the orchestrator again with scripts/deploy-orchestrator.sh."))
    }

    /// The ARN of the DR execution role in an account; None means the orchestrator's own.
    pub fn role_arn(&self, account: Option<&str>) -> String {
        let account = account.unwrap_or(&self.account);
        format!("arn:{}:iam::{account}:role/dr-orchestrator/{}", self.partition, self.role_name)
    }
}
