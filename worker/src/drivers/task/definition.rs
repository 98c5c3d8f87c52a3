//! The task definition of an image: the operator's, with another image for the container of the step.

use aws_sdk_ecs::Client;
use nofx_shared::crypto::sha256;
use nofx_shared::drivers::Image;

use super::fault::fault;
use crate::drivers::machine::Fault;

/// The container of the step, in the operator's definition. Another one brings the program that it runs, so that any image will do.
pub(super) const CONTAINER: &str = "step";

/// Its name: the operator's own for steps without an image; else one that is made from it, once for each image.
pub(super) async fn of_image(client: &Client, base: &str, image: Option<&Image>) -> Result<String, Fault> {
    let Some(image) = image else { return Ok(base.to_owned()) };
    let described = client.describe_task_definition().task_definition(base).send().await;
    let described = described.map_err(|error| fault("DescribeTaskDefinition", &error))?;
    let base = described.task_definition.ok_or_else(|| Fault::Refused(format!("ECS has no task definition {base}")))?;
    // A new revision of the operator's gives new ones.
    let of = format!("{}\n{}", base.task_definition_arn.as_deref().unwrap_or_default(), image.as_str());
    let family = format!("{}-{}", base.family.as_deref().unwrap_or("nofx-step"), &sha256(of.as_bytes())[..16]);
    if client.describe_task_definition().task_definition(&family).send().await.is_ok() {
        return Ok(family);
    }
    let mut containers = base.container_definitions.unwrap_or_default();
    let Some(step) = containers.iter_mut().find(|container| container.name.as_deref() == Some(CONTAINER)) else {
        return Err(Fault::Refused(format!("the task definition for steps has no container `{CONTAINER}`")));
    };
    step.image = Some(image.as_str().to_owned());
    let made = client
        .register_task_definition()
        .family(&family)
        .set_container_definitions(Some(containers))
        .set_volumes(base.volumes)
        .set_execution_role_arn(base.execution_role_arn)
        .set_network_mode(base.network_mode)
        .set_requires_compatibilities(base.requires_compatibilities)
        .set_runtime_platform(base.runtime_platform)
        .set_ephemeral_storage(base.ephemeral_storage)
        .set_cpu(base.cpu)
        .set_memory(base.memory)
        .send()
        .await;
    made.map_err(|error| fault("RegisterTaskDefinition", &error))?;
    Ok(family)
}
