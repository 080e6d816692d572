//! One case per rule: what is written, and where and how it is refused.

use crate::application;
use crate::problem::Report;
use crate::product;
use crate::registry::Registry;
use crate::start;
use serde_json::{Value, json};
use shared::{ErrorType, Phase};

fn registry() -> &'static Registry {
    Registry::get().unwrap()
}

/// `path: text` of everything wrong with an application manifest in ACTIVATE.
fn application(value: &Value) -> Vec<String> {
    let mut report = Report::default();
    application::check(registry(), "f", value, Some(Phase::Activate), &mut report);
    lines(report)
}

fn product(value: &Value, here: Option<&str>) -> Vec<String> {
    let mut report = Report::default();
    product::check(registry(), "f", value, here, Some("bucket"), &mut report);
    lines(report)
}

fn lines(report: Report) -> Vec<String> {
    report.problems.iter().map(|p| format!("{}: {}", p.path, p.text)).collect()
}

/// A manifest of one resource.
fn one(resource: Value) -> Value {
    json!([{"layer": 1, "resources": [resource]}])
}

fn good_product() -> Value {
    json!({
        "action": "ACTIVATE", "product_name": "shop",
        "product": [{"app_layer": 1, "apps": [
            {"name": "app1", "service_order_files": ["m/app1.json"]}
        ]}],
    })
}

/// The product with one key set to another value, or added.
fn with(key: &str, value: Value) -> Value {
    let mut product = good_product();
    product[key] = value;
    product
}

fn assert_one(found: &[String], path: &str, words: &[&str]) {
    assert_eq!(found.len(), 1, "{path}: {found:#?}");
    assert!(found[0].starts_with(&format!("{path}: ")), "{path}: {found:?}");
    for word in words {
        assert!(found[0].contains(word), "{word} is not in {found:?}");
    }
}

#[test]
fn a_good_manifest_is_silent() {
    let resources = json!([{"layer": 1, "resources": [
        {"resourceType": "ModuleTest", "resourceName": "Smoke test", "parameters": {"Sleep": "5"}},
        {"action": "ModuleTest", "resourceName": "older names", "AccountId": "123456789012",
         "parameters": [{"Echo": "!Import a", "Sleep": "resolve:ssm:/a/b:3"}]},
        {"resourceType": "ModuleTest", "resourceName": "none"},
    ]}]);
    assert_eq!(application(&resources), Vec::<String>::new());
    assert_eq!(product(&good_product(), Some("us-west-2")), Vec::<String>::new());
}

