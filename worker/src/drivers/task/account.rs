use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, ContainerOverride, DesiredStatus, KeyValuePair, LaunchType, NetworkConfiguration, PropagateTags,
    Tag, Task as Described, TaskField, TaskOverride,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use nofx_shared::drivers::{Enforced, Level, Network};
use nofx_shared::{net, settings};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::definition::{CONTAINER, of_image};
use super::fault::{fault, not_placed};
use super::machine::Task;
use crate::drivers::{Account, Fault, Listed, Machine, Spec, Tags};

/// How long a task may take until it serves: its image is fetched first.
const START_TIMEOUT: Duration = Duration::from_secs(300);
const CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// Between two looks at a task that starts: longer each time.
const POLL: Duration = Duration::from_millis(250);
const LONGEST_POLL: Duration = Duration::from_secs(5);
/// Tasks in one call, at most.
const PAGE: usize = 100;

/// The worker's client of ECS, made with the first call.
pub(crate) type EcsClient = Arc<OnceCell<Client>>;

/// The tasks of a cluster.
pub(crate) struct Tasks {
    settings: settings::Tasks,
    client: EcsClient,
    http: reqwest::Client,
}

impl Tasks {
    pub(crate) fn new(settings: settings::Tasks, client: EcsClient) -> Self {
        // A task is in the VPC and speaks http: whoever reads along would have its token.
        Self { settings, client, http: net::direct_client() }
    }

    async fn client(&self) -> &Client {
        self.client.get_or_init(|| async { Client::new(&net::aws(&self.settings.aws).await) }).await
    }

    async fn create(&self, spec: &Spec) -> Result<Arc<dyn Machine>, Fault> {
        let client = self.client().await;
        let definition = of_image(client, &self.settings.definition, spec.image.as_ref()).await?;
        // Of 148 random bits.
        let token = format!("{}{}", Uuid::now_v7().simple(), Uuid::now_v7().simple());
        let arn = timely(self.start(client, &definition, &token, spec)).await?;
        // From here on its id is known: a failure ends it at once.
        match tokio::time::timeout(START_TIMEOUT, self.await_start(client, &arn, token)).await {
            Ok(Ok(task)) => Ok(Arc::new(task)),
            Ok(Err(fault)) => Err(self.abandon(&arn, fault).await),
            Err(_) => {
                let why = format!("the task did not serve within {} s", START_TIMEOUT.as_secs());
                Err(self.abandon(&arn, Fault::Unavailable(why)).await)
            }
        }
    }

    async fn start(&self, client: &Client, definition: &str, token: &str, spec: &Spec) -> Result<String, Fault> {
        let lifetime = spec.lifetime.as_secs().to_string();
        let environment = [("NOFX_TASK_TOKEN", token), ("NOFX_TASK_LIFETIME_S", &lifetime)];
        let environment = environment.map(|(name, value)| KeyValuePair::builder().name(name).value(value).build());
        let container = ContainerOverride::builder().name(CONTAINER).set_environment(Some(environment.into())).build();
        let groups = if spec.network == Network::None { &self.settings.closed_groups } else { &self.settings.groups };
        let network = AwsVpcConfiguration::builder()
            .set_subnets(Some(self.settings.subnets.clone()))
            .set_security_groups(Some(groups.clone()))
            .assign_public_ip(if self.settings.public_ip { AssignPublicIp::Enabled } else { AssignPublicIp::Disabled })
            .build()
            .map_err(|error| Fault::Refused(error.to_string()))?;
        let run = client
            .run_task()
            .cluster(&self.settings.cluster)
            .task_definition(definition)
            .launch_type(LaunchType::Fargate)
            .network_configuration(NetworkConfiguration::builder().awsvpc_configuration(network).build())
            .overrides(TaskOverride::builder().container_overrides(container).build())
            .propagate_tags(PropagateTags::TaskDefinition)
            .started_by(started_by(&spec.tags.deployment))
            .set_tags(Some(spec.tags.to_map().into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()))
            // The SDK repeats calls: no second task.
            .client_token(spec.tags.creation.to_string());
        let started = run.send().await.map_err(|error| fault("RunTask", &error))?;
        if let Some(arn) = started.tasks().first().and_then(Described::task_arn) {
            return Ok(arn.to_owned());
        }
        let reason = started.failures().first().and_then(|failure| failure.reason()).unwrap_or("no reason given");
        Err(not_placed(reason))
    }

