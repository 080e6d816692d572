//! What is read from CloudFormation and S3, in our own types.

use crate::decide::executed;
use crate::events::{Event, first_failure, last_operation, length_of_operation};
use crate::guard::Seen;
use crate::location::Location;
use crate::observed::{ChangeSet, Names, Observed, Stack, Wanted, fingerprint};
use crate::parameters::Parameters;
use crate::template::Template;
use aws_sdk_cloudformation::types;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use serde_json::Value;
use shared::{Cx, Doing, Error, ErrorType, Mode, Nature, Result};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// CloudFormation's limit for a template in S3.
const TEMPLATE_LIMIT: i64 = 1_048_576;
/// Pages of events, of 100 each, in which the beginning of an operation is looked for.
const EVENT_PAGES: usize = 20;
/// Nested stacks within nested stacks, at most.
const DEPTH: usize = 5;

/// What DeployCF holds during one invocation.
pub struct Calls {
    pub(crate) cloudformation: aws_sdk_cloudformation::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) location: Location,
    pub(crate) region: String,
    /// Read once: the loop looks often, the template does not change.
    pub(crate) wanted: OnceCell<Arc<Wanted>>,
}

impl Calls {
    pub(crate) async fn look(&self, p: &Parameters, cx: &Cx) -> Result<Observed> {
        let wanted = self.wanted.get_or_try_init(|| self.read_template(p)).await?.clone();
        let mut stack = self.stack(&p.stack_name).await?;
        if let (None, Some(id)) = (&stack, executed(cx)) {
            // OnFailure DELETE leaves no stack of that name; its id still tells what happened.
            stack = self.stack(&id).await?;
        }
        let mut o = Observed {
            wanted,
            stack,
            last: None,
            change_set: None,
            failure: None,
            region: self.region.clone(),
        };
        self.look_at_stack(p, &mut o).await?;
        if cx.mode == Mode::Execute
            && o.stack.as_ref().is_some_and(|s| s.status != "DELETE_COMPLETE")
        {
            let name = Names::new(&o.wanted, cx).change_set(o.stack.as_ref());
            o.change_set = self.change_set(&p.stack_name, &name).await?;
        }
        Ok(o)
    }

    /// Events and present template, where the status asks for them.
    async fn look_at_stack(&self, p: &Parameters, o: &mut Observed) -> Result<()> {
        let Some(stack) = &mut o.stack else { return Ok(()) };
        if stack.status.ends_with("_IN_PROGRESS") {
            return Ok(());
        }
        let clean = ["CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"];
        let failed = !clean.contains(&stack.status.as_str());
        let events = self.events(stack, failed).await?;
        o.last = last_operation(&events);
        stack.generation = o.last.as_ref().map_or(stack.generation, |l| l.at);
        o.failure = failed.then(|| first_failure(&events, &stack.status)).flatten();
        if stack.status.ends_with("_COMPLETE") && stack.status != "DELETE_COMPLETE" {
            stack.body = self.present_template(&p.stack_name).await?;
        }
        Ok(())
    }

    pub(crate) async fn read_template(&self, p: &Parameters) -> Result<Arc<Wanted>> {
        let Location { bucket, key, version, .. } = &self.location;
        let from = format!("s3://{bucket}/{key}");
        let answer = self
            .s3
            .get_object()
            .bucket(bucket)
            .key(key)
            .set_version_id(version.clone())
            .send()
            .await
            .doing(&format!("read the template {from}"))
            .map_err(|e| if e.is_not_found() || e.error_type == ErrorType::AccessDenied {
                e.next("Upload the template or correct its name; the DR execution role must be \
                        allowed to read it, and so must the bucket's policy and key if the bucket is \
                        in another account.")
            } else { e })?;
        let template = Template::parse(&text_of(answer, &from).await?, &from)?;
        let fingerprint = fingerprint(&template, p);
        Ok(Arc::new(Wanted { template, from, fingerprint }))
    }

    async fn stack(&self, name: &str) -> Result<Option<Stack>> {
        let answer = self
            .cloudformation
            .describe_stacks()
            .stack_name(name)
            .send()
            .await
            .doing(&format!("describe stack {name} in {}", self.region));
        match answer {
            Err(error) if error.is_not_found() => Ok(None),
            other => Ok(other?.stacks().first().map(stack_of)),
        }
    }

    async fn present_template(&self, name: &str) -> Result<Option<Value>> {
        let answer = self
            .cloudformation
            .get_template()
            .stack_name(name)
            .template_stage(types::TemplateStage::Original)
            .send()
            .await
            .doing(&format!("read the template of stack {name} in {}", self.region))?;
        // One that we cannot read differs from the wanted one.
        Ok(answer.template_body().and_then(|t| Template::parse(t, name).ok()).map(|t| t.body))
    }

