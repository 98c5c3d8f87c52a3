//! The run that a command is about: `nofx show`, `nofx cancel` and `nofx retry` take its id and nothing else.

#[derive(clap::Args)]
pub(crate) struct Id {
    /// The run's id.
    pub id: uuid::Uuid,
}
