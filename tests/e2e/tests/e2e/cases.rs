//! The table of bad inputs.

use e2e::manifests::{FILES, application, module_test, product, resource};
use e2e::{EAST, WEST};
use serde_json::{Value, json};

/// One bad input.
pub struct Case {
    /// What is wrong.
    pub name: &'static str,
    /// Where the report must lie.
    pub product: String,
    /// What the machine is started with.
    pub input: Value,
    /// Uploaded before.
    pub files: Vec<(String, String)>,
    /// Error of the execution.
    pub error: &'static str,
    /// Number of lines in the report.
    pub problems: usize,
    /// Texts of the error: first the file, then path or position with value and what would be right.
    pub says: Vec<String>,
}

const MANIFEST: &str = "Dr.InvalidManifest";
const PARAMETERS: &str = "Dr.InvalidParameters";

fn key(name: &str, extension: &str) -> String {
    format!("{FILES}bad-{name}.{extension}")
}

fn start(key: &str) -> Value {
    json!({"productmanifestpath": key})
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|t| (*t).to_owned()).collect()
}

/// A good application manifest.
fn good() -> Value {
    application(&[&[module_test("Smoke", json!({}))]])
}

/// A defect in an application manifest; the product manifest around it is good. Each is a product of
/// its own: they run side by side.
fn of_application(
    name: &'static str,
    extension: &str,
    text: impl ToString,
    error: &'static str,
    says: &[&str],
) -> Case {
    let file = format!("bad-{name}-app1.{extension}");
    let manifest = product(&format!("bad-{name}"), "ACTIVATE", WEST, &[&[&file]]);
    let mut wanted = vec![format!("{FILES}{file}")];
    wanted.extend(texts(says));
    Case {
        name,
        product: format!("bad-{name}"),
        input: start(&key(name, "json")),
        files: vec![(file, text.to_string()), (format!("bad-{name}.json"), manifest.to_string())],
        error,
        problems: 1,
        says: wanted,
    }
}

/// A defect in a resource of an application manifest.
fn of_resource(name: &'static str, bad: Value, error: &'static str, says: &[&str]) -> Case {
    of_application(name, "json", application(&[&[bad]]), error, says)
}

/// A blocker of the plan: its line names file, layer and resource as the report does.
fn of_plan(name: &'static str, token: &str, says: &[&str]) -> Case {
    let bad = module_test("Needs it", json!({"ResolveTokens": [token]}));
    let case = of_resource(name, bad, "Dr.PlanFailed", says);
    let file = format!("bad-{name}-app1, layer 1, ModuleTest Needs it: Dr.NotFound: ");
    Case { says: [vec![file], texts(says)].concat(), ..case }
}

/// A defect in a product manifest; the application manifest is good.
fn of_product(name: &'static str, change: impl Fn(&mut Value), says: &[&str]) -> Case {
    let file = format!("bad-{name}-app1.json");
    let mut manifest = product("bad", "ACTIVATE", WEST, &[&[&file]]);
    change(&mut manifest);
    let key = key(name, "json");
    let mut wanted = vec![key.clone()];
    wanted.extend(texts(says));
    let named = manifest["product_name"].as_str().is_some_and(|n| n == "bad");
    Case {
        name,
        product: (if named { "bad" } else { "unknown-product" }).to_owned(),
        input: start(&key),
        files: vec![(file, good().to_string()), (format!("bad-{name}.json"), manifest.to_string())],
        error: MANIFEST,
        problems: 1,
        says: wanted,
    }
}

/// A defect in what the execution is started with.
fn of_input(name: &'static str, input: Value, says: &[&str]) -> Case {
    Case {
        name,
        product: "unknown-product".to_owned(),
        input,
        files: vec![],
        error: MANIFEST,
        problems: 1,
        says: [texts(&["input: $"]), texts(says)].concat(),
    }
}

/// All of them.
pub fn cases() -> Vec<Case> {
    [inputs(), missing_objects(), syntax(), products(), resources(), limits(), plans()]
        .into_iter()
        .flatten()
        .collect()
}

