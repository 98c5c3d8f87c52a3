//! The queue that the settings select. Each driver sends in a file of its own.

use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use tracing::Instrument;

use super::{Error, WakeUp, redis, sqs};
use crate::{net, settings, telemetry};

/// Sends wake-ups through the queue of the settings.
pub struct Queue {
    driver: Driver,
}

enum Driver {
    /// Its functions notify when they commit: there is nothing to send.
    Postgres,
    Redis(redis::Sender),
    Sqs(Box<sqs::Sender>),
}

impl Queue {
    /// Connects with the first wake-up. `role`: the AWS identity when the settings have no keys.
    pub fn new(settings: settings::Queue, role: Option<SharedCredentialsProvider>) -> Self {
        let driver = match settings {
            settings::Queue::Postgres => Driver::Postgres,
            settings::Queue::Redis { url } => Driver::Redis(redis::Sender::new(url)),
            settings::Queue::Sqs { prefix, aws } => {
                let keys = aws.keys.as_ref().map(|keys| SharedCredentialsProvider::new(net::credentials(keys)));
                let nobody =
                    || SharedCredentialsProvider::new(provide_credentials_fn(|| async { Err(CredentialsError::not_loaded_no_source()) }));
                Driver::Sqs(Box::new(sqs::Sender::new(prefix, aws, keys.or(role).unwrap_or_else(nobody))))
            }
        };
        Self { driver }
    }

    /// Checks whether wake-ups could be sent now.
    pub async fn check(&self) -> Result<(), Error> {
        match &self.driver {
            Driver::Postgres => Ok(()),
            Driver::Redis(sender) => Ok(sender.check().await?),
            Driver::Sqs(sender) => Ok(sender.check().await?),
        }
    }

    /// The driver's name in the settings.
    pub fn driver(&self) -> &'static str {
        match &self.driver {
            Driver::Postgres => "postgres",
            Driver::Redis(_) => "redis",
            Driver::Sqs(_) => "sqs",
        }
    }

    /// Wakes workers.
    pub async fn wake(&self, mut wake_ups: Vec<WakeUp>) -> Result<(), Error> {
        if wake_ups.is_empty() || matches!(self.driver, Driver::Postgres) {
            return Ok(());
        }
        let span = tracing::info_span!("send step.ready", otel.kind = "producer", messaging.operation.r#type = "send");
        telemetry::follow(&span, wake_ups.iter().find_map(|wake_up| wake_up.trace.as_ref()));
        for wake_up in &mut wake_ups {
            wake_up.trace = telemetry::current(&span, wake_up.trace.as_ref());
        }
        let send = async {
            match &self.driver {
                Driver::Postgres => Ok(()),
                Driver::Redis(sender) => sender.send(&wake_ups).await.map_err(Error::from),
                Driver::Sqs(sender) => sender.send(&wake_ups).await.map_err(Error::from),
            }
        };
        send.instrument(span.clone()).await
    }

    /// Announces new events, where the queue is the only way to do so (see `events::EventBus`).
    pub async fn notify_event_listeners(&self) -> Result<(), Error> {
        match &self.driver {
            Driver::Redis(sender) => sender.notify_event_listeners().await.map_err(Error::from),
            Driver::Postgres | Driver::Sqs(_) => Ok(()),
        }
    }
}