#[test]
pub fn each_rule_of_an_application_manifest_names_its_place_and_what_would_be_right() {
    let test = |parameters: Value| json!({"resourceType": "ModuleTest", "resourceName": "t", "parameters": parameters});
    let p = "$[0].resources[0].parameters";
    let r = "$[0].resources[0]";
    let cases: Vec<(Value, String, Vec<&str>)> = vec![
        (json!([]), "$".into(), vec!["an empty list", "at least one layer"]),
        (json!({}), "$".into(), vec!["must be a list"]),
        (json!([{"layer": 1}]), "$[0]".into(), vec!["\"resources\" is missing"]),
        (json!([{"layer": 1, "resources": []}]), "$[0].resources".into(), vec!["empty list"]),
        (
            json!([{"layer": "1", "resources": [test(json!({}))]}]),
            "$[0].layer".into(),
            vec!["\"1\"", "a whole number"],
        ),
        (
            json!([{"resorces": 1, "resources": [test(json!({}))]}]),
            "$[0].resorces".into(),
            vec!["Did you mean \"resources\"?"],
        ),
        (one(json!("x")), r.into(), vec!["an object with resourceType"]),
        (one(json!({"resourceName": "x"})), r.into(), vec!["\"resourceType\" is missing"]),
        (
            one(json!({"resourceType": "ModuleTest", "action": "ModuleTest", "resourceName": "x"})),
            r.into(),
            vec!["both resourceType and"],
        ),
        (one(json!({"resourceType": "ModuleTest"})), r.into(), vec!["\"resourceName\" is missing"]),
        (
            one(json!({"resourceType": "ModuleTest", "resourceName": ""})),
            format!("{r}.resourceName"),
            vec!["1 to 128 characters"],
        ),
        (
            one(json!({"resourceType": "ModuleTest", "resourceName": 7})),
            format!("{r}.resourceName"),
            vec!["the number 7", "in quotes: \"7\""],
        ),
        (
            one(json!({"resourceType": "ModulTest", "resourceName": "x"})),
            format!("{r}.resourceType"),
            vec!["Did you mean \"ModuleTest\"?", "Legal in ACTIVATE"],
        ),
        (
            one(json!({"resourceType": "DeleteRDSInstance", "resourceName": "x", "parameters": {
            "RDSInstanceIdentifier": "a", "Region": "us-east-1", "ExpectedWriterArn": "!Import a"}})),
            format!("{r}.resourceType"),
            vec!["not legal in ACTIVATE, only in CLEANUP, REPLICATE"],
        ),
        (
            one(test(json!({"Slep": 1}))),
            format!("{p}.Slep"),
            vec!["unknown parameter", "Did you mean \"Sleep\"?"],
        ),
        (
            one(json!({"resourceType": "DeployCF", "resourceName": "x", "parameters": {}})),
            p.into(),
            vec!["\"StackName\" is missing: Name of the stack"],
        ),
        (
            one(test(json!({"Sleep": "soon"}))),
            format!("{p}.Sleep"),
            vec!["\"soon\"", "a whole number"],
        ),
        (one(test(json!({"Sleep": 1.5}))), format!("{p}.Sleep"), vec!["the number 1.5"]),
        (one(test(json!({"AssumeRole": "perhaps"}))), format!("{p}.AssumeRole"), vec!["a boolean"]),
        (
            one(test(json!({"Outcome": "DON"}))),
            format!("{p}.Outcome"),
            vec!["Did you mean \"DONE\"?"],
        ),
        (one(test(json!({"ResolveTokens": {}}))), format!("{p}.ResolveTokens"), vec!["a list"]),
        (
            one(
                json!({"resourceType": "DeployCF", "resourceName": "x", "parameters": {"StackName": 5}}),
            ),
            format!("{p}.StackName"),
            vec!["the number 5", "a text", "in quotes"],
        ),
        (one(test(json!({"Echo": null}))), format!("{p}.Echo"), vec!["is null"]),
        (one(test(json!({"Echo": "!Import"}))), format!("{p}.Echo"), vec!["is not a token"]),
        (
            one(test(json!({"Echo": {"a": ["resolve:smm:x"]}}))),
            format!("{p}.Echo.a[0]"),
            vec!["resolve:ssm:<name>"],
        ),
        (
            one(json!({"resourceType": "ModuleTest", "resourceName": "x", "parameters": [{}, {}]})),
            p.into(),
            vec!["an object or a list of one object"],
        ),
        (
            one(json!({"resourceType": "ModuleTest", "resourceName": "x", "parameters": "x"})),
            p.into(),
            vec!["an object"],
        ),
        (
            one(json!({"resourceType": "ModuleTest", "resourceName": "x", "accountId": "12"})),
            format!("{r}.accountId"),
            vec!["12 digits"],
        ),
        (
            one(
                json!({"resourceType": "ModuleTest", "resourceName": "x", "accountId": 123_456_789_012_u64}),
            ),
            format!("{r}.accountId"),
            vec!["in quotes"],
        ),
        (one(test(json!({"AccountId": 5}))), format!("{p}.AccountId"), vec!["12 digits"]),
        (
            one(
                json!({"resourceType": "ModuleTest", "resourceName": "x", "accountId": "123456789012", "parameters": {"AccountId": "210987654321"}}),
            ),
            r.into(),
            vec!["different accounts"],
        ),
    ];
    for (value, path, words) in cases {
        assert_one(&application(&value), &path, &words);
    }
}