    /// The newest events; `whole` goes back to the beginning of the last operation.
    async fn events(&self, stack: &Stack, whole: bool) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        let mut token = None;
        for _ in 0..EVENT_PAGES {
            let page = self
                .cloudformation
                .describe_stack_events()
                .stack_name(&stack.id)
                .set_next_token(token)
                .send()
                .await
                .doing(&format!("read the events of stack {}", stack.id))?;
            events.extend(page.stack_events().iter().map(event_of));
            token = page.next_token().map(str::to_owned);
            let enough = match whole {
                true => length_of_operation(&events, &stack.status).is_some(),
                false => last_operation(&events).is_some(),
            };
            if enough || token.is_none() {
                break;
            }
        }
        Ok(events)
    }

    async fn change_set(&self, stack: &str, name: &str) -> Result<Option<ChangeSet>> {
        let Some((mut found, seen)) = self.described(Some(stack), name).await? else {
            return Ok(None);
        };
        if found.status == "CREATE_COMPLETE" {
            let seen = self.with_nested(seen).await?;
            found.losses = seen.iter().filter_map(Seen::loss).collect();
        }
        Ok(Some(found))
    }

    /// Adds the changes inside nested stacks, level by level.
    async fn with_nested(&self, top: Vec<(Seen, Option<String>)>) -> Result<Vec<Seen>> {
        let mut all = Vec::new();
        let mut level = top;
        for _ in 0..DEPTH {
            let mut next = Vec::new();
            for (mut seen, nested) in level {
                if let Some(id) = nested
                    && let Some((_, inner)) = self.described(None, &id).await?
                {
                    seen.opened = true;
                    let outer = seen.logical.clone();
                    next.extend(inner.into_iter().map(|(mut one, id)| {
                        one.logical = format!("{outer}/{}", one.logical);
                        (one, id)
                    }));
                }
                all.push(seen);
            }
            level = next;
        }
        all.extend(level.into_iter().map(|(seen, _)| seen));
        Ok(all)
    }

    /// A change set, by name or ARN, with each change and the nested change set behind it.
    async fn described(
        &self,
        stack: Option<&str>,
        name: &str,
    ) -> Result<Option<(ChangeSet, Vec<(Seen, Option<String>)>)>> {
        let mut found = ChangeSet::default();
        let mut seen = Vec::new();
        let mut token = None;
        loop {
            let answer = self
                .cloudformation
                .describe_change_set()
                .set_stack_name(stack.map(str::to_owned))
                .change_set_name(name)
                .set_next_token(token)
                .send()
                .await
                .doing(&format!("describe change set {name}"));
            let page = match answer {
                Err(error) if error.is_not_found() => return Ok(None),
                other => other?,
            };
            found.status = page.status().map_or("", |s| s.as_str()).to_owned();
            found.execution = page.execution_status().map_or("", |s| s.as_str()).to_owned();
            found.reason = page.status_reason().unwrap_or_default().to_owned();
            seen.extend(page.changes().iter().filter_map(|c| c.resource_change()).map(seen_of));
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(Some((found, seen)));
            }
        }
    }
}

/// The template, as far as S3 alone can tell.
async fn text_of(answer: GetObjectOutput, from: &str) -> Result<String> {
    let wrong = |why: &str| Error::invalid_parameters(format!("the template {from} {why}"));
    if answer.content_length().unwrap_or(0) > TEMPLATE_LIMIT {
        return Err(wrong("is larger than 1 MB"));
    }
    let bytes = answer.body.collect().await.map_err(|e| {
        let text = format!("could not read the template {from}: {e}");
        Error::new(ErrorType::Failed, text).nature(Nature::Uncertain)
    })?;
    String::from_utf8(bytes.to_vec()).map_err(|_| wrong("is no text in UTF-8"))
}

fn stack_of(stack: &types::Stack) -> Stack {
    let text = |t: Option<&str>| t.unwrap_or_default().to_owned();
    Stack {
        id: text(stack.stack_id()),
        status: text(stack.stack_status().map(|s| s.as_str())),
        reason: text(stack.stack_status_reason()),
        generation: stack.creation_time().map_or(0, |t| t.secs()),
        parameters: stack
            .parameters()
            .iter()
            .map(|one| (text(one.parameter_key()), text(one.parameter_value())))
            .collect(),
        tags: stack.tags().iter().map(|t| (text(t.key()), text(t.value()))).collect(),
        protected: stack.enable_termination_protection().unwrap_or(false),
        body: None,
    }
}

fn event_of(event: &types::StackEvent) -> Event {
    let text = |t: Option<&str>| t.unwrap_or_default().to_owned();
    Event {
        logical: text(event.logical_resource_id()),
        kind: text(event.resource_type()),
        of_stack: event.physical_resource_id() == event.stack_id(),
        status: text(event.resource_status().map(|s| s.as_str())),
        reason: text(event.resource_status_reason()),
        token: text(event.client_request_token()),
        at: event.timestamp().map_or(0, |t| t.secs()),
    }
}

fn seen_of(change: &types::ResourceChange) -> (Seen, Option<String>) {
    let text = |t: Option<&str>| t.unwrap_or_default().to_owned();
    let seen = Seen {
        action: text(change.action().map(|a| a.as_str())),
        logical: text(change.logical_resource_id()),
        kind: text(change.resource_type()),
        replacement: text(change.replacement().map(|r| r.as_str())),
        opened: false,
    };
    (seen, change.change_set_id().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::primitives::{ByteStream, SdkBody};

    async fn read(body: ByteStream, length: i64) -> Result<String> {
        let answer = GetObjectOutput::builder().body(body).content_length(length).build();
        text_of(answer, "s3://b/t.yaml").await
    }

    #[tokio::test]
    async fn a_template_that_is_too_large_or_no_text_is_named() {
        let text = || ByteStream::from_static(b"Resources: {}");
        assert_eq!(read(text(), TEMPLATE_LIMIT).await.unwrap(), "Resources: {}");
        for (answer, why) in [
            (read(text(), TEMPLATE_LIMIT + 1).await, "is larger than 1 MB"),
            (read(ByteStream::from_static(b"\xff\xfe"), 2).await, "is no text in UTF-8"),
        ] {
            let error = answer.unwrap_err();
            assert_eq!(error.error_type, ErrorType::InvalidParameters);
            assert_eq!(error.message, format!("the template s3://b/t.yaml {why}"));
        }
    }

    #[tokio::test]
    async fn a_template_that_breaks_off_is_read_again() {
        let error = read(ByteStream::new(SdkBody::taken()), 2).await.unwrap_err();
        assert!(error.is_transient(), "{error:?}");
        assert!(error.message.starts_with("could not read the template s3://b/t.yaml"), "{error}");
    }
}
