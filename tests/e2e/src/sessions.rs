//! Sessions of the DR execution role, and the contracts of the types that use it.

use crate::parent::repository;
use crate::raw::{ADMINISTRATOR, Answer, To};
use crate::world::{EAST, World};
use serde_json::{Value, json};
use shared::clients::session_policy;
use shared::context::Mode;
use shared::names::function_name;

const ACCOUNT: &str = "123456789012";
/// Name of the DR execution role.
pub const EXECUTION_ROLE: &str = "aws-dr-orchestrator-execution-role";

/// What a resource type declares, by its schema.
#[derive(Debug, Clone)]
pub struct Contract {
    /// `resourceType`.
    pub kind: String,
    /// Actions of a plan.
    pub reads: Vec<String>,
    /// Further actions of an execution.
    pub writes: Vec<String>,
}

impl Contract {
    /// The contracts of all types in the registry.
    pub fn all() -> Vec<Self> {
        let folder = repository().join("samples/schema");
        let files = std::fs::read_dir(folder).expect("the registry").flatten();
        let mut all: Vec<_> = files.filter_map(|f| Self::read(&f.path())).collect();
        all.sort_by(|a, b| a.kind.cmp(&b.kind));
        all
    }

    fn read(path: &std::path::Path) -> Option<Self> {
        let schema: Value =
            serde_json::from_str(&std::fs::read_to_string(path).ok()?).expect("a schema");
        let kind = schema["x-dr-type"].as_str()?.to_owned();
        let actions = |key: &str| {
            let listed = schema[key].as_array().into_iter().flatten();
            listed.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Some(Self { kind, reads: actions("x-dr-reads"), writes: actions("x-dr-writes") })
    }

    /// The session policy of a mode, as the functions make it.
    pub fn policy(&self, mode: Mode) -> String {
        let reads: Vec<&str> = self.reads.iter().map(String::as_str).collect();
        let writes: Vec<&str> = self.writes.iter().map(String::as_str).collect();
        session_policy(&reads, &writes, mode)
    }

    /// Name of its Lambda function.
    pub fn function(&self) -> String {
        function_name(&self.kind)
    }
}

impl World {
    /// IAM, by an administrator.
    pub fn iam(&self, action: &str, parameters: &[(&str, String)]) -> Answer {
        let to = To { service: "iam", region: EAST, key: ADMINISTRATOR };
        self.control.query(to, action, parameters)
    }

    /// An access key of a new role at `path` that may assume any role.
    pub fn caller(&self, path: &str, name: &str) -> String {
        let statement = |more: Value| json!({"Version": "2012-10-17", "Statement": [more]});
        let trust = json!({"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}});
        let may = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"});
        let role = ("RoleName", name.to_owned());
        let document = ("AssumeRolePolicyDocument", statement(trust).to_string());
        self.iam("CreateRole", &[role.clone(), ("Path", path.to_owned()), document]).done();
        let document = ("PolicyDocument", statement(may).to_string());
        self.iam("PutRolePolicy", &[role, ("PolicyName", "may".to_owned()), document]).done();
        let arn = format!("arn:aws:iam::{ACCOUNT}:role{path}{name}");
        key_of(self.assume(ADMINISTRATOR, &arn, &[]).done())
    }

    /// The answer to AssumeRole.
    pub fn assume(&self, key: &str, arn: &str, more: &[(&str, String)]) -> Answer {
        let mut parameters =
            vec![("RoleArn", arn.to_owned()), ("RoleSessionName", "dr-test".to_owned())];
        parameters.extend_from_slice(more);
        self.control.query(To { service: "sts", region: EAST, key }, "AssumeRole", &parameters)
    }

    /// An access key of the DR execution role under a session policy, as a function gets it.
    pub fn session(&self, caller: &str, policy: &str) -> String {
        let external = ("ExternalId", format!("dr-orchestrator-{ACCOUNT}"));
        let more = [external, ("Policy", policy.to_owned())];
        key_of(self.assume(caller, &execution_role(), &more).done())
    }
}

/// ARN of the DR execution role.
pub fn execution_role() -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/dr-orchestrator/{EXECUTION_ROLE}")
}

fn key_of(answer: Answer) -> String {
    answer.element("AccessKeyId").to_owned()
}