#[test]
pub fn each_rule_of_a_product_manifest_names_its_place_and_what_would_be_right() {
    let app = |app: Value| with("product", json!([{"app_layer": 1, "apps": [app]}]));
    let files = "$.product[0].apps[0].service_order_files";
    let cases: Vec<(Value, &str, Vec<&str>)> = vec![
        (json!([]), "$", vec!["an object with action"]),
        (
            json!({"product_name": "a", "product": good_product()["product"]}),
            "$",
            vec!["\"action\" is missing"],
        ),
        (with("action", json!("ACTIVAT")), "$.action", vec!["Did you mean \"ACTIVATE\"?"]),
        (with("action", json!("activate")), "$.action", vec!["Did you mean \"ACTIVATE\"?"]),
        (with("action", json!(3)), "$.action", vec!["the number 3"]),
        (
            with("product_name", json!("1shop")),
            "$.product_name",
            vec!["\"1shop\"", "begins with a letter"],
        ),
        (
            with("product_name", json!("my shop")),
            "$.product_name",
            vec!["letters, digits and hyphens"],
        ),
        (with("product_name", json!("a".repeat(129))), "$.product_name", vec!["128"]),
        (
            with("product_name", json!(5)),
            "$.product_name",
            vec!["the number 5", "a name of letters"],
        ),
        (with("prodcut", json!([])), "$.prodcut", vec!["Did you mean \"product\"?"]),
        (
            with("product", json!([])),
            "$.product",
            vec!["empty list", "at least one application layer"],
        ),
        (
            with("product", json!([{"app_layer": 1, "apps": []}])),
            "$.product[0].apps",
            vec!["at least one application"],
        ),
        (app(json!({"name": "a", "service_order_files": []})), files, vec!["at least one S3 key"]),
        (
            app(json!({"name": "a"})),
            "$.product[0].apps[0]",
            vec!["\"service_order_files\" is missing"],
        ),
        (
            app(json!({"name": "a b", "service_order_files": ["k"]})),
            "$.product[0].apps[0].name",
            vec!["letters, digits"],
        ),
        (
            app(json!({"name": "a", "service_order_files": [1]})),
            "$.product[0].apps[0].service_order_files[0]",
            vec!["S3 key"],
        ),
        (
            app(json!({"name": "a", "service_order_files": ["k", "/k"]})),
            "$.product[0].apps[0].service_order_files[1]",
            vec!["already named at"],
        ),
        (
            app(json!({"name": "a", "service_order_files": ["s3://x/k"]})),
            "$.product[0].apps[0].service_order_files[0]",
            vec!["in the bucket \"x\""],
        ),
        (
            with("region", json!("us-east-1")),
            "$.region",
            vec!["us-east-1 alone", "started in us-west-2"],
        ),
        (with("region", json!("Oregon")), "$.region", vec!["the name of a Region"]),
        (with("unplanned", json!(true)), "$.unplanned", vec!["primary_region"]),
        (with("unplanned", json!("yes")), "$.unplanned", vec!["true or false"]),
        (with("onFailure", json!("ask")), "$.onFailure", vec!["\"ask\"", "\"hold\" or \"fail\""]),
        (
            with("approval", json!({"timeout_minutes": 0})),
            "$.approval.timeout_minutes",
            vec!["at least 1"],
        ),
        (
            with("approval", json!({"timeout_minutes": 10_081})),
            "$.approval.timeout_minutes",
            vec!["at most 10080"],
        ),
        (with("approval", json!({"approver": []})), "$.approval.approver", vec!["unknown key"]),
        (with("approval", json!({"approvers": []})), "$.approval.approvers", vec!["a list of 1"]),
        (
            with("approval", json!({"approvers": ["Lead"]})),
            "$.approval.approvers[0]",
            vec!["\"Lead\"", "the ARN of an IAM role or user"],
        ),
        (with("approval", json!({"required": 3})), "$.approval.required", vec!["at most 2"]),
        (
            with("approval", json!({"required": 1, "not_starter": true})),
            "$.approval.required",
            vec!["asks for 2"],
        ),
        (with("action", json!("CLEANUP")), "$", vec!["CLEANUP must name", "\"region\""]),
    ];
    for (value, path, words) in cases {
        let found: Vec<String> = product(&value, Some("us-west-2"))
            .into_iter()
            // "Oregon" is also not the executing Region.
            .filter(|l| !(l.contains("Oregon alone")))
            .collect();
        assert_one(&found, path, &words);
    }
}

