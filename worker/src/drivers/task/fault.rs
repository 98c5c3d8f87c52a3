use aws_sdk_ecs::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use crate::drivers::machine::Fault;

/// What a failed call of ECS means for its caller.
pub(super) fn fault<E>(call: &str, error: SdkError<E>) -> Fault
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default().to_owned();
    let is_refused = matches!(&error, SdkError::ConstructionFailure(_)) || error.as_service_error().is_some();
    let why = format!("{call}: {}", DisplayErrorContext(error));
    match code.as_str() {
        // <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html#API_RunTask_Errors> and what all services answer.
        "ThrottlingException" | "TooManyRequestsException" | "LimitExceededException" | "RequestLimitExceeded" => {
            Fault::Busy { after: None, why }
        }
        "ServerException" | "ServiceUnavailable" | "InternalFailure" => Fault::Unavailable(why),
        _ if is_refused => Fault::Refused(why),
        _ => Fault::Unavailable(why),
    }
}

/// Why ECS did not place a task, by the reason that it gives: no room is no refusal.
pub(super) fn not_placed(reason: &str) -> Fault {
    let why = format!("ECS placed no task: {reason}");
    let is_full = reason.starts_with("RESOURCE") || reason.starts_with("Capacity is unavailable") || reason == "AGENT";
    if is_full { Fault::Busy { after: None, why } } else { Fault::Refused(why) }
}

#[cfg(test)]
mod tests {
    use super::not_placed;
    use crate::drivers::machine::Fault;

    #[test]
    fn a_task_for_which_there_is_no_room_may_be_placed_later() {
        for reason in ["RESOURCE:MEMORY", "Capacity is unavailable at this time. Please try again later.", "AGENT"] {
            assert!(matches!(not_placed(reason), Fault::Busy { .. }), "{reason}");
        }
        for reason in ["MISSING", "INACTIVE", "ATTRIBUTE", ""] {
            assert!(matches!(not_placed(reason), Fault::Refused(_)), "{reason}");
        }
    }
}
