//! What may be changed at all: only what was approved for this resource, and only while the run
//! holds its product's lock. Asked immediately before each change.

use crate::engine::Watch;
use crate::error::{Error, ErrorType, Result};
use crate::progress::Cx;
use crate::resource::{ChangeClass, Classified};

/// Ok: the change may be made now.
///
/// # Errors
/// `Dr.Refused` when the approved plan holds no such change, `Dr.Locked` when another run has taken
/// the product over; as the bucket says when the lock cannot be read.
pub(crate) async fn permit<C: Classified, W: Watch>(change: &C, cx: &Cx, watch: &W) -> Result<()> {
    let class = change.class();
    if !class.hurts() {
        return Ok(());
    }
    if !class.is_permitted(&cx.context.approved) {
        return Err(unapproved(&change.summary(), class, cx));
    }
    match watch.holds_lock().await? {
        true => Ok(()),
        false => Err(lost(cx)),
    }
}

fn unapproved(summary: &str, class: ChangeClass, cx: &Cx) -> Error {
    let worst = cx.context.approved.iter().max();
    let known = worst.map_or("nothing that hurts", |c| c.as_str());
    let text = format!(
        "it would now {summary} ({}), and what was approved for this resource is {known}",
        class.as_str()
    );
    Error::refused(text)
        .next("Start again: the new plan shows this change, and an approver decides.")
}

fn lost(cx: &Cx) -> Error {
    let product = &cx.context.product;
    let text = format!(
        "this run does not hold the lock of {product} any more: it was aborted or has ended, or another run has taken the product over. No further change is made"
    );
    Error::new(ErrorType::Locked, text).next(format!(
        "Read s3://<bucket>/{} to see which run holds it.",
        crate::lock::key(product)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Phase;
    use crate::progress::sample_cx;

    struct Hurts(ChangeClass);
    impl Classified for Hurts {
        fn name(&self) -> &'static str {
            "Hurt"
        }
        fn class(&self) -> ChangeClass {
            self.0
        }
        fn summary(&self) -> String {
            "delete it".into()
        }
    }

    struct Holds(Result<bool>);
    impl Watch for Holds {
        async fn note(&mut self, _: &'static str, _: &str) {}
        async fn holds_lock(&self) -> Result<bool> {
            self.0.clone()
        }
    }

    async fn asked(
        class: ChangeClass,
        approved: &[ChangeClass],
        holds: Result<bool>,
    ) -> Result<()> {
        let mut cx = sample_cx(Phase::Cleanup);
        cx.context.approved = approved.to_vec();
        permit(&Hurts(class), &cx, &Holds(holds)).await
    }

    #[tokio::test]
    async fn what_was_not_approved_is_refused() {
        use ChangeClass::*;
        for (class, approved) in [
            (Destructive, &[Create, Modify, Traffic, DataLoss][..]),
            (DataLoss, &[Traffic]),
            (Traffic, &[Create]),
            (Traffic, &[]),
        ] {
            let error = asked(class, approved, Ok(true)).await.unwrap_err();
            assert_eq!(error.error_type, ErrorType::Refused);
            assert!(error.message.contains("delete it"), "{}", error.message);
        }
    }

    #[tokio::test]
    async fn what_was_approved_passes_and_what_hurts_less_too() {
        use ChangeClass::*;
        for (class, approved) in [
            (Destructive, &[Destructive][..]),
            (Traffic, &[DataLoss]),
            (Modify, &[]),
            (Create, &[]),
        ] {
            assert!(asked(class, approved, Ok(true)).await.is_ok(), "{class:?}");
        }
    }

    #[tokio::test]
    async fn without_the_lock_nothing_that_hurts_is_done() {
        use ChangeClass::*;
        let lost = asked(Destructive, &[Destructive], Ok(false)).await.unwrap_err();
        assert_eq!(lost.error_type, ErrorType::Locked);
        assert!(lost.next_step.contains("locks/shop.json"), "{}", lost.next_step);
        let unreadable = Err(Error::internal("no answer"));
        assert!(asked(Destructive, &[Destructive], unreadable).await.is_err());
        assert!(asked(Modify, &[], Ok(false)).await.is_ok(), "it is asked where it hurts alone");
    }
}
