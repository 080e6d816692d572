//! Parameters, and what can be said of them without a call.

use crate::observed::{Source, Wanted};
use schemars::JsonSchema;
use serde::Deserialize;
use shared::coerce::{Flag, Int};
use shared::{Cx, Error, Result, clock};
use shared_rds::{Kind, MINUTES, Place, identifier, region, snapshot_name, within};

/// Parameters of DBSnapshot.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Parameters {
    /// CLUSTER or INSTANCE.
    pub kind: String,
    /// CREATE (default), COPY or COPY_POINT_OF_FAILURE.
    pub action: Option<String>,
    /// CREATE: identifier or ARN of the database. COPY: identifier or ARN of the snapshot, also of an
    /// automated one (rds:...). COPY_POINT_OF_FAILURE: identifier or ARN of the old cluster.
    pub source_identifier: String,
    /// Region of the source; default: that of its ARN, else the executing one.
    pub source_region: Option<String>,
    /// Name of the snapshot. {date} and {time} stand for the start of the run (2026-01-31, 030405).
    pub snapshot_identifier: Option<String>,
    /// Copies: Region of the copy; default: the source's.
    pub target_region: Option<String>,
    /// Copies: KMS key (ARN, id or alias) of the copy's Region. Needed when an encrypted snapshot goes
    /// to another Region.
    pub kms_key_id: Option<String>,
    /// Copies: take the tags over; default false.
    pub copy_tags: Option<Flag>,
    /// Deadline of the attempt, minutes; default 360.
    pub timeout_minutes: Option<Int>,
}

const LONGEST_OF_CLUSTERS: usize = 63;
const LONGEST_OF_INSTANCES: usize = 255;

#[derive(Clone, Copy, PartialEq)]
enum Action {
    Create,
    Copy,
    PointOfFailure,
}

/// What is wanted, checked. `executing` is the executing Region.
///
/// # Errors
/// `Dr.InvalidParameters` for malformed values, `Dr.Refused` for ARNs of other places.
pub fn wanted(p: &Parameters, cx: &Cx, executing: &str) -> Result<Wanted> {
    within("TimeoutMinutes", p.timeout_minutes, MINUTES)?;
    let (kind, action) = (kind(&p.kind)?, action(p)?);
    if kind == Kind::Db && action == Action::PointOfFailure {
        return Err(wrong("COPY_POINT_OF_FAILURE is of clusters: RDS takes none of instances"));
    }
    let started = started(cx)?;
    let from = place(source_region(p, executing)?, cx);
    let source = source(p, kind, action, &from, started)?;
    let to = match &p.target_region {
        Some(text) => place(region("TargetRegion", text)?, cx),
        None => from.clone(),
    };
    let copies = [p.kms_key_id.is_some(), p.copy_tags.is_some(), to != from];
    if action == Action::Create && copies.contains(&true) {
        return Err(wrong(
            "TargetRegion, KmsKeyId and CopyTags go with copies: a new snapshot is where its \
             database is, under the same key",
        ));
    }
    let name = name(p, kind, &source, started, cx)?;
    if let (Source::Snapshot { name: old, .. }, Some(new)) = (&source, &name)
        && old == new
        && from == to
    {
        return Err(wrong("SnapshotIdentifier is the snapshot that is to be copied"));
    }
    Ok(Wanted {
        kind,
        source,
        name,
        arn_prefix: arn_of(&to, kind, ""),
        kms_key: key(p, &to)?,
        copy_tags: p.copy_tags.unwrap_or_default().0,
        started,
        from: from.region,
        to: to.region,
    })
}

fn wrong(text: &str) -> Error {
    Error::invalid_parameters(format!("parameters: {text}"))
}

fn place(region: String, cx: &Cx) -> Place {
    Place { partition: cx.partition.clone(), region, account: cx.account.clone() }
}

fn kind(text: &str) -> Result<Kind> {
    match text.to_ascii_uppercase().as_str() {
        "CLUSTER" => Ok(Kind::Cluster),
        "INSTANCE" => Ok(Kind::Db),
        _ => Err(wrong(&format!("Kind is \"{text}\", not CLUSTER or INSTANCE"))),
    }
}

fn action(p: &Parameters) -> Result<Action> {
    let text = p.action.as_deref().unwrap_or("CREATE");
    match text.to_ascii_uppercase().as_str() {
        "CREATE" => Ok(Action::Create),
        "COPY" => Ok(Action::Copy),
        "COPY_POINT_OF_FAILURE" => Ok(Action::PointOfFailure),
        _ => {
            Err(wrong(&format!("Action is \"{text}\", not CREATE, COPY or COPY_POINT_OF_FAILURE")))
        }
    }
}

