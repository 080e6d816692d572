//! manifest-loader: reads a product's manifests, checks all of it before anyone is asked, keeps a
//! copy of what is approved, and joins the plan.
//!
//! **Operations:** `load` a product, `phase` one application manifest, `plan` the join of all entries,
//! `again` one resource of a manifest that may have been corrected.
//! **Reads:** manifests in the bucket of the executing Region, and the run's folder.
//! **Writes:** the run's folder, the product's CloudWatch dashboard.
//! **Answers:** expected failures are data (`status: FAILED`); every field is always present.

mod ops;

use serde_json::Value;
use shared::{Error, Frame, Result};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::serve(handle).await
}

async fn handle(frame: Frame, payload: Value) -> Result<Value> {
    match payload["operation"].as_str() {
        Some("load") => ops::load::load(&frame, payload).await,
        Some("phase") => ops::phase::phase(&frame, payload).await,
        Some("plan") => ops::plan::plan(&frame, payload).await,
        Some("again") => ops::again::again(&frame, payload).await,
        other => Err(Error::internal(format!("there is no operation {other:?}"))),
    }
}
