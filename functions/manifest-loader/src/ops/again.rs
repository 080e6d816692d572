//! `again`: the application manifest as it is now, for one resource that somebody wants to retry.

use super::bucket::fetch;
use super::{Failure, MESSAGE, request};
use manifest_loader::application::{self, Application, Resource};
use manifest_loader::problem::{Problem, Report, lines_within};
use manifest_loader::registry::Registry;
use manifest_loader::text;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::names::sha256;
use shared::text::sentence;
use shared::{Context, Error, ErrorType, Frame, Phase, Result};

/// What the resource machine sends: the resource as it was tried.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    context: Context,
    phase: Phase,
    resource_type: String,
    resource_name: String,
    parameters: Value,
    account_id: Option<String>,
}

/// The resource as the manifest has it now.
struct Read {
    resource: Resource,
    key: String,
    sha256: String,
}

/// The operation.
///
/// # Errors
/// Only for a malformed request: all else is data.
pub async fn again(frame: &Frame, payload: Value) -> Result<Value> {
    let request: Request = request(payload)?;
    Ok(match read(frame, &request).await {
        Ok(read) => answer(&request, &read),
        Err(failure) => failed(&request, &failure),
    })
}

async fn read(frame: &Frame, request: &Request) -> Result<Read, Failure> {
    let key = source(frame, &request.context).await?;
    let mut report = Report::default();
    let Some(bytes) = fetch(&frame.store, &key, &mut report).await else {
        return Err(refused(&report));
    };
    let application = match text::parse(&key, &bytes) {
        Ok((value, _)) => {
            let registry = Registry::get()?;
            application::check(registry, &key, &value, Some(request.phase), &mut report)
        }
        Err(problem) => {
            report.problems.push(problem);
            Application::default()
        }
    };
    if !report.is_clean() {
        return Err(refused(&report));
    }
    let resource = find(&application, request).ok_or_else(|| gone(&key, request))?.clone();
    let sha256 = sha256(&bytes);
    keep(frame, request, &sha256, bytes).await?;
    Ok(Read { resource, key, sha256 })
}

/// Where the manifest of this file was uploaded.
async fn source(frame: &Frame, context: &Context) -> Result<String> {
    let key = format!("{}run.json", context.folder);
    let run: Value = frame.store.get_json(&key).await?.unwrap_or_default();
    let mut files = run["files"].as_array().into_iter().flatten();
    let own = files.find(|file| file["file"].as_str() == context.file.as_deref());
    own.and_then(|file| file["key"].as_str()).map(str::to_owned).ok_or_else(|| {
        let name = context.file.as_deref().unwrap_or_default();
        Error::internal(format!("{} does not name the manifest of {name}", frame.store.url(&key)))
    })
}

/// By layer, type and name; of several that are called the same, the one in its place.
fn find<'a>(application: &'a Application, request: &Request) -> Option<&'a Resource> {
    let place = |n: Option<u32>| n.and_then(|n| usize::try_from(n).ok());
    let layer = application.layers.get(place(request.context.layer)?)?;
    let is_it = |r: &&Resource| {
        r.resource_type == request.resource_type && r.resource_name == request.resource_name
    };
    let mut same = layer.resources.iter().filter(is_it);
    let first = same.next()?;
    match same.next() {
        None => Some(first),
        Some(_) => layer.resources.get(place(request.context.index)?).filter(is_it),
    }
}

fn gone(key: &str, request: &Request) -> Failure {
    let layer = request.context.layer.unwrap_or_default() + 1;
    let text = format!(
        "{key}: layer {layer} has no {} \"{}\" any more, or several of which none is in its place.",
        request.resource_type, request.resource_name
    );
    Failure::from(Error::new(ErrorType::NotFound, text).next("Upload it with this resource."))
}

/// What is tried is kept beside what was approved.
async fn keep(frame: &Frame, request: &Request, sha256: &str, bytes: Vec<u8>) -> Result<()> {
    let file = request.context.file.as_deref().unwrap_or_default();
    let folder = &request.context.folder;
    frame.store.put(&format!("{folder}manifests/retried/{file}-{}", &sha256[..16]), bytes).await
}

