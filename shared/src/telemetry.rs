//! Logs: one JSON object a line, as CloudWatch Logs Insights reads them.

use tracing_subscriber::EnvFilter;

/// Starts logging at `LOG_LEVEL` (default `info`). AWS SDK logs stay at `warn`: they could hold secrets.
pub fn init() {
    let level = std::env::var("LOG_LEVEL").unwrap_or_else(|_| "info".to_owned());
    let filter = EnvFilter::try_new(format!("warn,shared={level},bootstrap={level}"))
        .unwrap_or_else(|_| EnvFilter::new("info"));
    // A second start (tests) keeps the first subscriber.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_target(false)
        .try_init();
}
