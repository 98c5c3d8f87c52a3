//! URIs of artifacts: relative references (RFC 3986, 4.2), unique in the tenant. Where the bytes are is not here: see `blob_path`.

use nofx_shared::engine::ClaimedStep;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What a path may not contain as it is (RFC 3986, 3.3): everything but `pchar` and `/`.
const NOT_OF_A_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The URI of a step's artifact. Artifacts of an earlier attempt are not replaced.
pub(super) fn artifact_uri(step: &ClaimedStep, name: &str) -> String {
    let attempt = if step.attempt > 1 { format!("{}/", step.attempt) } else { String::new() };
    format!("runs/{}/steps/{}/{attempt}{}", step.run_id, step.id, utf8_percent_encode(name, NOT_OF_A_PATH))
}

#[cfg(test)]
mod tests {
    use nofx_shared::engine::ClaimedStep;
    use serde_json::json;
    use uuid::Uuid;

    use super::artifact_uri;

    fn step(attempt: u32) -> ClaimedStep {
        let step = json!({
            "id": Uuid::from_u128(2), "run_id": Uuid::from_u128(1), "tenant_id": Uuid::nil(), "name": "a", "tool": "bash", "attempt": attempt,
            "ready_at": "2026-01-02T03:04:05Z", "token": Uuid::nil(), "spec": {}, "created_by": "me", "goal": "g",
        });
        serde_json::from_value(step).expect("a step")
    }

    #[test]
    fn a_uri_names_run_step_attempt_and_file() {
        let of_step = "runs/00000000-0000-0000-0000-000000000001/steps/00000000-0000-0000-0000-000000000002";
        assert_eq!(artifact_uri(&step(1), "gate-unit.json"), format!("{of_step}/gate-unit.json"));
        assert_eq!(artifact_uri(&step(2), "dist/app.tar.gz"), format!("{of_step}/2/dist/app.tar.gz"));
    }

    #[test]
    fn no_two_names_have_the_same_uri_and_none_breaks_it() {
        let uris = ["a b", "a%20b", "a?b", "a#b", "ä", "a\\b", "a\nb", "a:b@c", "a[0]"].map(|name| artifact_uri(&step(1), name));
        let names = uris.each_ref().map(|uri| uri.rsplit('/').next().expect("a name"));
        assert_eq!(names, ["a%20b", "a%2520b", "a%3Fb", "a%23b", "%C3%A4", "a%5Cb", "a%0Ab", "a:b@c", "a%5B0%5D"]);
    }
}
