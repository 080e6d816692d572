//! The changes, one mutating call each, and what their refusals mean.

use crate::calls::Calls;
use crate::change::{Change, Verdict};
use crate::parameters::{OnFailure, Parameters};
use aws_sdk_cloudformation::types::{self, ChangeSetType};
use serde_json::{Value, json};
use shared::{Doing, Error, Nature, Result};

/// CloudFormation takes a larger template only by its address.
const BODY_LIMIT: usize = 51_200;

impl Calls {
    pub(crate) async fn make(&self, p: &Parameters, change: Change) -> Result<Value> {
        match change {
            Change::Create { name, .. } => self.create_change_set(p, &name, None).await,
            Change::Update { name, previous, .. } => {
                self.create_change_set(p, &name, Some(&previous)).await
            }
            Change::Execute { name, stack, stack_id } => {
                self.execute(&name, &stack, stack_id).await
            }
            Change::DeleteChangeSet { name, verdict } => {
                self.drop_change_set(p, &name, &verdict).await
            }
            Change::DeleteStack { stack_id, token, .. } => {
                let call = self.cloudformation.delete_stack();
                let call = call.stack_name(&stack_id).client_request_token(token);
                let call = call.set_role_arn(p.role_arn.clone());
                call.send().await.doing(&format!("delete stack {stack_id}")).map_err(state)?;
                Ok(Value::Null)
            }
            Change::Protect { stack } => {
                let call = self.cloudformation.update_termination_protection();
                let call = call.stack_name(&stack).enable_termination_protection(true);
                call.send().await.doing(&format!("protect stack {stack}")).map_err(state)?;
                Ok(Value::Null)
            }
        }
    }

    /// `previous` are the parameters that an update keeps; None creates the stack.
    async fn create_change_set(
        &self,
        p: &Parameters,
        name: &str,
        previous: Option<&[String]>,
    ) -> Result<Value> {
        let wanted = self.wanted.get_or_try_init(|| self.read_template(p)).await?;
        let small = wanted.template.text.len() <= BODY_LIMIT;
        let kind = if previous.is_some() { ChangeSetType::Update } else { ChangeSetType::Create };
        let capabilities = p.capabilities.as_ref().map(|list| {
            list.0.iter().map(|c| types::Capability::from(c.as_str())).collect::<Vec<_>>()
        });
        let tags = p.tags.as_ref().map(|tags| {
            tags.iter().map(|(k, v)| types::Tag::builder().key(k).value(&v.0).build()).collect()
        });
        let answer = self
            .cloudformation
            .create_change_set()
            .stack_name(&p.stack_name)
            .change_set_name(name)
            .client_token(name)
            .change_set_type(kind)
            .set_template_body(small.then(|| wanted.template.text.clone()))
            .set_template_url((!small).then(|| self.location.url.clone()))
            .set_parameters(Some(parameters(p, previous.unwrap_or_default())))
            .set_capabilities(capabilities)
            .set_tags(tags)
            .set_role_arn(p.role_arn.clone())
            .include_nested_stacks(true)
            .set_on_stack_failure(on_failure(p.on_failure, previous.is_some()))
            .send()
            .await
            .doing(&format!("make a change set of stack {}", p.stack_name))
            .map_err(state)?;
        Ok(json!({"stackId": answer.stack_id(), "changeSet": name}))
    }

    async fn execute(&self, name: &str, stack: &str, stack_id: String) -> Result<Value> {
        let call = self.cloudformation.execute_change_set();
        let call = call.stack_name(stack).change_set_name(name).client_request_token(name);
        call.send().await.doing(&format!("carry out change set {name}")).map_err(state)?;
        Ok(json!({"stackId": stack_id}))
    }

    async fn drop_change_set(
        &self,
        p: &Parameters,
        name: &str,
        verdict: &Verdict,
    ) -> Result<Value> {
        let call = self.cloudformation.delete_change_set();
        let call = call.stack_name(&p.stack_name).change_set_name(name);
        let answer = call.send().await.doing(&format!("delete change set {name}")).map_err(state);
        match answer {
            Err(error) if !error.is_not_found() => Err(error),
            _ => serde_json::to_value(verdict).map_err(|e| Error::internal(e.to_string())),
        }
    }
}

/// Refusals that mean: look at the stack again, it is not as it was.
fn state(error: Error) -> Error {
    const CODES: [&str; 5] = [
        "AlreadyExistsException",
        "TokenAlreadyExistsException",
        "InvalidChangeSetStatus",
        "ChangeSetNotFound",
        "InvalidOperationException",
    ];
    let code = error.code.clone().unwrap_or_default();
    let busy = code == "ValidationError" && error.message.contains(" state and can not be ");
    if busy || CODES.contains(&code.as_str()) {
        return error.nature(Nature::StateFault);
    }
    match code.as_str() {
        "InsufficientCapabilitiesException" => error.next("Add what it names to Capabilities."),
        "LimitExceededException" => {
            error.next("Delete unused stacks or raise the quota, then start again.")
        }
        "ValidationError" => {
            error.next("Correct the template or its parameters, then start again.")
        }
        _ => error,
    }
}

/// `DELETE` is legal for creations alone.
fn on_failure(wanted: OnFailure, update: bool) -> Option<types::OnStackFailure> {
    match wanted {
        OnFailure::Rollback => Some(types::OnStackFailure::Rollback),
        OnFailure::DoNothing => Some(types::OnStackFailure::DoNothing),
        OnFailure::Delete if update => Some(types::OnStackFailure::Rollback),
        OnFailure::Delete => Some(types::OnStackFailure::Delete),
    }
}

fn parameters(p: &Parameters, previous: &[String]) -> Vec<types::Parameter> {
    let builder = types::Parameter::builder;
    let given =
        p.parameters.iter().map(|(k, v)| builder().parameter_key(k).parameter_value(&v.0).build());
    let kept = previous.iter().map(|k| builder().parameter_key(k).use_previous_value(true).build());
    given.chain(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::aws::from_code;

    #[test]
    fn a_stack_that_is_not_as_it_was_is_looked_at_again() {
        let busy = "Stack:x is in UPDATE_IN_PROGRESS state and can not be updated.";
        let cases = [
            ("ValidationError", busy, Nature::StateFault),
            ("ValidationError", "Template format error", Nature::Final),
            ("AlreadyExistsException", "", Nature::StateFault),
            ("TokenAlreadyExistsException", "", Nature::StateFault),
            ("InvalidChangeSetStatus", "", Nature::StateFault),
            ("ChangeSetNotFound", "", Nature::StateFault),
            ("InsufficientCapabilitiesException", "", Nature::Final),
            ("LimitExceededException", "", Nature::Final),
            ("Throttling", "", Nature::Throttled),
        ];
        for (code, message, wanted) in cases {
            assert_eq!(state(from_code("x", code, message, 400)).nature, wanted, "{code}");
        }
    }

    #[test]
    fn an_update_is_never_deleted_for_its_failure() {
        let delete = |update| on_failure(OnFailure::Delete, update).unwrap().as_str().to_owned();
        assert_eq!((delete(false), delete(true)), ("DELETE".into(), "ROLLBACK".into()));
    }
}