    /// Waits until it runs and serves. It may stop before.
    async fn await_start(&self, client: &Client, arn: &str, token: String) -> Result<Task, Fault> {
        let mut wait = POLL;
        let mut task = Task { arn: arn.to_owned(), url: String::new(), token, http: self.http.clone() };
        loop {
            let described = client.describe_tasks().cluster(&self.settings.cluster).tasks(arn).send().await;
            let described = match described.map_err(|error| fault("DescribeTasks", &error)) {
                Ok(described) => described,
                Err(Fault::Refused(why)) => return Err(Fault::Refused(why)),
                // Many that start at once ask often: the task is there all the same.
                Err(Fault::Busy { .. } | Fault::Unavailable(_) | Fault::Gone(_)) => {
                    wait = (wait * 2).min(LONGEST_POLL);
                    tokio::time::sleep(wait).await;
                    continue;
                }
            };
            // One that was started just now may not be known yet.
            if let Some(described) = described.tasks().first() {
                if described.last_status() == Some("STOPPED") || described.desired_status() == Some("STOPPED") {
                    return Err(Fault::Gone(format!("the task stopped: {}", described.stopped_reason().unwrap_or("no reason given"))));
                }
                if let Some(address) = address(described) {
                    task.url = format!("http://{address}:{}", settings::TaskServer::PORT);
                    if task.is_healthy().await {
                        return Ok(task);
                    }
                }
            }
            wait = (wait + POLL).min(LONGEST_POLL);
            tokio::time::sleep(wait).await;
        }
    }

    async fn abandon(&self, arn: &str, fault: Fault) -> Fault {
        match self.kill(arn).await {
            // It is known that nothing is left.
            Ok(()) => fault,
            Err(error) => Fault::Unavailable(format!("{fault}; and the task could not be stopped: {error}")),
        }
    }

    async fn list(&self, deployment: &str) -> Result<Vec<Listed>, Fault> {
        let client = self.client().await;
        let asked =
            client.list_tasks().cluster(&self.settings.cluster).started_by(started_by(deployment)).desired_status(DesiredStatus::Running);
        let mut pages = asked.into_paginator().items().send();
        let mut arns = vec![];
        while let Some(arn) = pages.next().await {
            arns.push(arn.map_err(|error| fault("ListTasks", &error))?);
        }
        let mut all = vec![];
        for some in arns.chunks(PAGE) {
            let asked = client.describe_tasks().cluster(&self.settings.cluster).set_tasks(Some(some.to_vec())).include(TaskField::Tags);
            let described = asked.send().await.map_err(|error| fault("DescribeTasks", &error))?;
            all.extend(described.tasks().iter().filter_map(|task| {
                let tags = Tags::read(&tags(task)).filter(|tags| tags.deployment == deployment)?;
                Some(Listed { id: task.task_arn()?.to_owned(), tags })
            }));
        }
        Ok(all)
    }

    async fn kill(&self, arn: &str) -> Result<(), Fault> {
        let stopped =
            self.client().await.stop_task().cluster(&self.settings.cluster).task(arn).reason("the attempt has ended").send().await;
        match stopped {
            Ok(_) => Ok(()),
            // It is no more.
            Err(error) if error.as_service_error().is_some_and(|error| error.is_invalid_parameter_exception()) => Ok(()),
            Err(error) => Err(fault("StopTask", &error)),
        }
    }
}

/// A call of ECS that takes too long may have happened.
async fn timely<T>(call: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let late = || Fault::Unavailable(format!("ECS gave no answer in {} s", CALL_TIMEOUT.as_secs()));
    tokio::time::timeout(CALL_TIMEOUT, call).await.unwrap_or_else(|_| Err(late()))
}

/// The name by which tasks are listed: at most 128 of letters, digits, `-`, `_` and `/`.
fn started_by(deployment: &str) -> String {
    let is_allowed = |c: &char| c.is_ascii_alphanumeric() || "-_/".contains(*c);
    deployment.chars().filter(is_allowed).take(128).collect()
}

/// The private address of a task's interface.
fn address(task: &Described) -> Option<String> {
    let details = task.attachments().iter().flat_map(|attachment| attachment.details());
    details.into_iter().find(|detail| detail.name() == Some("privateIPv4Address"))?.value().map(str::to_owned)
}

fn tags(task: &Described) -> BTreeMap<String, String> {
    task.tags().iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned()))).collect()
}

impl Account for Tasks {
    fn enforces(&self, spec: &Spec) -> Result<Enforced, String> {
        match spec.network {
            Network::Proxy => return Err("a task has no egress proxy; set `resources.network` to `none` or `all`".to_owned()),
            Network::None if self.settings.closed_groups.is_empty() => {
                return Err(
                    "this deployment has no security group for tasks without a network (NOFX_TASK_CLOSED_SECURITY_GROUPS)".to_owned()
                );
            }
            _ => {}
        }
        Ok(Enforced {
            level: Some(Level::L4),
            driver: spec.kind.0.as_str().to_owned(),
            limits: spec.limits,
            network: (spec.network == Network::None).then_some(Network::None),
            ..Enforced::default()
        })
    }

    fn create<'a>(&'a self, spec: &'a Spec) -> BoxFuture<'a, Result<Arc<dyn Machine>, Fault>> {
        self.create(spec).boxed()
    }

    fn list<'a>(&'a self, deployment: &'a str) -> BoxFuture<'a, Result<Vec<Listed>, Fault>> {
        timely(self.list(deployment)).boxed()
    }

    fn kill<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), Fault>> {
        timely(self.kill(id)).boxed()
    }
}
