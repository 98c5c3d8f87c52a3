//! `nofx artifact get` and `nofx artifact verify`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use nofx_shared::artifacts::Statement;
use nofx_shared::auth::Role;
use nofx_shared::crypto::{self, Envelope, PublicKey};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::api::Api;
use crate::exit::{Error, Exit, Outcome};
use crate::output;
use crate::target::Target;

#[derive(Subcommand)]
pub(crate) enum Artifact {
    /// Download an artifact to a file.
    Get(GetArtifact),
    /// Verify an artifact against its attestations. Works offline with a file, --attestation and --keys.
    Verify(VerifyArtifact),
}

#[derive(clap::Args)]
pub(crate) struct GetArtifact {
    /// Id of the artifact.
    pub id: String,
    /// Output file; default: the artifact's name.
    #[arg(long, short)]
    pub output: Option<PathBuf>,
    /// Also save the attestations, as <output>.attestations.json.
    #[arg(long)]
    pub attestations: bool,
}

#[derive(clap::Args)]
pub(crate) struct VerifyArtifact {
    /// Id of the artifact, or a file.
    pub what: String,
    /// Attestations: the response of `GET /api/artifacts/{id}/attestations`, or one DSSE envelope.
    #[arg(long, requires = "keys")]
    pub attestation: Option<PathBuf>,
    /// Public keys: the response of /.well-known/nofx-keys.json.
    #[arg(long, requires = "attestation")]
    pub keys: Option<PathBuf>,
}

pub(crate) async fn get(target: &Target, options: GetArtifact) -> Outcome {
    let api = Api::find(target, Role::Viewer)?;
    let known = api.get(&format!("/api/artifacts/{}", options.id)).await?;
    let name = known["name"].as_str().unwrap_or("artifact");
    // A name may have folders in it: only its last part becomes a file here.
    let path = options.output.unwrap_or_else(|| PathBuf::from(name.rsplit('/').next().unwrap_or(name)));
    let failed = |error: std::io::Error| Error::new(format!("{}: {error}", path.display()));
    let mut response = api.download(&format!("/api/artifacts/{}/content", options.id)).await?;
    let mut file = tokio::fs::File::create(&path).await.map_err(failed)?;
    let mut sum = Sha256::new();
    while let Some(piece) = response.chunk().await.map_err(Error::new)? {
        sum.update(&piece);
        file.write_all(&piece).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    if known["hash"] != crypto::format_digest(&sum.finalize()) {
        return Err(Error::new(format!("{}: checksum mismatch, expected {}", path.display(), known["hash"])));
    }
    if options.attestations {
        let attestations = api.get(&format!("/api/artifacts/{}/attestations", options.id)).await?;
        let mut file = path.clone().into_os_string();
        file.push(".attestations.json");
        tokio::fs::write(&file, attestations.to_string()).await.map_err(failed)?;
    }
    output::line(format_args!("{}", path.display()));
    Ok(Exit::Succeeded)
}

pub(crate) async fn verify(target: &Target, options: VerifyArtifact) -> Outcome {
    let (digest, attestations, keys) = match (&options.attestation, &options.keys) {
        (Some(attestation), Some(keys)) => (of_file(Path::new(&options.what)).await?, read::<Value>(attestation)?, read::<Value>(keys)?),
        _ => {
            let api = Api::find(target, Role::Viewer)?;
            let mut response = api.download(&format!("/api/artifacts/{}/content", options.what)).await?;
            let mut sum = Sha256::new();
            while let Some(piece) = response.chunk().await.map_err(Error::new)? {
                sum.update(&piece);
            }
            let attestations = api.get(&format!("/api/artifacts/{}/attestations", options.what)).await?;
            (crypto::format_digest(&sum.finalize()), attestations, api.get("/.well-known/nofx-keys.json").await?)
        }
    };
    let keys: Vec<PublicKey> =
        serde_json::from_value(keys["keys"].clone()).map_err(|error| Error::new(format!("could not read the keys: {error}")))?;
    let found = check(&digest, &attestations, &keys)?;
    if target.json {
        output::line(format_args!("{}", json!({"digest": digest, "statements": found})));
    } else {
        output::line(format_args!("{digest} verified:"));
        for statement in &found {
            output::line(format_args!("  {}", describe(statement)));
        }
    }
    Ok(Exit::Succeeded)
}

/// The statements of attestations that a known key signed; one of them must be the provenance of these bytes.
fn check(digest: &str, attestations: &Value, keys: &[PublicKey]) -> Result<Vec<Statement>, Error> {
    let listed: Vec<Value> = match attestations["data"].as_array() {
        Some(list) => list.iter().map(|one| one["envelope"].clone()).collect(),
        None => vec![attestations.clone()],
    };
    let mut found = vec![];
    for envelope in listed {
        let envelope: Envelope =
            serde_json::from_value(envelope).map_err(|error| Error::new(format!("could not read an attestation: {error}")))?;
        let signers: BTreeSet<&str> = envelope.signatures.iter().map(|signature| signature.keyid.as_str()).collect();
        let payload = envelope.verify(keys).ok_or_else(|| {
            Error::new(format!(
                "an attestation has no valid signature of a known key (signed by {signers:?}): the content changed, or the key is unknown"
            ))
        })?;
        let statement: Statement =
            serde_json::from_slice(&payload).map_err(|error| Error::new(format!("could not read a statement: {error}")))?;
        found.push(statement);
    }
    let is_about = |statement: &&Statement| {
        statement.subject.iter().any(|one| one.digest.iter().any(|(algorithm, hex)| digest == format!("{algorithm}:{hex}")))
    };
    if !found.iter().filter(is_about).any(|statement| statement.predicate_type == "https://slsa.dev/provenance/v1") {
        return Err(Error::new(format!("no attestation matches {digest}: the content differs")));
    }
    Ok(found)
}

fn describe(statement: &Statement) -> String {
    let text = |pointer: &str| statement.predicate.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    match statement.predicate_type.as_str() {
        "https://slsa.dev/provenance/v1" => format!(
            "made by {} in {}, finished {}",
            text("/buildDefinition/externalParameters/tool"),
            text("/runDetails/metadata/invocationId"),
            text("/runDetails/metadata/finishedOn")
        ),
        other => format!("{other}: {}", text("/result")),
    }
}

async fn of_file(path: &Path) -> Result<String, Error> {
    let failed = |error: std::io::Error| Error::new(format!("{}: {error}", path.display()));
    let mut file = tokio::fs::File::open(path).await.map_err(failed)?;
    let (mut sum, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer).await.map_err(failed)? {
            0 => return Ok(crypto::format_digest(&sum.finalize())),
            read => sum.update(&buffer[..read]),
        }
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = std::fs::read(path).map_err(|error| Error::new(format!("{}: {error}", path.display())))?;
    serde_json::from_slice(&text).map_err(|error| Error::new(format!("{}: {error}", path.display())))
}