fn started(cx: &Cx) -> Result<i64> {
    let text = &cx.context.started_at;
    let wrong = || Error::internal(format!("startedAt of the run is \"{text}\", not a time"));
    clock::parse(text).ok_or_else(wrong)
}

/// The Region of the ARN counts; another one beside it is an error that the ARN's check tells.
fn source_region(p: &Parameters, executing: &str) -> Result<String> {
    if let Some(text) = &p.source_region {
        return region("SourceRegion", text);
    }
    match p.source_identifier.strip_prefix("arn:") {
        Some(rest) => region("SourceIdentifier", rest.split(':').nth(2).unwrap_or_default()),
        None => Ok(executing.to_owned()),
    }
}

fn source(
    p: &Parameters,
    kind: Kind,
    action: Action,
    from: &Place,
    started: i64,
) -> Result<Source> {
    let parameter = "SourceIdentifier";
    let database = || match kind {
        Kind::Cluster => from.cluster(parameter, &p.source_identifier),
        Kind::Db => from.instance(parameter, &p.source_identifier),
    };
    match action {
        Action::Create => database().map(Source::Database),
        Action::PointOfFailure => database().map(Source::PointOfFailure),
        Action::Copy => {
            let text = dated(&p.source_identifier, started);
            let prefix = arn_of(from, kind, "");
            let name = text.strip_prefix(&prefix).unwrap_or(&text);
            if name.starts_with("arn:") {
                let text =
                    format!("parameters.{parameter}: \"{name}\" does not begin with {prefix}");
                return Err(Error::refused(text).next("Correct the ARN, Kind or SourceRegion."));
            }
            let bare = name.strip_prefix("rds:").unwrap_or(name);
            let automated = if bare == name { "" } else { "rds:" };
            let name = format!("{automated}{}", identifier(parameter, bare, LONGEST_OF_INSTANCES)?);
            Ok(Source::Snapshot { arn: arn_of(from, kind, &name), name })
        }
    }
}

/// `arn:<partition>:rds:<region>:<account>:<snapshot|cluster-snapshot>:<name>`.
fn arn_of(place: &Place, kind: Kind, name: &str) -> String {
    let word = if kind == Kind::Cluster { "cluster-snapshot" } else { "snapshot" };
    let Place { partition, region, account } = place;
    format!("arn:{partition}:rds:{region}:{account}:{word}:{name}")
}

/// Fills `{date}` and `{time}` in.
fn dated(template: &str, started: i64) -> String {
    let (date, time) = stamp(started);
    template.replace("{date}", &date).replace("{time}", &time)
}

/// Date and time of day, as names may carry them.
fn stamp(started: i64) -> (String, String) {
    let text = clock::rfc3339(started);
    let (date, rest) = text.split_once('T').unwrap_or((&text, ""));
    (date.to_owned(), rest.chars().filter(char::is_ascii_digit).collect())
}

/// The given name, or one that a restart of the same exercise finds again.
fn name(
    p: &Parameters,
    kind: Kind,
    source: &Source,
    started: i64,
    cx: &Cx,
) -> Result<Option<String>> {
    let longest = if kind == Kind::Cluster { LONGEST_OF_CLUSTERS } else { LONGEST_OF_INSTANCES };
    if let Some(given) = &p.snapshot_identifier {
        return identifier("SnapshotIdentifier", &dated(given, started), longest).map(Some);
    }
    Ok(match source {
        Source::Database(arn) => {
            let key: String = cx.key("snapshot").chars().take(8).collect();
            let end = format!("{}-{key}", stamp(started).0);
            Some(snapshot_name("dr", &arn.id, &end, longest))
        }
        Source::Snapshot { name, .. } => {
            let bare = name.strip_prefix("rds:").unwrap_or(name);
            Some(snapshot_name("dr-copy", "", bare, longest))
        }
        Source::PointOfFailure(_) => None,
    })
}

/// A key's ARN must be of the copy's Region; another account may own it.
fn key(p: &Parameters, to: &Place) -> Result<Option<String>> {
    let Some(key) = &p.kms_key_id else { return Ok(None) };
    if let Some(rest) = key.strip_prefix("arn:") {
        let mut parts = rest.split(':');
        let said = (parts.next(), parts.next(), parts.next());
        if said != (Some(to.partition.as_str()), Some("kms"), Some(to.region.as_str())) {
            let text = format!("parameters.KmsKeyId: \"{key}\" is no KMS key of {}", to.region);
            return Err(Error::refused(text).next("Give a key of the copy's Region."));
        }
    }
    Ok(Some(key.clone()))
}

#[cfg(test)]
#[path = "parameters_tests.rs"]
mod tests;
