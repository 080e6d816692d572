//! The product's dashboard: `<Product>-Troubleshooting-Dashboard`, made anew at each run.

use serde_json::{Value, json};
use shared::{Context, Doing, Frame};

/// Failed, timed out and aborted executions, written by the stack's EventBridge rule.
const STATUS_CHANGES: &str = "/dr-orchestrator/status-changes";

/// Puts it. Best effort: a run never waits for its dashboard.
pub async fn put(frame: &Frame, context: &Context) {
    let name = format!("{}-Troubleshooting-Dashboard", context.product);
    let changes = std::env::var("STATUS_LOG_GROUP").unwrap_or_else(|_| STATUS_CHANGES.to_owned());
    let answer = aws_sdk_cloudwatch::Client::new(&frame.config)
        .put_dashboard()
        .dashboard_name(&name)
        .dashboard_body(body(context, &changes).to_string())
        .send()
        .await
        .doing(&format!("put the dashboard {name}"));
    if let Err(error) = answer {
        tracing::warn!(%error, "the dashboard was not updated");
    }
}

/// The executing Region first, then the other: dashboards are global, the log groups are not.
fn body(context: &Context, changes: &str) -> Value {
    let others = [&context.primary_region, &context.secondary_region];
    let mut regions = vec![context.region.as_str()];
    regions
        .extend(others.into_iter().flatten().map(String::as_str).filter(|r| *r != context.region));
    regions.dedup();
    let mut widgets = vec![heading(&context.product)];
    for (n, region) in regions.iter().enumerate() {
        let y = 2 + 16 * n;
        widgets.push(table(
            region,
            y,
            &format!("Failures, questions and decisions of {}", context.product),
            &failures(&context.product),
        ));
        widgets.push(table(
            region,
            y + 8,
            "Failed, timed out and aborted executions of all products",
            &executions(changes),
        ));
    }
    json!({"start": "-P7D", "widgets": widgets})
}

fn heading(product: &str) -> Value {
    let text = format!(
        "# {product}\nMade by the DR Orchestrator at each run of the product. To look into a failure, open the state machine of *detail.stateMachineArn* and search its execution *detail.name*."
    );
    json!({
        "type": "text", "x": 0, "y": 0, "width": 24, "height": 2,
        "properties": {"markdown": text},
    })
}

fn table(region: &str, y: usize, title: &str, query: &str) -> Value {
    json!({
        "type": "log", "x": 0, "y": y, "width": 24, "height": 8,
        "properties": {
            "title": format!("{title}, {region}"), "region": region, "view": "table", "query": query,
        },
    })
}

/// Status changes do not know their product; what failure-recorder, reporter and
/// approval-request log does.
fn failures(product: &str) -> String {
    format!(
        "SOURCE '/aws/lambda/aws-dr-orchestrator-failure-recorder' | SOURCE '/aws/lambda/aws-dr-orchestrator-reporter' | SOURCE '/aws/lambda/aws-dr-orchestrator-approval-request' | filter product = '{product}' | fields @timestamp, execution, errorType, line | sort @timestamp desc | limit 100"
    )
}

fn executions(changes: &str) -> String {
    format!(
        "SOURCE '{changes}' | fields @timestamp, detail.stateMachineArn, detail.name, detail.status, detail.cause | sort @timestamp desc | limit 100"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_region_shows_its_own_logs_the_executing_one_first() {
        let context: Context = serde_json::from_value(json!({
            "product": "shop", "execution": "arn", "root": "r", "startedAt": "t",
            "region": "us-west-2", "primaryRegion": "us-east-1", "secondaryRegion": "us-west-2",
            "unplanned": false, "folder": "f/"
        }))
        .unwrap();
        let body = body(&context, STATUS_CHANGES);
        let regions: Vec<_> = body["widgets"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|w| w["properties"]["region"].as_str())
            .collect();
        assert_eq!(regions, ["us-west-2", "us-west-2", "us-east-1", "us-east-1"]);
        let text = body.to_string();
        for field in [
            "detail.stateMachineArn",
            "detail.name",
            "detail.status",
            "detail.cause",
            "product = 'shop'",
        ] {
            assert!(text.contains(field), "{field}");
        }
    }
}
