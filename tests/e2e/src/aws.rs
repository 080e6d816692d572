//! What an operator does with the AWS CLI, and what a test reads afterwards.

use crate::control::Mail;
use crate::world::World;
use aws_sdk_sfn::types::ExecutionStatus;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How an execution ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// ARN.
    pub arn: String,
    /// Status word.
    pub status: ExecutionStatus,
    /// Error name; empty when it succeeded.
    pub error: String,
    /// Cause; empty when it succeeded.
    pub cause: String,
}

/// A manifest as text.
pub trait ManifestText {
    /// Its bytes.
    fn text(&self) -> String;
}

impl ManifestText for Value {
    fn text(&self) -> String {
        self.to_string()
    }
}

impl ManifestText for &str {
    fn text(&self) -> String {
        (*self).to_owned()
    }
}

impl Ended {
    /// Fails the test unless the execution succeeded.
    pub fn succeeded(self) -> Self {
        assert_eq!(self.status, ExecutionStatus::Succeeded, "{}: {}", self.error, self.cause);
        self
    }

    /// Fails the test unless it failed with this error; gives the cause.
    pub fn failed(self, error: &str) -> String {
        assert_eq!(self.status, ExecutionStatus::Failed, "{}", self.cause);
        assert_eq!(self.error, error, "{}", self.cause);
        self.cause
    }

    /// The lines of its cause: a JSON list from the product machine, else the text itself.
    pub fn lines(&self) -> Vec<String> {
        serde_json::from_str(&self.cause).unwrap_or_else(|_| vec![self.cause.clone()])
    }

    /// Name of the execution.
    pub fn name(&self) -> &str {
        self.arn.rsplit(':').next().unwrap_or_default()
    }
}

const MACHINE: &str = "aws-dr-orchestrator-stepfunction-";

impl World {
    /// `aws stepfunctions start-execution` of the product orchestrator; gives the ARN.
    pub async fn start(&self, region: &str, key: &str) -> String {
        self.start_machine(region, "product-orchestrator", json!({"productmanifestpath": key}))
            .await
    }

    /// `aws stepfunctions start-execution` of any of the machines.
    pub async fn start_machine(&self, region: &str, machine: &str, input: Value) -> String {
        self.start_named(region, &format!("{MACHINE}{machine}"), input).await
    }

    /// The same, of a machine by its whole name.
    pub async fn start_named(&self, region: &str, name: &str, input: Value) -> String {
        let arn = format!("arn:aws:states:{region}:123456789012:stateMachine:{name}");
        let start =
            self.sfn(region).start_execution().state_machine_arn(arn).input(input.to_string());
        start.send().await.expect("start-execution").execution_arn
    }

