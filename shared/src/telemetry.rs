//! Logs: one JSON object a line, as CloudWatch Logs Insights reads them.

use tracing_subscriber::EnvFilter;

/// Starts logging at `LOG_LEVEL` (default `info`): our own crates alone. SDK logs stay at `warn`:
/// they could hold secrets.
pub fn init() {
    let level = std::env::var("LOG_LEVEL").unwrap_or_else(|_| "info".to_owned());
    let function = std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default();
    let filter = EnvFilter::try_new(directives(&level, &function))
        .unwrap_or_else(|_| EnvFilter::new(directives("info", &function)));
    // A second start (tests) keeps the first subscriber.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_target(false)
        .try_init();
}

/// `shared` and the crate of this function, whose name its Lambda name ends with.
fn directives(level: &str, function: &str) -> String {
    let name = function.strip_prefix("aws-dr-orchestrator-").unwrap_or_default();
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return format!("warn,shared={level}");
    }
    format!("warn,shared={level},{}={level}", name.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_crates_log_at_the_level_and_nothing_else_does() {
        let filter = directives("debug", "aws-dr-orchestrator-failure-recorder");
        assert_eq!(filter, "warn,shared=debug,failure_recorder=debug");
        assert_eq!(directives("info", "somebody,else=trace"), "warn,shared=info");
    }
}
