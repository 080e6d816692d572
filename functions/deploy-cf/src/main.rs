//! `DeployCF`: creates or updates a CloudFormation stack, by change sets.

mod calls;
mod change;
mod decide;
mod events;
mod guard;
mod location;
mod make;
mod observed;
mod parameters;
mod template;

use calls::Calls;
use change::Change;
use observed::{Observed, known};
use parameters::Parameters;
use serde_json::Value;
use shared::env::Env;
use shared::{ChangeClass, Clients, ControlPlane, Cx, Phase, Resource, Result, Step};
use std::time::Duration;
use tokio::sync::OnceCell;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::main::<DeployCF>().await
}

/// Creates a stack or updates it, through a change set whose losses are looked at first.
///
/// **Reads:** the template in S3; the stack, its present template and events; our change set.
/// **Changes:** the stack. In PLAN nothing, not even a change set.
/// **Done when:** the stack is CREATE_COMPLETE or UPDATE_COMPLETE by our token, or does not differ,
/// or CloudFormation says that there is nothing to change.
/// **Refuses when:** the change set would replace or remove what holds data, without
/// `AllowStatefulReplacement`; the stack is protected and would have to be created anew.
/// **Safe to repeat because:** the names of change sets and the tokens are made of content, run and
/// the stack's last change; a stack that is as wanted is left alone.
struct DeployCF(Calls);

impl Resource for DeployCF {
    const TYPE: &'static str = "DeployCF";
    const PHASES: &'static [Phase] = &[Phase::Instantiate, Phase::Activate, Phase::Replicate];
    const READS: &'static [&'static str] = &[
        "cloudformation:DescribeStacks",
        "cloudformation:DescribeStackEvents",
        "cloudformation:DescribeChangeSet",
        "cloudformation:GetTemplate",
        "s3:GetObject",
    ];
    const WRITES: &'static [&'static str] = &[
        "cloudformation:CreateChangeSet",
        "cloudformation:ExecuteChangeSet",
        "cloudformation:DeleteChangeSet",
        "cloudformation:DeleteStack",
        "cloudformation:UpdateTerminationProtection",
        "iam:PassRole",
    ];
    const CONTROL_PLANE: ControlPlane = ControlPlane::Regional;
    const TIMEOUT: Duration = Duration::from_secs(2 * 3600);
    const TYPICAL: Duration = Duration::from_secs(10 * 60);
    const CLASS: ChangeClass = ChangeClass::Destructive;
    type Parameters = Parameters;
    type Observed = Observed;
    type Change = Change;

    async fn connect(clients: &Clients, p: &Parameters, cx: &Cx) -> Result<Self> {
        p.check(cx)?;
        let here = clients.executing_region();
        let region = p.region.as_deref().unwrap_or(here);
        let location = p.location(&Env::load()?.bucket, here, clients.partition())?;
        Ok(Self(Calls {
            cloudformation: aws_sdk_cloudformation::Client::new(&clients.region(region)?),
            s3: aws_sdk_s3::Client::new(&clients.region(&location.region)?),
            location,
            region: region.to_owned(),
            wanted: OnceCell::new(),
        }))
    }

    async fn observe(&self, p: &Parameters, cx: &Cx) -> Result<Observed> {
        self.0.look(p, cx).await
    }

    fn decide(p: &Parameters, o: &Observed, cx: &Cx) -> Step<Change> {
        decide::decide(p, o, cx)
    }

    async fn apply(&self, p: &Parameters, change: Change, _: &Cx) -> Result<Value> {
        self.0.make(p, change).await
    }

    fn timeout(p: &Parameters) -> Duration {
        let minutes = p.timeout_in_minutes.map(|m| m.0.unsigned_abs());
        minutes.map_or(Self::TIMEOUT, |m| Duration::from_secs(m * 60))
    }

    /// The stack and its exports; those of outputs with a condition too, for it is not evaluated.
    fn creates(p: &Parameters, o: &Observed, cx: &Cx) -> Vec<String> {
        let exports = o.wanted.template.exports(&|name| known(name, p, o, cx));
        let stack = format!("stack:{}", p.stack_name);
        std::iter::once(stack).chain(exports.iter().map(|e| format!("export:{e}"))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::{Stack, Wanted, fingerprint};
    use crate::template::Template;
    use serde_json::json;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    const TEMPLATE: &str = r#"
Parameters:
  Size: {Type: Number, Default: 1}
  Nets: {Type: CommaDelimitedList, Default: ""}
  Secret: {Type: String, NoEcho: true, Default: x}
Resources:
  Table: {Type: AWS::DynamoDB::Table}
Outputs:
  Out: {Value: 1, Export: {Name: !Sub "${AWS::StackName}-size-${Size}"}}
"#;

    pub(crate) fn parameters(mut given: Value) -> Parameters {
        given["StackName"] = json!("shop");
        serde_json::from_value(given).unwrap()
    }

    pub(crate) fn wanted_of(template: &str, p: &Parameters) -> Arc<Wanted> {
        let template = Template::parse(template, "t").unwrap();
        let fingerprint = fingerprint(&template, p);
        Arc::new(Wanted { template, from: "s3://b/t.yaml".into(), fingerprint })
    }

    pub(crate) fn wanted(p: &Parameters) -> Arc<Wanted> {
        wanted_of(TEMPLATE, p)
    }

    /// A stack of the template above, with Size 2.
    pub(crate) fn stack(status: &str) -> Stack {
        let value = |(k, v): (&str, &str)| (k.to_owned(), v.to_owned());
        Stack {
            id: "arn:stack".into(),
            status: status.into(),
            generation: 0x10,
            parameters: BTreeMap::from(
                [("Size", "2"), ("Nets", ""), ("Secret", "****")].map(value),
            ),
            body: Some(Template::parse(TEMPLATE, "t").unwrap().body),
            ..Stack::default()
        }
    }

    pub(crate) fn observed(p: &Parameters, stack: Option<Stack>) -> Observed {
        Observed {
            wanted: wanted(p),
            stack,
            last: None,
            change_set: None,
            failure: None,
            region: "us-west-2".into(),
        }
    }

    #[test]
    fn the_committed_schema_is_the_description() {
        let committed = include_str!("../../../samples/schema/DeployCF.schema.json");
        let committed: Value = serde_json::from_str(committed).unwrap();
        assert_eq!(committed, shared::describe::describe::<DeployCF>());
    }

    #[test]
    fn it_creates_the_stack_and_its_exports() {
        let p = parameters(json!({"Parameters": {"Size": 5}}));
        let cx = shared::progress::sample_cx(Phase::Instantiate);
        let creates = DeployCF::creates(&p, &observed(&p, None), &cx);
        assert_eq!(creates, ["stack:shop", "export:shop-size-5"]);
    }
}
