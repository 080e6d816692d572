//! The control API of the local AWS.

use crate::plans;
use crate::raw::{ADMINISTRATOR, To};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Talks to `/_localaws/` and opens links as a mail program would.
#[derive(Debug, Clone)]
pub struct Control {
    port: u16,
    pub(crate) agent: ureq::Agent,
}

/// One call that reached the local AWS.
#[derive(Debug, Clone)]
pub struct Call(pub Value);

/// One mail that was sent.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Subject line.
    pub subject: String,
    /// Plain text.
    pub body: String,
}

impl Control {
    /// A control of the server on a port.
    pub fn new(port: u16) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(60)))
            .http_status_as_error(false)
            .build();
        Self { port, agent: config.into() }
    }

    /// The endpoint of all services.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Waits until the server answers; at most a minute.
    pub fn wait_healthy(&self) {
        let end = Instant::now() + Duration::from_secs(120);
        while self.agent.get(self.url("health")).call().is_err() {
            assert!(Instant::now() < end, "the local AWS on port {} does not answer", self.port);
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// POST of a JSON document.
    pub fn post(&self, name: &str, body: &Value) -> Value {
        let mut answer = self.agent.post(self.url(name)).send_json(body).expect("the control API");
        answer.body_mut().read_json().expect("JSON")
    }

    /// GET of a JSON document.
    pub fn get(&self, name: &str) -> Value {
        let mut answer = self.agent.get(self.url(name)).call().expect("the control API");
        answer.body_mut().with_config().limit(200 << 20).read_json().expect("JSON")
    }

    fn url(&self, name: &str) -> String {
        format!("{}/_localaws/{name}", self.endpoint())
    }

    /// The control of a copy of this server's world.
    pub fn fork(&self) -> Self {
        let answer = self.post("fork", &json!({}));
        let port = answer["port"].as_u64().unwrap_or_else(|| panic!("no fork: {answer}"));
        let copy = Self::new(u16::try_from(port).expect("a port"));
        copy.wait_healthy();
        copy
    }

    /// Every call so far.
    pub fn calls(&self) -> Vec<Call> {
        let calls = self.get("calls");
        calls["calls"].as_array().into_iter().flatten().cloned().map(Call).collect()
    }

    /// Forgets the calls so far. The plans among them must have changed nothing.
    pub fn clear_calls(&self) {
        plans::none(&plans::changes(&self.calls()));
        self.forget_calls();
    }

    pub(crate) fn forget_calls(&self) {
        self.agent.delete(self.url("calls")).call().expect("the control API");
    }

    /// Switches a fault on.
    pub fn fault(&self, fault: Value) {
        self.post("faults", &fault);
    }

    /// Switches all faults off.
    pub fn clear_faults(&self) {
        self.agent.delete(self.url("faults")).call().expect("the control API");
    }

    /// Takes a Region away, or gives it back.
    pub fn dark(&self, region: &str, dark: bool) {
        self.post("dark", &json!({"region": region, "dark": dark}));
    }

    /// Every mail so far.
    pub fn mails(&self) -> Vec<Mail> {
        let text = |m: &Value, k: &str| m[k].as_str().unwrap_or_default().to_owned();
        let mails = self.get("mail");
        let mails = mails["mails"].as_array().into_iter().flatten();
        mails.map(|m| Mail { subject: text(m, "subject"), body: text(m, "body") }).collect()
    }

    /// GET of a link in a mail: status and page.
    pub fn open(&self, link: &str) -> (u16, String) {
        let mut answer = self.agent.get(self.here(link)).call().expect("the link");
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap_or_default())
    }

    /// HEAD of a link in a mail: status and length of what follows.
    pub fn head(&self, link: &str) -> (u16, usize) {
        let mut answer = self.agent.head(self.here(link)).call().expect("the link");
        (answer.status().as_u16(), answer.body_mut().read_to_vec().unwrap_or_default().len())
    }

    /// PUT to a link in a mail: status.
    pub fn put(&self, link: &str) -> u16 {
        self.agent.put(self.here(link)).send_empty().expect("the link").status().as_u16()
    }

    /// POST of a form to a link in a mail: status and page.
    pub fn submit(&self, link: &str, form: &[(&str, &str)]) -> (u16, String) {
        let form = form.iter().copied();
        let mut answer = self.agent.post(self.here(link)).send_form(form).expect("the link");
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap_or_default())
    }

    /// Any bytes to a link in a mail, as no browser would send them; gives the status.
    pub fn raw(&self, method: &str, link: &str, content_type: &str, body: &[u8]) -> u16 {
        let path = self.here(link).split_off(self.endpoint().len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\
             Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the local AWS");
        let mut answer = Vec::new();
        // A server may refuse a head and not wait for its body.
        let _ = stream.write_all(&[head.as_bytes(), body].concat());
        let _ = stream.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer);
        let status = text.split(' ').nth(1).and_then(|s| s.parse().ok());
        status.unwrap_or_else(|| panic!("no answer to {head}"))
    }

    /// What a function printed, in both Regions.
    pub fn log(&self, function: &str) -> Vec<String> {
        let answer = self.get(&format!("logs?function=aws-dr-orchestrator-{function}"));
        let lines = answer["lines"].as_array().into_iter().flatten();
        lines.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Messages of a CloudWatch log group.
    pub fn log_group(&self, region: &str, group: &str) -> Vec<String> {
        let to = To { service: "logs", region, key: ADMINISTRATOR };
        let answer =
            self.json(to, "Logs_20140328.FilterLogEvents", &json!({"logGroupName": group}));
        let answer: Value = serde_json::from_str(&answer.body).expect("JSON");
        let events = answer["events"].as_array().into_iter().flatten();
        events.filter_map(|e| e["message"].as_str()).map(str::to_owned).collect()
    }

    /// A call of IAM as its administrator, in the form of the query protocol; gives the XML.
    pub fn iam(&self, form: &str) -> String {
        let keys = "Credential=test/20260101/us-east-1/iam/aws4_request";
        let request = self.agent.post(self.endpoint() + "/");
        let request = request
            .header(
                "Authorization",
                format!("AWS4-HMAC-SHA256 {keys}, SignedHeaders=host, Signature=0"),
            )
            .header("Content-Type", "application/x-www-form-urlencoded");
        let body = format!("{form}&Version=2010-05-08");
        request.send(body).expect("iam").body_mut().read_to_string().expect("XML")
    }

    /// The world was deployed on another port: the copy serves the same path on its own.
    fn here(&self, link: &str) -> String {
        let path = link.splitn(4, '/').nth(3).unwrap_or_default();
        format!("{}/{path}", self.endpoint())
    }
}

impl Call {
    /// A field's text.
    pub fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_default()
    }

    /// `service:Action`, lower-case service.
    pub fn action(&self) -> String {
        format!("{}:{}", self.text("service"), self.text("action"))
    }

    /// Whether the action is no read.
    pub fn mutates(&self) -> bool {
        self.0["mutating"].as_bool().unwrap_or(false)
    }

    /// Whether the service did it.
    pub fn accepted(&self) -> bool {
        self.0["status"].as_u64().is_some_and(|s| (200..300).contains(&s))
            || self.text("result") == "dropped"
    }

    /// The Lambda function that made the call; empty for others.
    pub fn function(&self) -> &str {
        self.text("function")
    }
}
