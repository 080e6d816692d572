//! From an AWS SDK error to ours: what it means for the loop, in one place.

use crate::error::{Error, ErrorType, Nature, Result};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

const THROTTLED: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
];
const DENIED: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "AuthorizationError",
    "NotAuthorized",
    "KMSAccessDeniedException",
];
const STATE: &[&str] = &[
    "ResourceConflictException",
    "ResourceNotReadyException",
    "OperationInProgressException",
    "ConcurrentUpdateException",
];

/// Adds what was being done to a failed SDK call.
pub trait Doing<T> {
    /// `what` completes "could not ...": `describe DB instance orders-db in us-west-2`.
    fn doing(self, what: &str) -> Result<T>;
}

impl<T, E> Doing<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + std::fmt::Debug,
{
    fn doing(self, what: &str) -> Result<T> {
        self.map_err(|error| from_sdk(what, &error))
    }
}

fn from_sdk<E: ProvideErrorMetadata + std::fmt::Debug>(
    what: &str,
    error: &SdkError<E, HttpResponse>,
) -> Error {
    let status = error.raw_response().map_or(0, |r| r.status().as_u16());
    match error {
        SdkError::ServiceError(service) => {
            let code = service.err().code().unwrap_or("UnknownError");
            let message = service.err().message().unwrap_or("no message");
            from_code(what, code, message, status)
        }
        SdkError::ConstructionFailure(failure) => Error::internal(format!(
            "could not {what}: the request could not be built: {failure:?}"
        )),
        SdkError::TimeoutError(_) => lost(what, "no answer in time"),
        SdkError::DispatchFailure(_) => lost(what, "no connection to the service"),
        _ if status >= 500 => lost(what, &format!("HTTP status {status}")),
        _ => lost(what, "the answer could not be read"),
    }
}

/// The answer is missing: whatever was asked for may have been done.
pub(crate) fn lost(what: &str, why: &str) -> Error {
    Error::new(ErrorType::Failed, format!("could not {what}: {why}")).nature(Nature::Uncertain)
}

/// Maps a service's error code, message and HTTP status.
pub fn from_code(what: &str, code: &str, message: &str, status: u16) -> Error {
    let (error_type, nature) = classify(code, message, status);
    let text = format!("could not {what}: {code}: {message}");
    let mut error = Error::new(error_type, text).nature(nature);
    error.code = Some(code.to_owned());
    error
}

fn classify(code: &str, message: &str, status: u16) -> (ErrorType, Nature) {
    let not_found = code.contains("NotFound") || code.starts_with("NoSuch");
    let state = (code.starts_with("Invalid") && code.contains("State")) || STATE.contains(&code);
    if THROTTLED.contains(&code) || status == 429 {
        (ErrorType::Failed, Nature::Throttled)
    } else if DENIED.contains(&code) {
        (ErrorType::AccessDenied, Nature::Final)
    } else if not_found || (code == "ValidationError" && message.contains("does not exist")) {
        (ErrorType::NotFound, Nature::NotFound)
    } else if state {
        (ErrorType::Conflict, Nature::StateFault)
    } else if status >= 500 {
        (ErrorType::Failed, Nature::Uncertain)
    } else {
        (ErrorType::Failed, Nature::Final)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    #[test]
    fn codes_map_to_natures() {
        let cases = [
            ("Throttling", "", 400, Nature::Throttled),
            ("SlowDown", "", 503, Nature::Throttled),
            ("InternalFailure", "", 500, Nature::Uncertain),
            ("DBInstanceNotFound", "", 404, Nature::NotFound),
            ("ValidationError", "Stack with id x does not exist", 400, Nature::NotFound),
            ("ValidationError", "Template format error", 400, Nature::Final),
            ("InvalidDBInstanceState", "", 400, Nature::StateFault),
            ("AccessDenied", "", 403, Nature::Final),
        ];
        for (code, message, status, wanted) in cases {
            assert_eq!(from_code("x", code, message, status).nature, wanted, "{code}");
        }
    }

    /// What the SDK says when no service has answered.
    fn unanswered(error: SdkError<ErrorMetadata, HttpResponse>) -> Error {
        Err::<(), _>(error).doing("describe orders").unwrap_err()
    }

    #[test]
    fn without_an_answer_nobody_knows_whether_the_call_was_made() {
        let answer = |status: u16| {
            let status = status.try_into().unwrap();
            SdkError::response_error("cut", HttpResponse::new(status, SdkBody::empty()))
        };
        for (error, why) in [
            (SdkError::timeout_error("slow"), "no answer in time"),
            (
                SdkError::dispatch_failure(ConnectorError::io("down".into())),
                "no connection to the service",
            ),
            (answer(503), "HTTP status 503"),
            (answer(200), "the answer could not be read"),
        ] {
            let error = unanswered(error);
            assert_eq!((error.error_type, error.nature), (ErrorType::Failed, Nature::Uncertain));
            assert_eq!(error.message, format!("could not describe orders: {why}"));
        }
    }

    #[test]
    fn a_request_that_cannot_be_built_is_a_defect_of_ours() {
        let error = unanswered(SdkError::construction_failure("no bucket"));
        assert_eq!((error.error_type, error.nature), (ErrorType::Internal, Nature::Final));
        assert!(error.message.contains("describe orders") && error.message.contains("no bucket"));
    }
}
