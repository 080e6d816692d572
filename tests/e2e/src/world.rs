//! One test's own copy of the deployed world.

use crate::control::Control;
use crate::parent::fork;
use crate::plans;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use serde_json::json;

/// The Region that serves at the beginning.
pub const EAST: &str = "us-east-1";
/// The standby at the beginning.
pub const WEST: &str = "us-west-2";

/// A copy; it ends when it is dropped, and fails the test then if a plan did more than read.
#[derive(Debug)]
pub struct World {
    /// What happened, what shall go wrong.
    pub control: Control,
}

impl World {
    /// A fresh copy, with an empty call log.
    pub fn new() -> Self {
        let control = fork();
        control.clear_calls();
        Self { control }
    }

    /// A copy of this world, as it is now, with an empty call log. It ends with this world.
    pub fn copy(&self) -> Self {
        let control = self.control.fork();
        control.clear_calls();
        Self { control }
    }

    /// The bucket of a Region.
    pub fn bucket(region: &str) -> String {
        format!("dr-orchestrator-123456789012-{region}")
    }

    /// SDK configuration of an administrator in a Region.
    pub fn config(&self, region: &str) -> SdkConfig {
        let keys = Credentials::new("test", "test", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .endpoint_url(self.control.endpoint())
            .build()
    }

    /// Step Functions.
    pub fn sfn(&self, region: &str) -> aws_sdk_sfn::Client {
        aws_sdk_sfn::Client::new(&self.config(region))
    }

    /// S3.
    pub fn s3(&self, region: &str) -> aws_sdk_s3::Client {
        aws_sdk_s3::Client::new(&self.config(region))
    }

    /// RDS.
    pub fn rds(&self, region: &str) -> aws_sdk_rds::Client {
        aws_sdk_rds::Client::new(&self.config(region))
    }

    /// ElastiCache.
    pub fn elasticache(&self, region: &str) -> aws_sdk_elasticache::Client {
        aws_sdk_elasticache::Client::new(&self.config(region))
    }

    /// Lambda.
    pub fn lambda(&self, region: &str) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(&self.config(region))
    }

    /// Parameter Store.
    pub fn ssm(&self, region: &str) -> aws_sdk_ssm::Client {
        aws_sdk_ssm::Client::new(&self.config(region))
    }

    /// CloudWatch.
    pub fn cloudwatch(&self, region: &str) -> aws_sdk_cloudwatch::Client {
        aws_sdk_cloudwatch::Client::new(&self.config(region))
    }

    /// Calls of Lambda functions that changed something outside the orchestrator's own bucket,
    /// topic, logs and tokens, and that the service accepted.
    pub fn changes(&self) -> Vec<String> {
        let own = [
            "s3:",
            "sns:",
            "logs:",
            "states:",
            "stepfunctions:",
            "sts:",
            "cloudwatch:",
            "monitoring:",
        ];
        let calls = self.control.calls();
        let calls =
            calls.iter().filter(|c| c.mutates() && c.accepted() && !c.function().is_empty());
        calls.map(|c| c.action()).filter(|a| !own.iter().any(|o| a.starts_with(o))).collect()
    }

    /// How often an action was accepted.
    pub fn count(&self, action: &str) -> usize {
        self.control.calls().iter().filter(|c| c.accepted() && c.action() == action).count()
    }

    /// For a failing test: the last mails and the last lines of the functions' logs.
    pub fn trouble(&self) -> String {
        let mails = self.control.mails();
        let mail = mails.last().map(|m| format!("{}\n{}", m.subject, m.body)).unwrap_or_default();
        let mut text = format!("last mail: {mail}\n");
        for function in ["manifest-loader", "approval-request", "reporter", "failure-recorder"] {
            let logs = self.control.get(&format!("logs?function=aws-dr-orchestrator-{function}"));
            let lines: Vec<_> =
                logs["lines"].as_array().into_iter().flatten().rev().take(5).collect();
            text += &format!("{function}: {lines:?}\n");
        }
        text
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // A test that has failed already says why.
        let failed = std::thread::panicking();
        let found = if failed { vec![] } else { plans::changes(&self.control.calls()) };
        self.control.post("shutdown", &json!({}));
        plans::none(&found);
    }
}
