//! Reading and writing many objects at once.

use manifest_loader::key;
use manifest_loader::problem::Report;
use manifest_loader::text::{LIMIT, too_large};
use shared::names::PREFIX;
use shared::nearest::did_you_mean;
use shared::store::Store;
use shared::{Error, ErrorType, Result};
use tokio::task::JoinSet;

/// Calls on their way at once.
const WIDTH: usize = 16;

/// Runs `call` over all items, some at a time; answers in order.
///
/// # Errors
/// `Dr.Internal` when a task could not be run.
pub async fn each<T, U, F, Fut>(items: Vec<T>, call: F) -> Result<Vec<U>>
where
    F: Fn(T) -> Fut,
    Fut: Future<Output = U> + Send + 'static,
    U: Send + 'static,
{
    let mut tasks = JoinSet::new();
    let mut answers: Vec<(usize, U)> = Vec::with_capacity(items.len());
    for (n, item) in items.into_iter().enumerate() {
        if tasks.len() == WIDTH {
            answers.extend(next(&mut tasks).await?);
        }
        let task = call(item);
        tasks.spawn(async move { (n, task.await) });
    }
    while let Some(answer) = next(&mut tasks).await? {
        answers.push(answer);
    }
    answers.sort_by_key(|(n, _)| *n);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

async fn next<U: 'static>(tasks: &mut JoinSet<U>) -> Result<Option<U>> {
    let answer = tasks.join_next().await.transpose();
    answer.map_err(|e| Error::internal(format!("a task ended by itself: {e}")))
}

/// A manifest's bytes; what keeps it from being read is reported.
pub async fn fetch(store: &Store, key: &str, report: &mut Report) -> Option<Vec<u8>> {
    match read(store, key).await {
        Ok(Found::Whole(bytes)) => return Some(bytes),
        Ok(Found::TooLarge(size)) => report.problems.push(too_large(key, size)),
        Ok(Found::Nothing) => {
            let text = missing(store, key).await;
            report.wrong_as(ErrorType::NotFound, key, "", text);
        }
        Err(error) => report.wrong_as(error.error_type, key, "", &error.message),
    }
    None
}

enum Found {
    Whole(Vec<u8>),
    TooLarge(usize),
    Nothing,
}

/// Looks at the size first: an object may be larger than the function's memory.
async fn read(store: &Store, key: &str) -> Result<Found> {
    let Some(size) = store.size(key).await? else { return Ok(Found::Nothing) };
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if size > LIMIT {
        return Ok(Found::TooLarge(size));
    }
    Ok(store.get(key).await?.map_or(Found::Nothing, |o| Found::Whole(o.bytes)))
}

async fn missing(store: &Store, key: &str) -> String {
    let folder = match key::folder(key) {
        "" | PREFIX => format!("{PREFIX}manifest-files/"),
        folder => folder.to_owned(),
    };
    let keys = store.list(&folder).await.unwrap_or_default();
    let hint = did_you_mean(key, keys.iter().map(String::as_str));
    format!("there is no object \"{key}\" in the bucket {}.{hint}", store.bucket())
}

/// Writes all objects.
///
/// # Errors
/// The first one that could not be written.
pub async fn put_all(store: &Store, objects: Vec<(String, Vec<u8>)>) -> Result<()> {
    let answers = each(objects, |(key, bytes)| {
        let store = store.clone();
        async move { store.put(&key, bytes).await }
    });
    answers.await?.into_iter().collect()
}
