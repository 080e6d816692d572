//! AWS calls without an SDK: any action of any service, by anybody. The local AWS looks at the access
//! key alone, not at signatures.

use crate::control::Control;
use serde_json::Value;

/// The access key of an administrator.
pub const ADMINISTRATOR: &str = "test";

/// Where a call goes.
#[derive(Debug, Clone, Copy)]
pub struct To<'a> {
    /// As in the signature: `rds`.
    pub service: &'a str,
    /// Region.
    pub region: &'a str,
    /// The caller's access key.
    pub key: &'a str,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// XML or JSON.
    pub body: String,
}

impl Answer {
    /// Whether IAM refused the call. A service that accepts the caller may refuse it for other reasons.
    pub fn denied(&self) -> bool {
        self.status >= 400 && self.body.contains("is not authorized to perform")
    }

    /// The text of an XML element.
    pub fn element(&self, name: &str) -> &str {
        let after = self.body.split_once(&format!("<{name}>")).map_or("", |(_, after)| after);
        after.split_once(&format!("</{name}>")).map_or("", |(text, _)| text)
    }

    /// Fails the test unless the call was done.
    pub fn done(self) -> Self {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.body);
        self
    }
}

impl To<'_> {
    fn authorization(self) -> String {
        let scope = format!("{}/20260101/{}/{}/aws4_request", self.key, self.region, self.service);
        format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0")
    }
}

impl Control {
    /// A call of the query protocol: RDS, ElastiCache, CloudFormation, IAM, STS, SNS.
    pub fn query(&self, to: To, action: &str, parameters: &[(&str, String)]) -> Answer {
        let version = match to.service {
            "rds" => "2014-10-31",
            "elasticache" => "2015-02-02",
            "cloudformation" => "2010-05-15",
            "iam" => "2010-05-08",
            "sns" => "2010-03-31",
            "sts" => "2011-06-15",
            other => panic!("{other} does not speak the query protocol"),
        };
        let form = [("Action", action), ("Version", version)].into_iter();
        let form = form.chain(parameters.iter().map(|(k, v)| (*k, v.as_str())));
        let request = self.agent.post(self.endpoint() + "/");
        let request = request.header("Authorization", to.authorization());
        answer(request.send_form(form))
    }

    /// A call of the JSON protocol: `target` is the value of `X-Amz-Target`.
    pub fn json(&self, to: To, target: &str, body: &Value) -> Answer {
        let request = self.agent.post(self.endpoint() + "/");
        let request = request
            .header("Authorization", to.authorization())
            .header("X-Amz-Target", target)
            .header("Content-Type", "application/x-amz-json-1.1");
        answer(request.send(body.to_string()))
    }

    /// A POST of the REST protocol: Lambda.
    pub fn rest(&self, to: To, path: &str, body: &Value) -> Answer {
        let request = self.agent.post(self.endpoint() + path);
        answer(request.header("Authorization", to.authorization()).send(body.to_string()))
    }
}

fn answer(sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    let mut response = sent.expect("an answer");
    let status = response.status().as_u16();
    Answer { status, body: response.body_mut().read_to_string().unwrap_or_default() }
}
