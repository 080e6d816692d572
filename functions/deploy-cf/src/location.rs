//! Where a template lies in S3: bucket, key and Region of an address, and back.

use shared::{Error, Result};

/// A template's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// For CloudFormation.
    pub url: String,
    /// For S3.
    pub bucket: String,
    /// For S3.
    pub key: String,
    /// For S3, when the address names one.
    pub version: Option<String>,
    /// Region of the bucket.
    pub region: String,
}

impl Location {
    /// An object of the orchestrator's bucket.
    ///
    /// # Errors
    /// `Dr.InvalidParameters` for an impossible key.
    pub fn in_bucket(bucket: &str, key: &str, region: &str, partition: &str) -> Result<Self> {
        if key.is_empty() || key.starts_with('/') || key.starts_with("s3:") {
            return Err(Error::invalid_parameters(format!(
                "parameters.TemplateS3Key \"{key}\" must be a key without the bucket, such as \
                 dr-orchestration-artifacts/templates/app.yaml"
            )));
        }
        let suffix = if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
        Ok(Self {
            url: format!("https://{bucket}.s3.{region}.{suffix}/{}", encode(key)),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version: None,
            region: region.to_owned(),
        })
    }

    /// Reads an address of S3 in virtual-hosted or path style. One that names no Region is taken
    /// for the executing Region's.
    ///
    /// # Errors
    /// `Dr.InvalidParameters` for any other address.
    pub fn from_url(url: &str, executing: &str) -> Result<Self> {
        Self::read(url, executing).ok_or_else(|| {
            Error::invalid_parameters(format!(
                "parameters.TemplateURL \"{url}\" is not an address of an object in S3, such as \
                 https://bucket.s3.us-west-2.amazonaws.com/app.yaml"
            ))
        })
    }

    fn read(url: &str, executing: &str) -> Option<Self> {
        let (host, rest) = url.strip_prefix("https://")?.split_once('/')?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let host = host.strip_suffix(".amazonaws.com").or(host.strip_suffix(".amazonaws.com.cn"))?;
        let labels: Vec<&str> = host.split('.').collect();
        let at = labels.iter().rposition(|l| *l == "s3" || l.starts_with("s3-"))?;
        let region = labels[at].strip_prefix("s3-").or_else(|| labels[at + 1..].last().copied());
        let hosted = labels[..at].join(".");
        let (bucket, key) =
            if hosted.is_empty() { path.split_once('/')? } else { (hosted.as_str(), path) };
        let key = decode(key)?;
        let version = query.split('&').find_map(|q| q.strip_prefix("versionId="));
        (!bucket.is_empty() && !key.is_empty()).then(|| Self {
            url: url.to_owned(),
            bucket: bucket.to_owned(),
            key,
            version: version.map(str::to_owned),
            region: region.unwrap_or(executing).to_owned(),
        })
    }
}

fn encode(key: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    key.bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let hex = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_styles_of_address_are_read() {
        let cases = [
            ("https://b.s3.us-west-2.amazonaws.com/a/t.yaml", ("b", "a/t.yaml", "us-west-2")),
            ("https://b.c.s3-eu-west-1.amazonaws.com/t", ("b.c", "t", "eu-west-1")),
            ("https://s3.us-east-1.amazonaws.com/b/a%20b.yaml", ("b", "a b.yaml", "us-east-1")),
            ("https://b.s3.amazonaws.com/t", ("b", "t", "here")),
            ("https://b.s3.dualstack.us-east-1.amazonaws.com/t", ("b", "t", "us-east-1")),
            ("https://b.s3.cn-north-1.amazonaws.com.cn/t", ("b", "t", "cn-north-1")),
        ];
        for (url, (bucket, key, region)) in cases {
            let got = Location::from_url(url, "here").unwrap();
            let got = (got.bucket.as_str(), got.key.as_str(), got.region.as_str());
            assert_eq!(got, (bucket, key, region), "{url}");
        }
        let versioned =
            Location::from_url("https://b.s3.amazonaws.com/t?versionId=7", "r").unwrap();
        assert_eq!(versioned.version.as_deref(), Some("7"));
        for wrong in [
            "ssm-doc://x",
            "s3://b/t",
            "https://example.com/t",
            "https://s3.amazonaws.com/b",
            "https://b.s3.amazonaws.com",
            "https://b.lambda.us-west-2.amazonaws.com/t",
            "https://b.s3.amazonaws.com/a%2",
            "https://b.s3.amazonaws.com/a%zz",
            "https://b.s3.amazonaws.com/%ff",
        ] {
            let error = Location::from_url(wrong, "here").unwrap_err();
            assert_eq!(error.error_type, shared::ErrorType::InvalidParameters);
            assert!(error.message.contains(&format!("\"{wrong}\" is not an address")), "{error}");
        }
    }

    #[test]
    fn a_key_becomes_an_address_of_the_partition() {
        let url = |key, partition| Location::in_bucket("b", key, "r", partition).map(|l| l.url);
        assert_eq!(url("a/t 1.yaml", "aws").unwrap(), "https://b.s3.r.amazonaws.com/a/t%201.yaml");
        assert_eq!(url("t", "aws-cn").unwrap(), "https://b.s3.r.amazonaws.com.cn/t");
        assert!(url("s3://b/t", "aws").is_err());
    }
}