fn inputs() -> Vec<Case> {
    vec![
        of_input(
            "no-object",
            json!("a.json"),
            &["is \"a.json\", must be {\"productmanifestpath\""],
        ),
        of_input("empty", json!({}), &["the key \"productmanifestpath\" is missing: the S3 key"]),
        of_input(
            "unknown-key",
            json!({"productmanifestpaht": "a.json", "productmanifestpath": ""}),
            &["unknown key \"productmanifestpaht\". Did you mean \"productmanifestpath\"?"],
        )
        .with_problems(2),
        of_input(
            "number",
            json!({"productmanifestpath": 7}),
            &[".productmanifestpath: is the number 7, must be the S3 key of a product manifest"],
        ),
    ]
}

fn missing_objects() -> Vec<Case> {
    let wrong = format!("{FILES}product-manifest-sampleproduct-ACTIVATED.json");
    let right = format!("{FILES}product-manifest-sampleproduct-ACTIVATE.json");
    let product_manifest = Case {
        error: "Dr.NotFound",
        product: "unknown-product".to_owned(),
        input: start(&wrong),
        files: vec![],
        says: vec![
            wrong.clone(),
            format!("there is no object \"{wrong}\" in the bucket"),
            format!("Did you mean \"{right}\"?"),
        ],
        ..of_input("missing-product", json!({}), &[])
    };
    let mut application_manifest = of_application(
        "missing-application",
        "json",
        "",
        "Dr.NotFound",
        &["there is no object \"", "in the bucket dr-orchestrator-123456789012-us-west-2."],
    );
    application_manifest.files.remove(0);
    vec![product_manifest, application_manifest]
}

fn syntax() -> Vec<Case> {
    let bomb: String =
        ('b'..='j').fold("a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned(), |t, c| {
            let before = char::from_u32(u32::from(c) - 1).unwrap_or('a');
            let aliases = vec![format!("*{before}"); 9].join(", ");
            format!("{t}{c}: &{c} [{aliases}]\n")
        });
    vec![
        of_application(
            "json-syntax",
            "json",
            "[\n  {\"layer\": 1,,}\n]",
            MANIFEST,
            &["-app1.json:2:15: not legal JSON: "],
        ),
        of_application(
            "yaml-syntax",
            "yaml",
            "- layer: 1\n  resources:\n  - resourceName: [a\n    parameters: b\n",
            MANIFEST,
            &["-app1.yaml:4:15: not legal YAML: did not find expected ',' or ']'"],
        ),
        of_application(
            "yaml-bomb",
            "yaml",
            bomb,
            MANIFEST,
            &["not legal YAML: aliases (*name) make this document too large; write the values out"],
        ),
        of_application("empty-file", "json", " \n", MANIFEST, &["the file is empty"]),
        of_application(
            "twice",
            "json",
            "[{\"layer\": 1, \"resources\": [], \"resources\": []}]",
            MANIFEST,
            &["the key \"resources\" is given twice"],
        ),
    ]
}

fn products() -> Vec<Case> {
    vec![
        of_product(
            "unknown-action",
            |m| m["action"] = json!("ACTIVAET"),
            &["$.action: is \"ACTIVAET\", must be", "Did you mean \"ACTIVATE\"?"],
        ),
        of_product(
            "name-rule",
            |m| m["product_name"] = json!("sample product"),
            &[
                "$.product_name: is \"sample product\", must be a name of letters, digits and hyphens \
                 that begins with a letter",
            ],
        ),
        of_product(
            "application-name-rule",
            |m| m["product"][0]["apps"][0]["name"] = json!("9app"),
            &["$.product[0].apps[0].name: is \"9app\", must be a name of letters"],
        ),
        of_product(
            "no-layers",
            |m| m["product"] = json!([]),
            &["$.product: is an empty list, must be a list of at least one application layer"],
        ),
        of_product(
            "another-region",
            |m| m["region"] = json!(EAST),
            &["$.region: this manifest may be started in us-east-1 alone and was started in \
                 us-west-2: start it there"],
        ),
        of_product(
            "ask",
            |m| m["onFailure"] = json!("ask"),
            &["$.onFailure: is \"ask\", must be \"hold\" or \"fail\""],
        ),
        of_product(
            "cleanup-anywhere",
            |m| {
                m["action"] = json!("CLEANUP");
                m.as_object_mut().unwrap().remove("region");
            },
            &["$: CLEANUP must name the only Region in which it may be started: \"region\""],
        ),
    ]
}

