//! The journal of one resource: one object in the run's folder, rewritten at each change by the
//! only execution that works on it. Best effort: a lost write never repeats or stops an act.

use crate::clock;
use crate::engine::Watch;
use crate::error::{ErrorType, Result};
use crate::lock;
use crate::names::cut;
use crate::request::{Request, Response, Status};
use crate::store::Store;
use crate::tokens::redact;
use serde::{Deserialize, Serialize};

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When, RFC 3339.
    pub at: String,
    /// `started`, `change`, `waiting`, `done` or `failed`.
    pub event: String,
    /// For people.
    pub text: String,
}

/// What happened to one resource in one run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Product name.
    pub product: String,
    /// Application name.
    pub app: Option<String>,
    /// Short name of the manifest.
    pub file: Option<String>,
    /// Zero-based layer.
    pub layer: Option<u32>,
    /// Zero-based index in the layer.
    pub index: Option<u32>,
    /// The type.
    pub resource_type: String,
    /// The name.
    pub resource_name: String,
    /// The phase.
    pub phase: String,
    /// IN_PROGRESS, DONE or FAILED.
    pub status: Status,
    /// One line.
    pub summary: String,
    /// Whether anything was changed.
    pub changed: bool,
    /// When it failed.
    pub error_type: Option<ErrorType>,
    /// Why it failed.
    pub message: Option<String>,
    /// What to do.
    pub next_step: Option<String>,
    /// Measured data loss, seconds.
    pub rpo_seconds: Option<f64>,
    /// RFC 3339.
    pub started_at: String,
    /// RFC 3339.
    pub updated_at: String,
    /// RFC 3339; None while it runs.
    pub ended_at: Option<String>,
    /// In order.
    pub events: Vec<Event>,
}

/// Events kept: a day of waiting must not grow the object without bound.
const KEPT: usize = 200;

/// Writes one resource's journal.
pub(crate) struct Journal<'a> {
    store: &'a Store,
    key: String,
    execution: String,
    entry: Entry,
    secrets: &'a [String],
    silent: bool,
}

impl<'a> Journal<'a> {
    /// Continues the journal of this resource or begins it. `silent` (PLAN) writes nothing.
    pub async fn open(
        store: &'a Store,
        request: &Request,
        secrets: &'a [String],
        silent: bool,
    ) -> Self {
        let key = request.context.journal_key();
        let known = if silent { None } else { store.get_json(&key).await.unwrap_or_default() };
        let fresh = known.is_none();
        let entry = known.unwrap_or_else(|| new_entry(request));
        let execution = request.context.execution.clone();
        let mut journal = Self { store, key, execution, entry, secrets, silent };
        if fresh {
            journal.write("started", "looking").await;
        }
        journal
    }

    /// The first call of an attempt: after a retry the entry goes on where it had ended.
    pub async fn begin(&mut self) {
        if self.entry.ended_at.take().is_some() {
            self.entry.status = Status::InProgress;
            (self.entry.error_type, self.entry.message, self.entry.next_step) = (None, None, None);
            self.write("started", "looking again").await;
        }
    }

    /// Records how an invocation ended.
    pub async fn close(&mut self, response: &Response) {
        self.entry.summary = redact(&response.summary, self.secrets);
        self.entry.changed |= response.changed;
        self.entry.rpo_seconds = response.rpo_seconds.or(self.entry.rpo_seconds);
        match response.status {
            Status::Done => self.end(Status::Done, "done", &response.summary.clone()).await,
            Status::Failed => {
                self.entry.error_type = response.error_type;
                self.entry.message = response.message.as_deref().map(|m| redact(m, self.secrets));
                self.entry.next_step = response.next_step.clone();
                self.end(Status::Failed, "failed", &response.summary.clone()).await;
            }
            _ => {}
        }
    }

    async fn end(&mut self, status: Status, event: &str, text: &str) {
        self.entry.status = status;
        self.entry.ended_at = Some(clock::now());
        self.write(event, text).await;
    }

    async fn write(&mut self, event: &str, text: &str) {
        if self.silent {
            return;
        }
        let now = clock::now();
        let text = cut(&redact(text, self.secrets), 400);
        self.entry.updated_at.clone_from(&now);
        if event == "waiting" {
            self.entry.summary.clone_from(&text);
        }
        add(&mut self.entry.events, Event { at: now, event: event.to_owned(), text });
        if let Err(error) = self.store.put_json(&self.key, &self.entry).await {
            tracing::warn!(key = %self.key, %error, "the journal could not be written");
        }
    }
}

/// Appends; repeated waits for the same thing keep their first line.
fn add(events: &mut Vec<Event>, event: Event) {
    let same = events.last().is_some_and(|l| l.event == event.event && l.text == event.text);
    let ends_or_changes = matches!(event.event.as_str(), "change" | "done" | "failed");
    if !same && (events.len() < KEPT || (ends_or_changes && events.len() < 2 * KEPT)) {
        events.push(event);
    }
}

impl Watch for Journal<'_> {
    async fn holds_lock(&self) -> Result<bool> {
        lock::holds(self.store, &self.entry.product, &self.execution).await
    }

    async fn note(&mut self, event: &'static str, text: &str) {
        tracing::info!(event, text = %redact(text, self.secrets));
        let repeated = self.entry.events.last().is_some_and(|l| l.event == event && l.text == text);
        if !repeated {
            self.write(event, text).await;
        }
    }
}

fn new_entry(request: &Request) -> Entry {
    let context = &request.context;
    let now = clock::now();
    Entry {
        product: context.product.clone(),
        app: context.app.clone(),
        file: context.file.clone(),
        layer: context.layer,
        index: context.index,
        resource_type: request.resource_type.clone(),
        resource_name: request.resource_name.clone(),
        phase: request.phase.to_string(),
        status: Status::InProgress,
        summary: "looking".to_owned(),
        changed: false,
        error_type: None,
        message: None,
        next_step: None,
        rpo_seconds: None,
        started_at: now.clone(),
        updated_at: now,
        ended_at: None,
        events: vec![],
    }
}
