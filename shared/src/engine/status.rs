//! The states of a run and of a step; equal to the SQL enums, which a test compares.

use serde::{Deserialize, Serialize};

macro_rules! statuses {
    ($(#[$doc:meta])* $name:ident { $($state:ident = $text:literal),* } finished: $($finished:ident),*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name { $(#[serde(rename = $text)] $state,)* }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$state,)*];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$state => $text,)* }
            }

            /// Whether it is terminal: only a retry changes it.
            pub fn is_finished(self) -> bool {
                matches!(self, $(Self::$finished)|*)
            }
        }

        // By hand: the derived one does not see names that a macro wrote.
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                let text = utoipa::openapi::schema::Type::String;
                utoipa::openapi::ObjectBuilder::new().schema_type(text).enum_values(Some([$($text),*])).build().into()
            }
        }

        impl utoipa::ToSchema for $name {}

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

statuses! {
    /// The status of a run.
    RunStatus {
        Queued = "queued", Running = "running", Paused = "paused", Cancelling = "cancelling", Succeeded = "succeeded",
        Failed = "failed", Cancelled = "cancelled"
    }
    finished: Succeeded, Failed, Cancelled
}

statuses! {
    /// The status of a step.
    StepStatus {
        Pending = "pending", Ready = "ready", Running = "running", Waiting = "waiting", Succeeded = "succeeded",
        Failed = "failed", TimedOut = "timed_out", Cancelled = "cancelled", Skipped = "skipped"
    }
    finished: Succeeded, Failed, TimedOut, Cancelled, Skipped
}
