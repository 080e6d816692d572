//! People with IAM identities of their own, and what they do with the AWS CLI.

use crate::parent::repository;
use crate::raw::ADMINISTRATOR;
use crate::world::World;
use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use serde_json::Value;
use shared::consent::parameter;
use std::process::{Command, Stdio};

/// Somebody who can call AWS.
#[derive(Debug)]
pub struct Person {
    /// Who, as the service tells.
    pub arn: String,
    keys: Credentials,
}

impl Person {
    /// Whoever deploys.
    pub fn administrator() -> Self {
        let keys = Credentials::new(ADMINISTRATOR, ADMINISTRATOR, None, None, "administrator");
        Self { arn: "arn:aws:iam::123456789012:user/administrator".to_owned(), keys }
    }
}

impl World {
    /// A new IAM user.
    pub fn user(&self, name: &str) -> Person {
        self.control.iam(&format!("Action=CreateUser&UserName={name}"));
        let made = self.control.iam(&format!("Action=CreateAccessKey&UserName={name}"));
        let keys = Credentials::new(
            between(&made, "AccessKeyId"),
            between(&made, "SecretAccessKey"),
            None,
            None,
            "user",
        );
        Person { arn: format!("arn:aws:iam::123456789012:user/{name}"), keys }
    }

    /// Answers a run by its parameter, as the mail says.
    pub async fn answer_as(&self, person: &Person, product: &str, execution: &str, value: &str) {
        let name = execution.rsplit(':').next().unwrap_or_default();
        let region = execution.split(':').nth(3).unwrap_or_default();
        self.write_as(person, region, &parameter(product, name), value).await;
    }

    /// Writes a parameter as this person.
    pub async fn write_as(&self, person: &Person, region: &str, parameter: &str, value: &str) {
        let config: SdkConfig = self
            .config(region)
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(person.keys.clone()))
            .build();
        let put = aws_sdk_ssm::Client::new(&config).put_parameter();
        let put = put.name(parameter).value(value).overwrite(true);
        put.r#type(aws_sdk_ssm::types::ParameterType::String).send().await.expect("put-parameter");
    }

    /// Types a command of the AWS CLI into a shell, as this person.
    pub fn type_as(&self, person: &Person, command: &str) {
        let library = repository().join("scripts/lib.sh");
        let output = Command::new("bash")
            .args(["-euc", &format!("source {}; find_aws; {command}", library.display())])
            .env("AWS_ENDPOINT_URL", self.control.endpoint())
            .env("AWS_ACCESS_KEY_ID", person.keys.access_key_id())
            .env("AWS_SECRET_ACCESS_KEY", person.keys.secret_access_key())
            .env_remove("AWS_SESSION_TOKEN")
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::null())
            .output()
            .expect("bash");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}\n{said}");
    }

    /// What `scripts/watch-run.sh --once` shows of a run.
    pub fn watch(&self, execution: &str) -> String {
        let output = Command::new("bash")
            .arg(repository().join("scripts/watch-run.sh"))
            .args([execution, "--once"])
            .env("AWS_ENDPOINT_URL", self.control.endpoint())
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::null())
            .output()
            .expect("bash");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    /// Calls approval-iam by hand with a parameter's name; gives its answer.
    pub async fn count_answers(&self, region: &str, name: &str) -> Value {
        let payload = serde_json::json!({"name": name}).to_string();
        let call = self.lambda(region).invoke().function_name("aws-dr-orchestrator-approval-iam");
        let answer = call.payload(payload.into_bytes().into()).send().await.expect("invoke");
        let bytes = answer.payload().map(|p| p.as_ref().to_vec()).unwrap_or_default();
        serde_json::from_slice(&bytes).expect("JSON")
    }
}

fn between(text: &str, tag: &str) -> String {
    let (_, rest) = text.split_once(&format!("<{tag}>")).expect(tag);
    rest.split_once("</").expect(tag).0.to_owned()
}
