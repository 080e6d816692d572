//! Which function is meant: a name, a partial ARN or a full ARN, with or without a qualifier.

use shared::{Error, Result};

/// A function as a manifest names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FunctionRef {
    /// The bare name.
    pub name: String,
    /// Version or alias.
    pub qualifier: Option<String>,
    /// The Region of a full ARN.
    pub region: Option<String>,
    /// The account of an ARN.
    pub account: Option<String>,
}

impl FunctionRef {
    /// Reads `name[:qualifier]`, `123456789012:function:name[:qualifier]` or
    /// `arn:<partition>:lambda:<region>:<account>:function:name[:qualifier]`.
    ///
    /// # Errors
    /// `Dr.InvalidParameters` for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        let fields: Vec<&str> = text.split(':').collect();
        let (region, account, rest) = match fields.as_slice() {
            ["arn", _, "lambda", region, account, "function", rest @ ..] => {
                (Some(*region), Some(*account), rest)
            }
            [account, "function", rest @ ..] => (None, Some(*account), rest),
            rest => (None, None, rest),
        };
        let (name, qualifier) = match rest {
            [name] => (*name, None),
            [name, qualifier] => (*name, Some((*qualifier).to_owned())),
            _ => return Err(bad(text)),
        };
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > 64 || !name.chars().all(legal) {
            return Err(bad(text));
        }
        let owned = |part: Option<&str>| part.map(str::to_owned);
        Ok(Self {
            name: name.to_owned(),
            qualifier,
            region: owned(region),
            account: owned(account),
        })
    }

    /// The version or alias: of the name or of the parameter `Qualifier`, which must agree.
    ///
    /// # Errors
    /// `Dr.InvalidParameters` when they do not.
    pub fn with_qualifier(mut self, parameter: Option<&str>) -> Result<Self> {
        match (self.qualifier.as_deref(), parameter) {
            (Some(own), Some(other)) if own != other => Err(Error::invalid_parameters(format!(
                "parameters.FunctionName names the qualifier {own}, parameters.Qualifier {other}"
            ))),
            (None, Some(other)) => {
                self.qualifier = Some(other.to_owned());
                Ok(self)
            }
            _ => Ok(self),
        }
    }

    /// The Region to call: of the ARN, of the parameter `Region`, else the executing one.
    ///
    /// # Errors
    /// `Dr.InvalidParameters` when ARN and parameter disagree.
    pub fn region_to_call(&self, parameter: Option<&str>, executing: &str) -> Result<String> {
        match (self.region.as_deref(), parameter) {
            (Some(own), Some(other)) if own != other => Err(Error::invalid_parameters(format!(
                "parameters.FunctionName is in {own}, parameters.Region is {other}"
            ))),
            (own, other) => Ok(own.or(other).unwrap_or(executing).to_owned()),
        }
    }
}

fn bad(text: &str) -> Error {
    Error::invalid_parameters(format!(
        "parameters.FunctionName: \"{text}\" is not a function's name, partial ARN or ARN"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_arns_are_read() {
        let cases = [
            ("warm-up", ("warm-up", None, None, None)),
            ("warm-up:live", ("warm-up", Some("live"), None, None)),
            ("123456789012:function:f", ("f", None, None, Some("123456789012"))),
            (
                "arn:aws:lambda:us-west-2:123456789012:function:f:7",
                ("f", Some("7"), Some("us-west-2"), Some("123456789012")),
            ),
        ];
        for (text, (name, qualifier, region, account)) in cases {
            let read = FunctionRef::parse(text).unwrap();
            let parts = (
                read.name.as_str(),
                read.qualifier.as_deref(),
                read.region.as_deref(),
                read.account.as_deref(),
            );
            assert_eq!(parts, (name, qualifier, region, account), "{text}");
        }
        for wrong in ["", "a b", "arn:aws:sqs:us-west-2:123456789012:queue", "f:1:2"] {
            assert!(FunctionRef::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_said_twice_must_agree() {
        let arn = FunctionRef::parse("arn:aws:lambda:us-west-2:1:function:f:live").unwrap();
        assert!(arn.clone().with_qualifier(Some("old")).is_err());
        assert!(arn.region_to_call(Some("us-east-1"), "us-west-2").is_err());
        assert_eq!(arn.region_to_call(None, "eu-west-1").unwrap(), "us-west-2");
        let name = FunctionRef::parse("f").unwrap().with_qualifier(Some("live")).unwrap();
        assert_eq!(name.qualifier.as_deref(), Some("live"));
        assert_eq!(name.region_to_call(None, "eu-west-1").unwrap(), "eu-west-1");
    }
}
