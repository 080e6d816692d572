//! AWS clients of a resource function: the DR execution role of the right account, with a session
//! policy of exactly the actions that this mode may use, in exactly the Regions it may call.

use crate::aws::Doing;
use crate::context::{Context, Mode};
use crate::env::Env;
use crate::error::{Error, Result};
use crate::names::slug;
use crate::tokens;
use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sts::operation::assume_role::AssumeRoleOutput;
use aws_sdk_sts::types as sts;
use serde_json::json;
use std::time::{Duration, SystemTime};

/// The configuration of a function's own role in the executing Region: retries on, short timeouts.
pub async fn own_config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(10))
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(5))
        .load()
        .await
}

/// The session policy: these actions and no other. IAM itself so guarantees that a plan changes nothing.
pub fn session_policy(reads: &[&str], writes: &[&str], mode: Mode) -> String {
    let mut actions: Vec<&str> = tokens::READS.to_vec();
    actions.extend(reads);
    if mode == Mode::Execute {
        actions.extend(writes);
    }
    actions.sort_unstable();
    actions.dedup();
    json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]
    })
    .to_string()
}

/// Builds a resource's clients.
#[derive(Debug, Clone)]
pub struct Clients {
    base: SdkConfig,
    region: String,
    account: String,
    partition: String,
    lost: Option<String>,
}

impl Clients {
    /// Assumes the DR execution role of `account` (None: the orchestrator's own) at the regional
    /// endpoint of STS.
    ///
    /// # Errors
    /// `Dr.AccessDenied` when the role is missing or does not trust the orchestrator.
    pub async fn assume(
        own: &SdkConfig,
        env: &Env,
        account: Option<&str>,
        context: &Context,
        policy: &str,
        lost: Option<&str>,
    ) -> Result<Self> {
        let role = env.role_arn(account);
        let wanted = account.unwrap_or(&env.account);
        let answer = aws_sdk_sts::Client::new(own)
            .assume_role()
            .role_arn(&role)
            .role_session_name(session_name(context))
            .external_id(&env.external_id)
            .duration_seconds(900)
            .policy(policy)
            .send()
            .await
            .doing(&format!("assume the role {role}"))
            .map_err(|e| {
                e.next("Deploy role-templates/TargetAccountsAssumeRole.yaml in that account.")
            })?;
        Ok(Self {
            base: with_credentials(own, granted(&answer, wanted)?),
            region: env.region.clone(),
            account: wanted.to_owned(),
            partition: env.partition.clone(),
            lost: lost.map(str::to_owned),
        })
    }

    /// SDK configuration for a Region. No retries: the loop looks again before it repeats anything.
    ///
    /// # Errors
    /// `Dr.Refused` for the Region that an unplanned run must treat as lost.
    pub fn region(&self, region: &str) -> Result<SdkConfig> {
        if self.lost.as_deref() == Some(region) {
            return Err(Error::refused(format!(
                "this run is unplanned: {region} is taken for lost and must not be called"
            ))
            .next("Leave the step to CLEANUP or REPLICATE, or start a planned run."));
        }
        Ok(self.base.to_builder().region(Region::new(region.to_owned())).build())
    }

    /// SDK configuration for the executing Region.
    ///
    /// # Errors
    /// As [`Clients::region`].
    pub fn here(&self) -> Result<SdkConfig> {
        self.region(&self.region)
    }

    /// The executing Region.
    pub fn executing_region(&self) -> &str {
        &self.region
    }

    /// The account that the role is in.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// `aws`, `aws-cn`, ...
    pub fn partition(&self) -> &str {
        &self.partition
    }
}

/// What STS gave, when it is a role in the wanted account.
fn granted<'a>(answer: &'a AssumeRoleOutput, wanted: &str) -> Result<&'a sts::Credentials> {
    let arn = answer.assumed_role_user().map_or("", |u| u.arn());
    if arn.split(':').nth(4) != Some(wanted) {
        let text = format!("assumed \"{arn}\" instead of a role in account {wanted}");
        return Err(Error::refused(text).next("Correct accountId, then start again."));
    }
    answer
        .credentials()
        .ok_or_else(|| Error::internal(format!("STS gave no credentials of account {wanted}")))
}

fn with_credentials(own: &SdkConfig, c: &sts::Credentials) -> SdkConfig {
    let expiry = SystemTime::try_from(*c.expiration()).ok();
    let credentials = Credentials::new(
        c.access_key_id(),
        c.secret_access_key(),
        Some(c.session_token().to_owned()),
        expiry,
        "AssumedDrRole",
    );
    own.to_builder()
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::disabled())
        .build()
}

/// CloudTrail shows it: `dr-<product>-<execution name>`, at most 64 characters.
fn session_name(context: &Context) -> String {
    let execution = context.execution.rsplit(':').next().unwrap_or_default();
    slug(&format!("dr-{}-{execution}", context.product), 64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorType;

    fn assumed(account: &str) -> AssumeRoleOutput {
        let arn = format!("arn:aws:sts::{account}:assumed-role/DR/dr-shop-run-1");
        let user = sts::AssumedRoleUser::builder().assumed_role_id("A:dr").arn(arn);
        AssumeRoleOutput::builder().assumed_role_user(user.build().unwrap()).build()
    }

    #[test]
    fn a_role_of_another_account_and_none_at_all_are_refused() {
        for (answer, arn) in [
            (assumed("999999999999"), "999999999999:assumed-role/DR"),
            (AssumeRoleOutput::builder().build(), "\"\""),
        ] {
            let error = granted(&answer, "123456789012").unwrap_err();
            assert_eq!(error.error_type, ErrorType::Refused);
            assert!(error.message.contains(arn), "{error}");
            assert!(error.message.ends_with("instead of a role in account 123456789012"));
            assert!(error.next_step.contains("accountId"), "{}", error.next_step);
        }
    }

    #[test]
    fn an_answer_without_credentials_is_no_permission() {
        let error = granted(&assumed("123456789012"), "123456789012").unwrap_err();
        assert_eq!(error.error_type, ErrorType::Internal);
        assert!(error.message.contains("123456789012"), "{error}");
    }

    #[test]
    fn the_region_that_counts_as_lost_is_not_called() {
        let clients = Clients {
            base: SdkConfig::builder().build(),
            region: "us-west-2".into(),
            account: "123456789012".into(),
            partition: "aws".into(),
            lost: Some("us-east-1".into()),
        };
        let error = clients.region("us-east-1").unwrap_err();
        assert_eq!(error.error_type, ErrorType::Refused);
        assert!(error.message.contains("us-east-1 is taken for lost"), "{error}");
        assert!(error.next_step.contains("CLEANUP"), "{}", error.next_step);
        assert_eq!(clients.here().unwrap().region().unwrap().as_ref(), "us-west-2");
    }

    #[test]
    fn a_plan_holds_no_write() {
        let (reads, writes) = (["rds:DescribeDBInstances"], ["rds:DeleteDBInstance"]);
        assert!(!session_policy(&reads, &writes, Mode::Plan).contains("Delete"));
        assert!(session_policy(&reads, &writes, Mode::Execute).contains("rds:DeleteDBInstance"));
    }
}
