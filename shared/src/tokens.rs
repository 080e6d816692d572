//! `!Import <export>` and `resolve:ssm:<name>[:<version or label>]` in parameter values.
//!
//! Both are read in the executing Region only, never in the Region that may be lost, and in the
//! application's account. A missing one is named; it is never taken for an empty value.

use crate::aws::Doing;
use crate::error::{Error, Result};
use crate::nearest::did_you_mean;
use crate::text::one_line;
use aws_config::SdkConfig;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// IAM actions that resolving needs, beside the type's own reads.
pub const READS: &[&str] = &["cloudformation:ListExports", "ssm:GetParameters", "kms:Decrypt"];

/// One token of a parameter value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Token {
    /// A CloudFormation export's name.
    Export(String),
    /// A Parameter Store name, with its selector.
    Parameter(String),
}

impl Token {
    /// Reads a value. None: it is a literal. An error: it begins like a token and is none.
    pub fn parse(text: &str) -> Result<Option<Self>> {
        if let Some(rest) = text.strip_prefix("!Import") {
            let name = rest.trim_start();
            let legal = rest.starts_with(char::is_whitespace)
                && !name.is_empty()
                && !name.contains(char::is_whitespace);
            return if legal { Ok(Some(Self::Export(name.to_owned()))) } else { Err(bad(text)) };
        }
        match text.strip_prefix("resolve:ssm:") {
            None if text.starts_with("resolve:") => Err(bad(text)),
            None => Ok(None),
            Some("") => Err(bad(text)),
            Some(name) if name.contains(char::is_whitespace) => Err(bad(text)),
            Some(name) => Ok(Some(Self::Parameter(name.to_owned()))),
        }
    }

    /// The form in `dependsOn` and `creates`: `export:<name>`, `ssm:<name>` without a selector.
    pub fn dependency(&self) -> String {
        match self {
            Self::Export(name) => format!("export:{name}"),
            Self::Parameter(name) => format!("ssm:{}", plain_name(name)),
        }
    }
}

fn bad(text: &str) -> Error {
    Error::invalid_parameters(format!(
        "\"{text}\" is not a token: write \"!Import <export name>\" or \"resolve:ssm:<name>[:<version or label>]\""
    ))
}

/// A name without its trailing `:<version or label>`; ARNs keep their own colons.
fn plain_name(name: &str) -> &str {
    let colons = name.matches(':').count();
    let in_arn = if name.starts_with("arn:") { 5 } else { 0 };
    if colons > in_arn { name.rsplit_once(':').map_or(name, |(n, _)| n) } else { name }
}

/// What resolving gave.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// The parameters with literal values.
    pub value: Value,
    /// Tokens that lead nowhere, with a hint for people.
    pub missing: Vec<(Token, String)>,
    /// Decrypted values, to be kept out of logs, journals and answers.
    pub secrets: Vec<String>,
}

/// Every token in a value, sorted; an error names the first malformed one.
pub fn find(value: &Value) -> Result<BTreeSet<Token>> {
    let mut found = BTreeSet::new();
    visit(value, &mut found)?;
    Ok(found)
}

fn visit(value: &Value, found: &mut BTreeSet<Token>) -> Result<()> {
    match value {
        Value::String(text) => {
            found.extend(Token::parse(text)?);
            Ok(())
        }
        Value::Array(items) => items.iter().try_for_each(|v| visit(v, found)),
        Value::Object(map) => map.values().try_for_each(|v| visit(v, found)),
        _ => Ok(()),
    }
}

/// Resolves every token in `value` with clients for the executing Region and the right account.
pub async fn resolve(value: &Value, config: &SdkConfig) -> Result<Resolved> {
    let tokens = find(value)?;
    let mut known = BTreeMap::new();
    let mut out = Resolved::default();
    if tokens.iter().any(|t| matches!(t, Token::Export(_))) {
        exports(&tokens, config, &mut known, &mut out).await?;
    }
    let names: Vec<&str> = tokens
        .iter()
        .filter_map(|t| if let Token::Parameter(n) = t { Some(n.as_str()) } else { None })
        .collect();
    // GetParameters takes at most ten names.
    for batch in names.chunks(10) {
        parameters(batch, config, &mut known, &mut out).await?;
    }
    out.value = replace(value, &known);
    Ok(out)
}

async fn exports(
    tokens: &BTreeSet<Token>,
    config: &SdkConfig,
    known: &mut BTreeMap<String, String>,
    out: &mut Resolved,
) -> Result<()> {
    let all = list_exports(config).await?;
    for token in tokens {
        let Token::Export(name) = token else { continue };
        match all.get(name) {
            Some(value) => {
                known.insert(token.dependency(), value.clone());
            }
            None => {
                let hint = did_you_mean(name, all.keys().map(String::as_str));
                out.missing.push((token.clone(), format!("no export named \"{name}\".{hint}")));
            }
        }
    }
    Ok(())
}

async fn list_exports(config: &SdkConfig) -> Result<BTreeMap<String, String>> {
    let client = aws_sdk_cloudformation::Client::new(config);
    let mut pages = client.list_exports().into_paginator().items().send();
    let mut all = BTreeMap::new();
    while let Some(export) = pages.next().await {
        let export = export.doing("list CloudFormation exports")?;
        if let (Some(name), Some(value)) = (export.name, export.value) {
            all.insert(name, value);
        }
    }
    Ok(all)
}

