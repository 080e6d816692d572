//! Whether anyone will get the approval mail.

use shared::{Doing, Frame, Result};

/// A warning when nobody has confirmed the topic's subscription. Best effort: no warning when it
/// cannot be told.
pub async fn warning(frame: &Frame) -> Option<String> {
    match confirmed(frame).await {
        Ok(true) => None,
        Ok(false) => Some(format!(
            "nobody has confirmed a subscription of {}: the approval mail reaches no one. Open the confirmation mail, or subscribe.",
            frame.env.topic_arn
        )),
        Err(error) => {
            tracing::warn!(%error, "the topic's subscriptions could not be read");
            None
        }
    }
}

async fn confirmed(frame: &Frame) -> Result<bool> {
    let client = aws_sdk_sns::Client::new(&frame.config);
    let mut pages = client
        .list_subscriptions_by_topic()
        .topic_arn(&frame.env.topic_arn)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.doing("list the subscriptions of the approval topic")?;
        // An open one has a word in place of its ARN: PendingConfirmation.
        if page.subscriptions().iter().any(|s| s.subscription_arn().is_some_and(is_arn)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_arn(text: &str) -> bool {
    text.starts_with("arn:")
}
