//! in-toto statements (v1): SLSA provenance v1 of every artifact, test-result v0.1 of gates, svr v0.2 of approvals.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

use crate::crypto::{Envelope, SigningKey};
use crate::gates::{Evidence, Finding, Verdict};

pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";
const VERIFICATION: &str = "https://in-toto.io/attestation/svr/v0.2";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    #[serde(rename = "_type")]
    pub kind: String,
    pub subject: Vec<Subject>,
    pub predicate_type: String,
    pub predicate: Value,
}

/// The subject of a statement: identified by digest, under any name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    pub name: String,
    /// Algorithm → hex: sha256, gitCommit, gitTree.
    pub digest: BTreeMap<String, String>,
}

/// A signed statement, as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attestation {
    pub predicate_type: String,
    /// Digests of its subjects: `sha256:…`
    pub subjects: Vec<String>,
    pub key_id: String,
    pub envelope: Envelope,
}

/// Something that a step worked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Material {
    pub uri: String,
    /// `sha256:…` or `gitCommit:…`; none of a host, of which only the name is known.
    pub digest: Option<String>,
}

/// How an artifact was produced.
pub struct Provenance<'a> {
    pub tool: &'a str,
    /// The step's inputs, secrets masked.
    pub inputs: &'a Value,
    pub parameters: Value,
    pub materials: Vec<Material>,
    /// The program that ran the step.
    pub builder_version: &'a str,
    pub run: Uuid,
    pub step: Uuid,
    pub attempt: u32,
    pub started_at: DateTime<Utc>,
}

impl Subject {
    /// `digest` is `algorithm:hex`.
    pub fn new(name: impl Into<String>, digest: &str) -> Self {
        let (algorithm, hex) = digest.split_once(':').unwrap_or(("sha256", digest));
        Self { name: name.into(), digest: BTreeMap::from([(algorithm.to_owned(), hex.to_owned())]) }
    }
}

impl Statement {
    fn new(subject: Vec<Subject>, predicate_type: &str, predicate: Value) -> Self {
        Self { kind: STATEMENT.to_owned(), subject, predicate_type: predicate_type.to_owned(), predicate }
    }

    pub fn sign(&self, key: &SigningKey) -> Attestation {
        let payload = serde_json::to_vec(self).expect("texts and numbers are JSON");
        let digests = self.subject.iter().flat_map(|subject| &subject.digest);
        Attestation {
            predicate_type: self.predicate_type.clone(),
            subjects: digests.map(|(algorithm, hex)| format!("{algorithm}:{hex}")).collect(),
            key_id: key.public().kid.clone(),
            envelope: key.sign(PAYLOAD_TYPE, &payload),
        }
    }
}

/// A resource descriptor of in-toto: an address, and its digest where there is one.
fn resource(material: &Material) -> Value {
    match &material.digest {
        Some(digest) => json!({"uri": material.uri, "digest": Subject::new("", digest).digest}),
        None => json!({"uri": material.uri}),
    }
}

/// SLSA provenance: which step of which run made the subject, from which materials.
pub fn provenance(subject: Subject, made: &Provenance<'_>) -> Statement {
    let dependencies: Vec<Value> = made.materials.iter().map(resource).collect();
    let builder = json!({"id": "https://nofx.dev/worker", "version": {"nofx": made.builder_version}});
    Statement::new(
        vec![subject],
        PROVENANCE,
        json!({
            "buildDefinition": {
                "buildType": "https://nofx.dev/step/v1",
                "externalParameters": {"tool": made.tool, "inputs": made.inputs},
                "internalParameters": made.parameters,
                "resolvedDependencies": dependencies,
            },
            "runDetails": {
                "builder": builder,
                "metadata": {
                    "invocationId": format!("nofx:run/{}/step/{}/attempt/{}", made.run, made.step, made.attempt),
                    "startedOn": instant(made.started_at),
                    "finishedOn": instant(Utc::now()),
                },
            },
        }),
    )
}

/// The result of a gate.
pub fn test_result(evidence: &Evidence, evidence_digest: &str) -> Statement {
    let mut subject: Vec<Subject> = evidence.inputs.iter().map(|input| Subject::new(&input.name, &input.digest)).collect();
    if subject.is_empty() {
        subject.push(Subject::new(format!("{}.json", evidence.gate.replace(':', "-")), evidence_digest));
    }
    let result = match evidence.verdict {
        Verdict::Pass | Verdict::NotApplicable if evidence.findings.is_empty() => "PASSED",
        Verdict::Pass | Verdict::NotApplicable => "WARNED",
        Verdict::Fail | Verdict::Inconclusive => "FAILED",
    };
    let failed: Vec<&str> = evidence.findings.iter().filter_map(|finding: &Finding| finding.rule.as_deref()).collect();
    let (failed, warned) = if result == "FAILED" { (failed, vec![]) } else { (vec![], failed) };
    let configuration = json!([{"name": "evidence", "digest": Subject::new("", evidence_digest).digest}]);
    Statement::new(
        subject,
        TEST_RESULT,
        json!({
            "result": result, "configuration": configuration, "passedTests": [], "warnedTests": warned, "failedTests": failed,
        }),
    )
}

/// The approval of a step by a person.
pub fn approval(step: Subject, kind: &str, status: &str, by: &str, at: DateTime<Utc>) -> Statement {
    let property = format!("NOFX_{}_{}", kind.trim_start_matches("manual:").replace(['.', '-'], "_"), status).to_uppercase();
    Statement::new(
        vec![step],
        VERIFICATION,
        json!({
            "verifier": {"id": format!("nofx:person/{by}")}, "timeCreated": instant(at), "properties": [property],
        }),
    )
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