async fn parameters(
    names: &[&str],
    config: &SdkConfig,
    known: &mut BTreeMap<String, String>,
    out: &mut Resolved,
) -> Result<()> {
    let client = aws_sdk_ssm::Client::new(config);
    let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    let answer = client
        .get_parameters()
        .set_names(Some(names.clone()))
        .with_decryption(true)
        .send()
        .await
        .doing("read Parameter Store values")?;
    for parameter in answer.parameters() {
        let value = parameter.value().unwrap_or_default().to_owned();
        if parameter.r#type() == Some(&aws_sdk_ssm::types::ParameterType::SecureString) {
            out.secrets.push(value.clone());
        }
        // The service answers with the bare name and the selector (":3") apart.
        let name = parameter.name().unwrap_or_default();
        let selector = parameter.selector().unwrap_or_default();
        let full = format!("{name}{selector}");
        for asked in [full.as_str(), parameter.arn().unwrap_or_default()] {
            known.insert(format!("ssm-value:{asked}"), value.clone());
        }
    }
    for name in names.iter().filter(|n| !known.contains_key(&format!("ssm-value:{n}"))) {
        let hint = format!("no Parameter Store value \"{name}\".");
        out.missing.push((Token::Parameter(name.clone()), hint));
    }
    Ok(())
}

fn replace(value: &Value, known: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => {
            let found = match Token::parse(text) {
                Ok(Some(Token::Export(name))) => known.get(&format!("export:{name}")),
                Ok(Some(Token::Parameter(name))) => known.get(&format!("ssm-value:{name}")),
                _ => None,
            };
            Value::String(found.unwrap_or(text).clone())
        }
        Value::Array(items) => items.iter().map(|v| replace(v, known)).collect(),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(k, v)| (k.clone(), replace(v, known))).collect())
        }
        other => other.clone(),
    }
}

/// The text with every secret replaced, also where it stands escaped or in one line.
pub fn redact(text: &str, secrets: &[String]) -> String {
    let mut forms: Vec<String> = secrets.iter().flat_map(|s| forms(s)).collect();
    // The longest first: one may hold another.
    forms.sort_by_key(|f| std::cmp::Reverse(f.len()));
    let forms = forms.iter().filter(|f| !f.is_empty());
    forms.fold(text.to_owned(), |t, form| t.replace(form.as_str(), "********"))
}

/// How a value may look in a message: as it is, quoted for people, as JSON, or as JSON in JSON.
fn forms(secret: &str) -> Vec<String> {
    let inner = |quoted: String| quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned();
    let json = |text: &str| inner(Value::from(text).to_string());
    let once = json(secret);
    let mut forms = vec![secret.to_owned(), inner(format!("{secret:?}")), json(&once), once];
    let lines: Vec<String> = forms.iter().map(|f| one_line(f)).collect();
    forms.extend(lines);
    forms
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_grammar_is_exact() {
        assert_eq!(Token::parse("!Import a-b").unwrap(), Some(Token::Export("a-b".into())));
        assert_eq!(
            Token::parse("resolve:ssm:/a/b:3").unwrap(),
            Some(Token::Parameter("/a/b:3".into()))
        );
        assert_eq!(Token::parse("plain").unwrap(), None);
        for wrong in
            ["!Import", "!Importx", "!Import a b", "resolve:ssm:", "resolve:secretsmanager:x"]
        {
            assert!(Token::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_dependency_drops_the_selector_but_not_an_arns_colons() {
        let dependency = |n: &str| Token::Parameter(n.into()).dependency();
        assert_eq!(dependency("/a/b:3"), "ssm:/a/b");
        let arn = "arn:aws:ssm:us-west-2:123456789012:parameter/a";
        assert_eq!(dependency(arn), format!("ssm:{arn}"));
        assert_eq!(dependency(&format!("{arn}:3")), format!("ssm:{arn}"));
    }

    #[test]
    fn tokens_are_found_and_replaced_at_any_depth() {
        let value = json!({"a": ["!Import x", {"b": "resolve:ssm:y"}], "n": 1});
        assert_eq!(find(&value).unwrap().len(), 2);
        let known = BTreeMap::from([
            ("export:x".to_owned(), "1".to_owned()),
            ("ssm-value:y".to_owned(), "2".to_owned()),
        ]);
        assert_eq!(replace(&value, &known), json!({"a": ["1", {"b": "2"}], "n": 1}));
    }

    #[test]
    fn secrets_are_redacted() {
        assert_eq!(redact("pw=hunter2!", &["hunter2".to_owned(), String::new()]), "pw=********!");
        let secret = "a\"b\\c\nd".to_owned();
        let json = json!({"pw": secret}).to_string();
        for text in [
            secret.clone(),
            format!("{secret:?}"),
            json!(json).to_string(),
            json,
            one_line(&secret),
        ] {
            let told = redact(&text, std::slice::from_ref(&secret));
            assert!(told.contains("********") && !told.contains("\\c"), "{told}");
        }
    }
}
