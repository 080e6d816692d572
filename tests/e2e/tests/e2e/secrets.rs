//! Everything that people and machines can read after a run.

use e2e::World;

/// Execution histories, objects of the bucket, mails, the functions' logs and the call log; each with
/// its place.
pub async fn everything(world: &World, region: &str) -> Vec<(String, String)> {
    let mut all = histories(world, region).await;
    for key in world.keys(region, "").await {
        if key.contains("/releases/") {
            continue;
        }
        let get = world.s3(region).get_object().bucket(World::bucket(region)).key(&key);
        let body = get.send().await.unwrap().body.collect().await.unwrap().to_vec();
        all.push((key, String::from_utf8_lossy(&body).into_owned()));
    }
    for mail in world.control.mails() {
        all.push((mail.subject, mail.body));
    }
    for function in [
        "manifest-loader",
        "approval-request",
        "approval-callback",
        "failure-recorder",
        "reporter",
        "module-test",
    ] {
        let log = world.control.log(function);
        assert!(!log.is_empty(), "{function} has no log");
        all.push((format!("log of {function}"), log.join("\n")));
    }
    all
}

/// Every event of every execution of every state machine.
async fn histories(world: &World, region: &str) -> Vec<(String, String)> {
    let sfn = world.sfn(region);
    let machines = sfn.list_state_machines().send().await.unwrap();
    let mut all = Vec::new();
    for machine in machines.state_machines() {
        let list = sfn.list_executions().state_machine_arn(machine.state_machine_arn());
        for execution in list.send().await.unwrap().executions() {
            let arn = execution.execution_arn();
            let history = sfn.get_execution_history().execution_arn(arn).send().await.unwrap();
            assert!(history.events().len() > 1, "{arn}");
            all.push((arn.to_owned(), format!("{:?}", history.events())));
        }
    }
    all
}
