//! Makes the bill of a step's workspace and saves it. All of the work is done on a thread of its own, since it may take seconds, and for
//! few steps at once, since it may take some hundred MB.

use nofx_sandbox::Files;
use nofx_shared::crypto;
use nofx_shared::engine::Failure;
use nofx_shared::storage::Content;
use uuid::Uuid;

use super::bom::Bom;
use super::document::Document;
use super::permit::Permit;
use crate::step::StepContext;
use crate::workspace::Folder;

const NAME: &str = "sbom.cdx.json";
const MEDIA_TYPE: &str = "application/vnd.cyclonedx+json";

/// A bill that takes memory until it is dropped.
struct Made {
    document: Document,
    digest: String,
    permit: Permit,
}

impl Bom {
    /// Adds the packages of a workspace, and saves the bill as an artifact of the step. Returns its faults, each as `subject: reason`.
    pub(crate) async fn save(self, step: &StepContext, folder: &Folder) -> Result<Vec<String>, Failure> {
        let Made { document, digest, permit } = self.make(folder.files().clone(), step.step.run_id, step.step.id).await?;
        step.save_with(NAME, MEDIA_TYPE, Content::Bytes(document.text.into()), &digest, vec![]).await?;
        drop(permit);
        Ok(document.faults)
    }

    async fn make(self, files: Files, run: Uuid, step: Uuid) -> Result<Made, Failure> {
        let permit = Permit::get().await?;
        // The thread has the permit: it works on when the step ends before it.
        let made = tokio::task::spawn_blocking(move || made(self, &files, run, step, permit));
        made.await.map_err(|error| Failure::permanent(format!("could not make the bill of materials: {error}")))
    }
}

fn made(mut bom: Bom, files: &Files, run: Uuid, step: Uuid, permit: Permit) -> Made {
    bom.add_workspace(files);
    let document = bom.document(run, step);
    Made { digest: crypto::digest(document.text.as_bytes()), document, permit }
}

#[cfg(test)]
mod tests {
    use nofx_sandbox::Files;
    use nofx_shared::crypto;
    use uuid::Uuid;

    use super::super::bom::Bom;
    use super::super::permit::Permit;
    use super::Made;

    async fn make(dir: &std::path::Path) -> Made {
        let made = Bom::default().make(Files::own(dir).expect("open"), Uuid::nil(), Uuid::nil()).await;
        made.unwrap_or_else(|failure| panic!("{failure:?}"))
    }

    #[tokio::test]
    async fn a_bill_has_its_permit_until_it_is_saved() {
        let dir = tempfile::tempdir().expect("a folder");
        let first = make(dir.path()).await;
        assert_eq!(first.digest, crypto::digest(first.document.text.as_bytes()));
        let second = make(dir.path()).await;
        assert_eq!(Permit::available(), 0, "no third one is made");
        drop(first);
        assert_eq!(Permit::available(), 1);
        drop(second);
        assert_eq!(Permit::available(), 2);
    }
}