fn resources() -> Vec<Case> {
    let in_first = |rest: &str| format!("$[0].resources[0].{rest}");
    vec![
        of_resource(
            "unknown-type",
            resource("PromoteRDSReplica", "Db", json!({})),
            MANIFEST,
            &[
                &in_first("resourceType: there is no resource type \"PromoteRDSReplica\"."),
                "Did you mean \"PromoteRDSReadReplica\"?",
            ],
        ),
        of_resource(
            "not-in-this-phase",
            resource(
                "DeleteRDSInstance",
                "Db",
                json!({
                    "RDSInstanceIdentifier": "orders-db",
                    "Region": WEST,
                    "ExpectedWriterArn": "arn:aws:rds:us-east-1:123456789012:db:orders-db",
                }),
            ),
            MANIFEST,
            &[
                &in_first("resourceType: DeleteRDSInstance is not legal in ACTIVATE, only in "),
                "CLEANUP",
            ],
        ),
        of_resource(
            "unknown-parameter",
            module_test("Smoke", json!({"Ehco": 1})),
            PARAMETERS,
            &[&in_first("parameters.Ehco: unknown parameter \"Ehco\". Did you mean \"Echo\"?")],
        ),
        of_resource(
            "missing-parameter",
            resource("DeployCF", "Stack", json!({"TemplateS3Key": "a.yaml"})),
            PARAMETERS,
            &[&in_first("parameters: the parameter \"StackName\" is missing: Name of the stack.")],
        ),
        of_resource(
            "wrong-type",
            module_test("Smoke", json!({"Sleep": "soon"})),
            PARAMETERS,
            &[&in_first("parameters.Sleep: is \"soon\", must be a whole number")],
        ),
        of_resource(
            "broken-token",
            module_test("Smoke", json!({"Echo": "!Import"})),
            PARAMETERS,
            &[&in_first("parameters.Echo: \"!Import\" is not a token: write \"!Import <export")],
        ),
        of_application(
            "empty-layers",
            "json",
            "[]",
            MANIFEST,
            &["$: is an empty list, must be a list of at least one layer"],
        ),
        of_application(
            "empty-layer",
            "json",
            application(&[&[module_test("Smoke", json!({}))], &[]]),
            MANIFEST,
            &["$[1].resources: is an empty list, must be a list of at least one resource"],
        ),
    ]
}

fn limits() -> Vec<Case> {
    let padded = module_test("Smoke", json!({"Echo": "x".repeat(128 * 1024)}));
    let many: Vec<Value> = (0..401).map(|n| module_test(&format!("r{n}"), json!({}))).collect();
    vec![
        of_resource("128-kilobytes", padded, MANIFEST, &["bytes, the limit is 131072 (128 KB)"]),
        of_application(
            "401-resources",
            "json",
            application(&[&many]),
            MANIFEST,
            &["$: has 401 resources, the limit is 400"],
        ),
    ]
}

fn plans() -> Vec<Case> {
    vec![
        of_plan(
            "missing-export",
            "!Import sampleproduct-database-identifer",
            &[
                "no export named \"sampleproduct-database-identifer\". Did you mean \
                 \"sampleproduct-database-identifier\"?",
                "\"export:sampleproduct-database-identifer\" does not exist and no earlier layer creates it.",
            ],
        ),
        of_plan(
            "missing-parameter-store-value",
            "resolve:ssm:/sampleproduct/no-such-name",
            &[
                "\"ssm:/sampleproduct/no-such-name\" does not exist and no earlier layer creates it.",
            ],
        ),
    ]
}

impl Case {
    fn with_problems(self, problems: usize) -> Self {
        Self { problems, ..self }
    }
}
