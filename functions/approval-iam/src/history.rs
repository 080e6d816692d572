//! What was written to a parameter, and by whom: Parameter Store's own record.

use shared::{Doing, Frame, Result};

/// One version.
#[derive(Debug, Clone)]
pub struct Written {
    /// The ARN of who wrote it, as the service recorded it.
    pub user: String,
    /// The value.
    pub value: String,
    /// Seconds since 1970.
    pub at: i64,
    /// Counts from 1.
    pub version: i64,
}

/// Every version that Parameter Store still knows (at most 100), oldest first: of two people who
/// write one after the other, the second must not hide the first.
///
/// # Errors
/// As the service says. A parameter that is not found is an error too: an event may be faster than
/// the store, and Lambda then asks again.
pub async fn read(frame: &Frame, name: &str) -> Result<Vec<Written>> {
    let client = aws_sdk_ssm::Client::new(&frame.config);
    let mut pages = client.get_parameter_history().name(name).into_paginator().send();
    let mut all = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.doing(&format!("read the history of the parameter {name}"))?;
        all.extend(page.parameters().iter().map(|p| Written {
            user: p.last_modified_user().unwrap_or_default().to_owned(),
            value: p.value().unwrap_or_default().to_owned(),
            at: p.last_modified_date().map_or(0, |d| d.secs()),
            version: p.version(),
        }));
    }
    all.sort_by_key(|w| w.version);
    Ok(all)
}
