//! People with IAM identities of their own, and what they do with the AWS CLI.

use crate::world::World;
use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use serde_json::Value;
use shared::consent::parameter;

/// Somebody who can call AWS.
#[derive(Debug)]
pub struct Person {
    /// Who, as the service tells.
    pub arn: String,
    keys: Credentials,
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
        let config: SdkConfig = self
            .config(region)
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(person.keys.clone()))
            .build();
        let put = aws_sdk_ssm::Client::new(&config).put_parameter();
        let put = put.name(parameter(product, name)).value(value).overwrite(true);
        put.r#type(aws_sdk_ssm::types::ParameterType::String).send().await.expect("put-parameter");
    }

    /// Calls approval-iam by hand; gives its answer.
    pub async fn count_answers(&self, region: &str, product: &str, name: &str) -> Value {
        let payload = serde_json::json!({"name": parameter(product, name)}).to_string();
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