#[test]
pub fn regions_must_make_sense_together() {
    let regions = |primary: &str, secondary: &str, unplanned: bool| {
        let mut product = good_product();
        product["primary_region"] = json!(primary);
        product["secondary_region"] = json!(secondary);
        product["unplanned"] = json!(unplanned);
        product
    };
    let here = Some("us-west-2");
    assert!(product(&regions("us-east-1", "us-west-2", true), here).is_empty());
    assert!(product(&regions("us-west-2", "us-east-1", false), here).is_empty());
    let same = product(&regions("us-west-2", "us-west-2", false), here);
    assert_one(&same, "$.secondary_region", &["is the primary_region too"]);
    let neither = product(&regions("us-east-1", "eu-west-1", false), here);
    assert_one(&neither, "$", &["neither", "us-west-2"]);
    let lost = product(&regions("us-west-2", "us-east-1", true), here);
    assert_one(&lost, "$.primary_region", &["takes it for lost"]);
}

#[test]
fn a_token_stands_for_a_value_that_is_not_known_yet() {
    let value = one(json!({"resourceType": "ModuleTest", "resourceName": "t", "parameters": {
        "Outcome": "!Import outcome", "Sleep": "resolve:ssm:/sleep", "ResolveTokens": "!Import list"
    }}));
    assert!(application(&value).is_empty());
    let value = one(json!({"resourceType": "DeployCF", "resourceName": "t", "parameters": {
        "StackName": "!Import stack", "Parameters": "!Import no-object"
    }}));
    assert_one(&application(&value), "$[0].resources[0].parameters.Parameters", &["an object"]);
}

#[test]
fn two_hundred_problems_are_two_hundred_problems() {
    let resource = |n: usize| json!({"resourceType": format!("Type{n}"), "resourceName": "x"});
    let value = json!([{"layer": 1, "resources": (0..200).map(resource).collect::<Vec<_>>()}]);
    assert_eq!(application(&value).len(), 200);
}

#[test]
pub fn too_many_resources_and_too_much_state_are_refused() {
    let resource = |echo: &str| json!({"resourceType": "ModuleTest", "resourceName": "x", "parameters": {"Echo": echo}});
    let many = |n: usize, echo: &str| json!([{"layer": 1, "resources": vec![resource(echo); n]}]);
    assert!(application(&many(400, "x")).is_empty());
    assert_one(&application(&many(401, "x")), "$", &["401 resources", "the limit is 400"]);
    assert_one(&application(&many(300, &"x".repeat(900))), "$", &["split it into several"]);
    let app = |n: usize| {
        let files: Vec<String> = (0..n).map(|n| format!("m/{n}.json")).collect();
        with("product", json!([{"apps": [{"name": "a", "service_order_files": files}]}]))
    };
    assert!(product(&app(200), None).is_empty());
    assert_one(
        &product(&app(201), None),
        "$.product",
        &["service order files", "split it into several products"],
    );
}

