use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};

use crate::drivers::machine::Fault;

/// What a failed call of ECS means for its caller.
pub(super) fn fault<E, R>(call: &str, error: &SdkError<E, R>) -> Fault
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default().to_owned();
    let is_refused = matches!(error, SdkError::ConstructionFailure(_)) || error.as_service_error().is_some();
    // Never with the whole answer: it describes tasks, whose environment has their tokens.
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |cause| cause.source());
    let why = format!("{call}: {}", causes.map(ToString::to_string).collect::<Vec<_>>().join(": "));
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
    use aws_sdk_ecs::error::SdkError;
    use aws_sdk_ecs::operation::run_task::RunTaskError;

    use super::{fault, not_placed};
    use crate::drivers::machine::Fault;

    #[test]
    fn a_fault_shows_no_answer() {
        let answer = "the whole answer, with NOFX_TASK_TOKEN";
        let error: SdkError<RunTaskError, _> = SdkError::response_error("expected a text", answer);
        let Fault::Unavailable(why) = fault("RunTask", &error) else { panic!("nobody knows whether it has happened") };
        assert!(why.starts_with("RunTask: ") && why.contains("expected a text") && !why.contains("NOFX_TASK_TOKEN"), "{why}");
    }

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