fn refused(report: &Report) -> Failure {
    let lines: Vec<String> = report.problems.iter().map(Problem::to_string).collect();
    Failure {
        error_type: report.error_type(),
        message: sentence(&lines_within(&lines, MESSAGE, "scripts/validate.sh shows all of them")),
        next_step: "Correct the manifest, upload it, retry.".to_owned(),
        problems: lines.len(),
    }
}

fn answer(request: &Request, read: &Read) -> Value {
    let Read { resource, key, sha256 } = read;
    let changed =
        resource.parameters != request.parameters || resource.account_id != request.account_id;
    json!({
        "status": "READ",
        "message": null,
        "changed": changed,
        "parameters": resource.parameters,
        "accountId": resource.account_id,
        "key": key,
        "sha256": sha256,
    })
}

/// With what was tried before: every field is always there.
fn failed(request: &Request, failure: &Failure) -> Value {
    json!({
        "status": "FAILED",
        "message": format!("{} {}", failure.message, failure.next_step),
        "changed": false,
        "parameters": request.parameters,
        "accountId": request.account_id,
        "key": null,
        "sha256": null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(layer: u32, index: u32, name: &str) -> Request {
        serde_json::from_value(json!({
            "context": {
                "product": "shop", "execution": "arn:x:run-1", "root": "run-1", "startedAt": "t",
                "region": "us-west-2", "unplanned": false, "folder": "f/", "file": "shop-app1",
                "layer": layer, "index": index, "approved": ["traffic"]
            },
            "phase": "ACTIVATE", "resourceType": "ModuleTest", "resourceName": name,
            "parameters": {"Echo": "a"}, "accountId": null,
        }))
        .unwrap()
    }

    fn resource(name: &str, echo: &str) -> Resource {
        Resource {
            resource_type: "ModuleTest".into(),
            resource_name: name.into(),
            parameters: json!({"Echo": echo}),
            account_id: None,
        }
    }

    fn application(layers: Vec<Vec<Resource>>) -> Application {
        let layer = |resources| application::Layer { layer: 1, resources };
        Application { layers: layers.into_iter().map(layer).collect() }
    }

    #[test]
    fn a_resource_is_found_by_layer_type_and_name() {
        let known = application(vec![
            vec![resource("new", "x"), resource("one", "a"), resource("two", "b")],
            vec![resource("same", "1"), resource("same", "2")],
        ]);
        let echo = |layer, index, name| {
            find(&known, &request(layer, index, name)).map(|r| r.parameters["Echo"].clone())
        };
        assert_eq!(echo(0, 0, "one"), Some(json!("a")), "it may have moved in its layer");
        assert_eq!(echo(1, 1, "same"), Some(json!("2")));
        assert_eq!(echo(1, 7, "same"), None);
        assert_eq!(echo(1, 0, "one"), None);
        assert_eq!(echo(9, 0, "one"), None);
    }

    #[test]
    fn only_what_the_resource_says_counts_as_changed() {
        let told = |echo| {
            let read =
                Read { resource: resource("one", echo), key: "k".into(), sha256: "s".into() };
            answer(&request(0, 0, "one"), &read)
        };
        assert_eq!(told("a")["changed"], false);
        let changed = told("b");
        assert_eq!(
            (&changed["changed"], &changed["parameters"]["Echo"]),
            (&json!(true), &json!("b"))
        );
    }

    #[test]
    fn a_failure_has_every_field_of_a_success() {
        let failure = gone("k", &request(0, 0, "one"));
        let (told, read) = (
            failed(&request(0, 0, "one"), &failure),
            Read { resource: resource("one", "a"), key: "k".into(), sha256: "s".into() },
        );
        let names = |v: &Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&told), names(&answer(&request(0, 0, "one"), &read)));
        assert!(told["message"].as_str().unwrap().contains("layer 1 has no ModuleTest \"one\""));
    }
}