    /// Waits for the end of an execution; at most `seconds`.
    pub async fn wait(&self, arn: &str, seconds: u64) -> Ended {
        let end = Instant::now() + Duration::from_secs(seconds);
        loop {
            let now = self.describe(arn).await;
            if now.status != ExecutionStatus::Running {
                return now;
            }
            assert!(Instant::now() < end, "{arn} still runs after {seconds} s\n{}", self.trouble());
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// How an execution stands.
    pub async fn describe(&self, arn: &str) -> Ended {
        let region = arn.split(':').nth(3).expect("a Region");
        let e = self
            .sfn(region)
            .describe_execution()
            .execution_arn(arn)
            .send()
            .await
            .expect("describe");
        Ended {
            arn: arn.to_owned(),
            status: e.status,
            error: e.error.unwrap_or_default(),
            cause: e.cause.unwrap_or_default(),
        }
    }

    /// Start, approve through the mail's link, wait.
    pub async fn run(&self, region: &str, key: &str) -> Ended {
        let arn = self.start(region, key).await;
        self.approve(&arn).await;
        self.wait(&arn, 240).await
    }

    /// Waits for the approval mail of an execution and gives its link. An execution that ends
    /// before that fails the test with its cause.
    pub async fn approval_link(&self, arn: &str) -> String {
        let name = arn.rsplit(':').next().expect("a name").to_owned();
        let end = Instant::now() + Duration::from_secs(90);
        loop {
            let mails = self.control.mails();
            let mail =
                mails.iter().find(|m| m.subject.contains("Approve") && m.body.contains(&name));
            if let Some(link) = mail.and_then(|m| link_in(&m.body)) {
                return link;
            }
            let now = self.describe(arn).await;
            let running = now.status == ExecutionStatus::Running;
            assert!(running, "ended before the approval: {} {}", now.error, now.cause);
            assert!(Instant::now() < end, "no approval mail for {name}\n{}", self.trouble());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Approves as the mail's reader would.
    pub async fn approve(&self, arn: &str) {
        self.answer(arn, "APPROVED").await;
    }

    /// Rejects as the mail's reader would.
    pub async fn reject(&self, arn: &str) {
        self.answer(arn, "REJECTED").await;
    }

    async fn answer(&self, arn: &str, decision: &str) {
        let link = self.approval_link(arn).await;
        let typed = self.confirmation(&link);
        let form = [
            ("approver", "Ada Approver"),
            ("reason", "drill"),
            ("confirmation", typed.as_str()),
            ("decision", decision),
        ];
        let (status, page) = self.control.submit(&link, &form);
        assert_eq!(status, 200, "{page}");
    }

    /// What the page asks to be typed before something may be lost; empty when it asks for nothing.
    pub fn confirmation(&self, link: &str) -> String {
        let (_, page) = self.control.open(link);
        let label = page.split_once("<label for=\"confirmation\">").map_or("", |(_, l)| l);
        let typed = label.split_once("<code>").and_then(|(_, c)| c.split_once("</code>"));
        typed.map(|(typed, _)| typed.to_owned()).unwrap_or_default()
    }

    /// Uploads a manifest under `manifest-files/`; gives its key.
    pub async fn upload(&self, region: &str, name: &str, manifest: impl ManifestText) -> String {
        let key = format!("dr-orchestration-artifacts/manifest-files/{name}");
        self.put(region, &key, manifest).await;
        key
    }

    /// The mails about an execution, oldest first. A report's mail is sent after the report is written.
    pub async fn mails_about(&self, arn: &str, wanted: usize) -> Vec<Mail> {
        let name = arn.rsplit(':').next().expect("a name").to_owned();
        for _ in 0..50 {
            let mut mails = self.control.mails();
            mails.retain(|m| m.body.contains(&name));
            if mails.len() >= wanted {
                return mails;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("fewer than {wanted} mails about {name}\n{}", self.trouble());
    }

    /// Keys of the bucket under `dr-orchestration-artifacts/` plus a prefix.
    pub async fn keys(&self, region: &str, prefix: &str) -> Vec<String> {
        let prefix = format!("dr-orchestration-artifacts/{prefix}");
        let list = self.s3(region).list_objects_v2().bucket(World::bucket(region)).prefix(prefix);
        let mut pages = list.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.expect("list-objects");
            keys.extend(page.contents().iter().filter_map(|o| o.key().map(str::to_owned)));
        }
        keys
    }

    /// A JSON object of the bucket; None when it is not there.
    pub async fn object(&self, region: &str, key: &str) -> Option<Value> {
        let get = self.s3(region).get_object().bucket(World::bucket(region)).key(key);
        let body = get.send().await.ok()?.body.collect().await.ok()?.to_vec();
        serde_json::from_slice(&body).ok()
    }

    /// Makes the holder of a product's lock an execution that Step Functions has forgotten: what
    /// otherwise takes two minutes after it was stopped.
    pub async fn forget_holder(&self, region: &str, product: &str) {
        let key = format!("dr-orchestration-artifacts/locks/{product}.json");
        let mut lock = self.object(region, &key).await.expect("a lock");
        let gone = format!("{}-long-ago", lock["execution"].as_str().expect("an ARN"));
        lock["execution"] = json!(gone);
        self.put(region, &key, lock).await;
    }

    /// Writes an object of the bucket.
    pub async fn put(&self, region: &str, key: &str, object: impl ManifestText) {
        let body = object.text().into_bytes().into();
        let put = self.s3(region).put_object().bucket(World::bucket(region)).key(key).body(body);
        put.send().await.expect("put-object");
    }

    /// `report.json` of a run; waits for it a little, since a stopped run gets it from an event.
    pub async fn report(&self, product: &str, arn: &str) -> Value {
        let region = arn.split(':').nth(3).expect("a Region").to_owned();
        let name = arn.rsplit(':').next().expect("a name").to_owned();
        let key = format!("dr-orchestration-artifacts/runs/{product}/{name}/report.json");
        for _ in 0..100 {
            if let Some(report) = self.object(&region, &key).await {
                return report;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("no {key}\n{}", self.trouble());
    }
}

fn link_in(body: &str) -> Option<String> {
    body.split_whitespace().find(|w| w.starts_with("http") && w.contains("id=")).map(str::to_owned)
}
