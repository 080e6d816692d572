//! What was approved: the plan that the approver saw, resource by resource.

use shared::folder::Plan;
use shared::{ChangeClass, Context, Error, ErrorType, Frame, Result, lock};
use std::collections::BTreeMap;

/// The worst class of change that was approved, by `<file>-<layer>-<index>`. A resource that was
/// done already has none.
pub type Approved = BTreeMap<String, ChangeClass>;

/// The approved plan of the run that the context names, which must hold its product's lock.
///
/// # Errors
/// `Dr.Locked` for the context of a run that holds no lock, `Dr.Refused` without a plan.
pub async fn approved(frame: &Frame, context: &Context) -> Result<Approved> {
    if !lock::holds(&frame.store, &context.product, &context.execution).await? {
        let text = format!(
            "the input's context names a run that does not hold the lock of {}, or was aborted",
            context.product
        );
        return Err(Error::new(ErrorType::Locked, text).next("Start the product again."));
    }
    let key = format!("{}plan.json", context.folder);
    let plan: Option<Plan> = frame.store.get_json(&key).await?;
    let plan = plan.filter(|plan| plan.blockers.is_empty()).ok_or_else(|| {
        Error::refused(format!("{} is no plan that was approved", frame.store.url(&key)))
            .next("Start the product again.")
    })?;
    Ok(of(&plan))
}

fn of(plan: &Plan) -> Approved {
    let entries = plan.entries.iter();
    entries.filter_map(|e| Some((e.position(), e.response.change_class?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared::{Response, Status};

    #[test]
    fn what_is_done_already_approves_nothing() {
        let entry = |index: u32, class: Option<ChangeClass>, status| {
            let mut value = serde_json::to_value(Response {
                change_class: class,
                ..Response::new(status, "x")
            })
            .unwrap();
            let place = json!({
                "app": "a", "file": "f", "layer": 0, "index": index,
                "resourceType": "T", "resourceName": "n",
            });
            value.as_object_mut().unwrap().extend(place.as_object().unwrap().clone());
            value
        };
        let plan: Plan = serde_json::from_value(json!({"entries": [
            entry(0, Some(ChangeClass::Traffic), Status::Planned),
            entry(1, None, Status::Done),
            entry(2, Some(ChangeClass::Destructive), Status::Unknown),
        ]}))
        .unwrap();
        let approved = of(&plan);
        assert_eq!(approved.get("f-0-0"), Some(&ChangeClass::Traffic));
        assert_eq!(approved.get("f-0-1"), None);
        assert_eq!(approved.get("f-0-2"), Some(&ChangeClass::Destructive));
    }
}