#[test]
fn the_normal_form_has_no_aliases() {
    let value = one(json!({"action": "ModuleTest", "resourceName": "x",
        "parameters": [{"Echo": 1, "AccountId": "123456789012"}]}));
    let mut report = Report::default();
    let found = application::check(registry(), "f", &value, None, &mut report);
    assert!(report.is_clean());
    assert_eq!(
        application::normal_form(&found),
        json!([{"layer": 1, "resources": [{"resourceType": "ModuleTest", "resourceName": "x",
            "parameters": {"Echo": 1}, "accountId": "123456789012"}]}])
    );
}

#[test]
pub fn wrong_parameters_have_their_own_error_type() {
    let check = |value: Value| {
        let mut report = Report::default();
        application::check(registry(), "f", &value, None, &mut report);
        report.error_type()
    };
    let parameter =
        json!({"resourceType": "ModuleTest", "resourceName": "x", "parameters": {"A": 1}});
    assert_eq!(check(one(parameter.clone())), ErrorType::InvalidParameters);
    let both = json!([{"resources": [parameter, {"resourceName": "x"}]}]);
    assert_eq!(check(both), ErrorType::InvalidManifest);
}

#[test]
pub fn the_start_input_is_checked_like_a_manifest() {
    let cases: [(Value, &str, &str); 7] = [
        (json!({"productmanifestpath": "a", "planOnly": "yes"}), "$.planOnly", "\"yes\""),
        (json!({}), "$", "\"productmanifestpath\" is missing"),
        (json!([1]), "$", "must be {\"productmanifestpath\""),
        (json!({"productmanifestpath": 1}), "$.productmanifestpath", "the number 1"),
        (json!({"productmanifestpath": "a", "region": "x"}), "$", "unknown key \"region\""),
        (json!({"productmanifestpath": "s3://other/a"}), "$.productmanifestpath", "\"other\""),
        (json!({"productmanifestpath": ""}), "$.productmanifestpath", "names no object"),
    ];
    for (input, path, word) in cases {
        let mut report = Report::default();
        start::asked(&input, "bucket", &mut report);
        assert_one(&lines(report), path, &[word]);
    }
    let mut report = Report::default();
    let input = json!({"productmanifestpath": "/m/p.json",
        "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": "arn"});
    let asked = start::asked(&input, "bucket", &mut report).unwrap();
    assert_eq!((asked.key.as_str(), asked.plan_only), ("m/p.json", false));
    assert!(report.is_clean());
}

#[test]
pub fn a_direct_start_is_checked_like_a_manifest() {
    let check = |input: Value| {
        let mut report = Report::default();
        let given =
            start::direct(registry(), &input, Phase::Activate, "us-west-2", &mut report).unwrap();
        (given.product, lines(report))
    };
    let (product, found) = check(json!({"StatePayload": []}));
    assert_eq!((product.as_str(), found.len()), ("direct", 0));
    assert_one(&check(json!({})).1, "$", &["\"StatePayload\" is missing"]);
    assert_one(&check(json!({"StatePayload": [], "prodct": "a"})).1, "$.prodct", &["\"product\""]);
    let unplanned = check(json!({"StatePayload": [], "unplanned": true})).1;
    assert_one(&unplanned, "$.unplanned", &["primary_region"]);
    let name = check(json!({"StatePayload": [], "product": "a b"})).1;
    assert_one(&name, "$.product", &["a name of letters"]);
}

#[test]
pub fn a_token_outside_of_parameters_is_no_value() {
    let token = || json!("!Import shop-value");
    let hint = "tokens are resolved in parameters alone";
    for key in ["action", "product_name", "unplanned", "rto_minutes", "approval", "product"] {
        assert_one(&product(&with(key, token()), None), &format!("$.{key}"), &[hint]);
    }
    for key in ["parameters", "accountId"] {
        let mut resource = json!({"resourceType": "ModuleTest", "resourceName": "x"});
        resource[key] = token();
        let place = format!("$[0].resources[0].{key}");
        assert_one(&application(&one(resource)), &place, &[hint]);
    }
}
