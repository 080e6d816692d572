//! The bucket of the executing Region.

use crate::aws::{Doing, lost};
use crate::error::{Error, Result};
use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An object with its entity tag.
#[derive(Debug, Clone)]
pub struct Object {
    /// Content.
    pub bytes: Vec<u8>,
    /// For a conditional write.
    pub etag: String,
}

/// Reads and writes of one bucket; keys are whole, without the bucket's name.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    bucket: String,
}

impl Store {
    /// A store with a function's own role.
    pub fn new(config: &SdkConfig, bucket: &str) -> Self {
        Self { client: Client::new(config), bucket: bucket.to_owned() }
    }

    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// `s3://bucket/key`.
    pub fn url(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    /// The same for error texts, which end in logs and histories: an id under `pending/` is what a
    /// link proves itself with.
    fn shown(&self, key: &str) -> String {
        match key.split_once("pending/") {
            Some((folder, _)) => self.url(&format!("{folder}pending/<hidden>")),
            None => self.url(key),
        }
    }

    /// The object, or None when there is none.
    ///
    /// # Errors
    /// As the service says; without `s3:ListBucket` a missing key shows as `Dr.AccessDenied`.
    pub async fn get(&self, key: &str) -> Result<Option<Object>> {
        let what = format!("read {}", self.shown(key));
        let answer =
            self.client.get_object().bucket(&self.bucket).key(key).send().await.doing(&what);
        let answer = match answer {
            Err(error) if error.has_code("NoSuchKey") => return Ok(None),
            other => other?,
        };
        let etag = answer.e_tag().unwrap_or_default().to_owned();
        Ok(Some(Object { bytes: whole(answer.body, &what).await?, etag }))
    }

    /// The size in bytes, or None when there is no such object.
    ///
    /// # Errors
    /// As the service says.
    pub async fn size(&self, key: &str) -> Result<Option<i64>> {
        let what = format!("look at {}", self.shown(key));
        let answer =
            self.client.head_object().bucket(&self.bucket).key(key).send().await.doing(&what);
        match answer {
            Err(error) if error.is_not_found() => Ok(None),
            other => Ok(Some(other?.content_length().unwrap_or(0))),
        }
    }

    /// The JSON object under a key, or None.
    ///
    /// # Errors
    /// `Dr.Internal` when it is not what it should be.
    pub async fn get_json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let Some(object) = self.get(key).await? else { return Ok(None) };
        from_json(&object.bytes, &self.shown(key)).map(Some)
    }

    /// Writes an object, whatever was there.
    ///
    /// # Errors
    /// As the service says.
    pub async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<()> {
        self.put_when(key, bytes, None, None).await.map(|_| ())
    }

    /// Writes JSON for people: indented.
    ///
    /// # Errors
    /// As the service says.
    pub async fn put_json<T: Serialize + Sync>(&self, key: &str, value: &T) -> Result<()> {
        self.put(key, to_json(value)?).await
    }

    /// Writes JSON only when the key is free. False: somebody was first.
    ///
    /// # Errors
    /// As the service says.
    pub async fn put_new<T: Serialize + Sync>(&self, key: &str, value: &T) -> Result<bool> {
        self.put_when(key, to_json(value)?, Some("*"), None).await
    }

    /// Writes JSON only when the object is still the one with this tag. False: it changed.
    ///
    /// # Errors
    /// As the service says.
    pub async fn put_if<T: Serialize + Sync>(
        &self,
        key: &str,
        value: &T,
        etag: &str,
    ) -> Result<bool> {
        self.put_when(key, to_json(value)?, None, Some(etag)).await
    }

    async fn put_when(
        &self,
        key: &str,
        bytes: Vec<u8>,
        if_none_match: Option<&str>,
        if_match: Option<&str>,
    ) -> Result<bool> {
        let answer = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type(key))
            .set_if_none_match(if_none_match.map(str::to_owned))
            .set_if_match(if_match.map(str::to_owned))
            .body(ByteStream::from(bytes))
            .send()
            .await
            .doing(&format!("write {}", self.shown(key)));
        match answer {
            Err(e)
                if e.has_code("PreconditionFailed") || e.has_code("ConditionalRequestConflict") =>
            {
                Ok(false)
            }
            other => other.map(|_| true),
        }
    }

    /// All keys under a prefix, in order.
    ///
    /// # Errors
    /// As the service says.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let mut pages = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(prefix)
            .into_paginator()
            .send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.doing(&format!("list {}", self.shown(prefix)))?;
            keys.extend(page.contents().iter().filter_map(|o| o.key().map(str::to_owned)));
        }
        Ok(keys)
    }
}

/// A connection that breaks in the middle is no answer: the next look reads it again.
async fn whole(body: ByteStream, what: &str) -> Result<Vec<u8>> {
    let bytes = body.collect().await.map_err(|e| lost(what, &e.to_string()))?;
    Ok(bytes.to_vec())
}

fn from_json<T: DeserializeOwned>(bytes: &[u8], shown: &str) -> Result<T> {
    serde_json::from_slice(bytes)
        .map_err(|e| Error::internal(format!("{shown} is not as expected: {e}")))
}

fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(value).map_err(|e| Error::internal(format!("not serialisable: {e}")))
}

fn content_type(key: &str) -> &'static str {
    match key.rsplit('.').next() {
        Some("json") => "application/json",
        Some("html") => "text/html; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorType;
    use aws_sdk_s3::primitives::SdkBody;
    use std::collections::BTreeMap;

    #[tokio::test]
    async fn an_object_that_breaks_off_is_read_again() {
        let broken = ByteStream::new(SdkBody::taken());
        let error = whole(broken, "read s3://b/lock.json").await.unwrap_err();
        assert!(error.is_transient(), "{error:?}");
        assert!(error.message.starts_with("could not read s3://b/lock.json: "), "{error}");
        assert_eq!(whole(ByteStream::from_static(b"{}"), "read").await.unwrap(), b"{}");
    }

    #[test]
    fn what_is_no_json_of_ours_is_named() {
        let error = from_json::<u32>(b"\"x\"", "s3://b/lock.json").unwrap_err();
        assert_eq!(error.error_type, ErrorType::Internal);
        assert!(error.message.starts_with("s3://b/lock.json is not as expected: "), "{error}");
        let keys_are_no_texts = BTreeMap::from([((1, 2), 3)]);
        let error = to_json(&keys_are_no_texts).unwrap_err();
        assert_eq!(error.error_type, ErrorType::Internal);
    }
}
