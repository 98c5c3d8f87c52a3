//! Makes the bill of a step's workspace and saves it. All of the work is done on a thread of its own, since it may take seconds, and for
//! few steps at once, since it may take some hundred MB.

use nofx_sandbox::Files;
use nofx_shared::crypto;
use nofx_shared::engine::Failure;
use nofx_shared::storage::Content;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::bom::Bom;
use super::document::Document;
use super::permit::Permit;
use super::reading::Reading;
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
        let bom = self.masked(&step.mask);
        let Made { document, digest, permit } = bom.make(folder.files().clone(), step.step.run_id, step.step.id, &step.stop).await?;
        step.save_with(NAME, MEDIA_TYPE, Content::Bytes(document.text.into()), &digest, vec![]).await?;
        drop(permit);
        Ok(document.faults)
    }

    async fn make(self, files: Files, run: Uuid, step: Uuid, stop: &CancellationToken) -> Result<Made, Failure> {
        let (permit, stop) = (Permit::get(stop).await?, stop.clone());
        // The thread has the permit: when the step is stopped it goes on to the end of the file that it reads.
        let made = tokio::task::spawn_blocking(move || made(self, &files, run, step, &stop, permit));
        let made = made.await.map_err(|error| Failure::permanent(format!("could not make the bill of materials: {error}")))?;
        made.ok_or_else(Failure::interrupted)
    }
}

/// None: the step was stopped meanwhile.
fn made(mut bom: Bom, files: &Files, run: Uuid, step: Uuid, stop: &CancellationToken, permit: Permit) -> Option<Made> {
    bom.add_workspace(&Reading::new(files, stop));
    if stop.is_cancelled() {
        return None;
    }
    let document = bom.document(run, step);
    Some(Made { digest: crypto::digest(document.text.as_bytes()), document, permit })
}

#[cfg(test)]
mod tests {
    use nofx_sandbox::Files;
    use nofx_shared::crypto;
    use nofx_shared::engine::Failure;
    use nofx_shared::secrets::Mask;
    use tokio_util::sync::CancellationToken;
    use uuid::Uuid;

    use super::super::bom::Bom;
    use super::super::permit::Permit;
    use super::super::reading::Reading;
    use super::{Made, made};

    async fn make(dir: &std::path::Path) -> Made {
        let made = Bom::default().make(Files::own(dir).expect("open"), Uuid::nil(), Uuid::nil(), &CancellationToken::new()).await;
        made.unwrap_or_else(|failure| panic!("{failure:?}"))
    }

    fn refused(made: Result<Made, Failure>) -> Failure {
        made.err().expect("it was stopped")
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
        // A step that is stopped does not wait for its turn.
        let third = make(dir.path()).await;
        let stop = CancellationToken::new();
        let waiting = Bom::default().make(Files::own(dir.path()).expect("open"), Uuid::nil(), Uuid::nil(), &stop);
        let (waiting, ()) = tokio::join!(waiting, async { stop.cancel() });
        assert_eq!(refused(waiting), Failure::interrupted());
        drop((second, third));
        assert_eq!(Permit::available(), 2);
        // One that is stopped while it is made has none.
        let (permit, files) = (Permit::get(&CancellationToken::new()).await.expect("a permit"), Files::own(dir.path()).expect("open"));
        assert!(made(Bom::default(), &files, Uuid::nil(), Uuid::nil(), &stop, permit).is_none());
        assert_eq!(Permit::available(), 2);
    }

    #[test]
    fn a_bill_has_no_secret_and_no_part_of_one() {
        let dir = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
        write("requirements.txt", "a @ https://u:hunter2-hunter2@h.example/a.zip\nhunter2-hunter2==1\n");
        // Its message repeats the line, and is cut.
        write("uv.lock", &format!("{}= \"hunter2-hunter2", "x".repeat(250)));
        let mut bom = Bom::default().masked(&Mask::new(["hunter2-hunter2".to_owned()]));
        bom.add_workspace(&Reading::new(&Files::own(dir.path()).expect("open"), &CancellationToken::new()));
        let document = bom.document(Uuid::nil(), Uuid::nil());
        assert!(document.text.contains("h.example") && document.faults.len() == 1, "{} {:?}", document.text, document.faults);
        let shown = document.text + &document.faults.concat();
        assert!(!shown.contains("hunter") && shown.contains("***"), "{shown}");
    }
}
