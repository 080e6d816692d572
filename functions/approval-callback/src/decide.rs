//! What is done with a call: which open approval it may read, then whether it shows or answers. Pure.

use crate::consent;
use crate::form::Form;
use crate::page::{self, Page};
use crate::request::{Method, Request};
use shared::clock;
use shared::pending::{self, Answer, Pending};

/// What comes after the open approval was read.
pub enum Next {
    /// Nothing is done.
    Show(Page),
    /// The first answer to it.
    First(Answer),
    /// It has an answer already; the form may ask to send that one once more.
    Again(Form),
}

/// The key of the open approval, or the page that needs none.
///
/// # Errors
/// The page for a method or an id that cannot be ours: nothing is read for it.
pub fn key(request: &Request) -> Result<String, Page> {
    match request.method {
        Method::Other => Err(page::method_not_allowed()),
        _ => pending::key(&request.id).ok_or_else(page::bad_link),
    }
}

/// Only a POST acts; mail scanners open links.
pub fn next(request: &Request, pending: &Pending, now: i64) -> Next {
    if request.method == Method::Post {
        return post(request, pending, now);
    }
    Next::Show(match pending.answer {
        Some(_) => page::answered(pending, &request.id),
        None if pending.closed_at.is_some() => page::closed(pending),
        None if pending.is_over(now) => page::expired(pending),
        None => page::ask(pending, &request.id, &Form::default(), &[]),
    })
}

fn post(request: &Request, pending: &Pending, now: i64) -> Next {
    let form = Form::new(&request.body);
    if pending.answer.is_some() {
        return Next::Again(form);
    }
    if pending.closed_at.is_some() {
        return Next::Show(page::closed(pending));
    }
    if pending.is_over(now) {
        return Next::Show(page::expired(pending));
    }
    match (form.answer(pending, &clock::rfc3339(now)), consent::problem(&form, pending)) {
        (Ok(answer), None) => Next::First(answer),
        (answer, problem) => {
            let typed = answer.err().unwrap_or_default().into_iter().map(str::to_owned);
            let problems: Vec<String> = typed.chain(problem).collect();
            Next::Show(page::ask(pending, &request.id, &form, &problems))
        }
    }
}
