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
        Self::from(|name| std::env::var(name).ok())
    }

    fn from(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let mut missing = Vec::new();
        let mut get = |name: &'static str| {
            variable(name).filter(|v| !v.is_empty()).unwrap_or_else(|| {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorType;

    #[test]
    fn every_variable_that_is_missing_or_empty_is_named() {
        let given = |name: &str| match name {
            "AWS_REGION" => None,
            "DR_EXTERNAL_ID" => Some(String::new()),
            _ => Some("x".to_owned()),
        };
        let error = Env::from(given).unwrap_err();
        assert_eq!(error.error_type, ErrorType::Internal);
        assert_eq!(error.message, "environment variables are missing: AWS_REGION, DR_EXTERNAL_ID");
        assert!(error.next_step.contains("deploy-orchestrator.sh"), "{}", error.next_step);
        assert_eq!(Env::from(|_| Some("x".into())).unwrap().role_arn(None), ROLE);
    }

    const ROLE: &str = "arn:x:iam::x:role/dr-orchestrator/x";
}
