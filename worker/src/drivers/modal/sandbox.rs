use std::sync::Arc;

use bytes::Bytes as Chunk;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio_util::io::StreamReader;

use super::bridge::Bridge;
use super::call::{Call, Given};
use crate::drivers::machine::{Bytes, Exec, Fault, Machine, Sink};

/// Of one message of input.
const CHUNK_BYTES: usize = 256 << 10;
/// Modal's code of a program that a signal killed is this with the signal's number, as a shell's is. A program that exits with such a code is
/// taken for killed: what it left is judged by nobody then.
const SIGNALLED: std::ops::RangeInclusive<i32> = 129..=159;

/// A sandbox that was created.
pub(super) struct Sandbox {
    pub(super) id: String,
    pub(super) bridge: Arc<Bridge>,
}

#[derive(Deserialize)]
struct Exited {
    exit_code: i32,
}

impl Sandbox {
    async fn exec(&self, exec: &Exec) -> Result<Call, Fault> {
        self.bridge.call("exec", json!({"sandbox": self.id, "argv": exec.argv, "env": exec.env})).await
    }

    /// With its input at its end.
    async fn exec_alone(&self, exec: &Exec) -> Result<Call, Fault> {
        let call = self.exec(exec).await?;
        call.send(json!({"stdin": null})).await.map_err(|()| self.bridge.ended())?;
        Ok(call)
    }

    async fn upload(&self, path: &str, mut bytes: Bytes) -> Result<(), Fault> {
        let mut call = self.exec(&script(r#"mkdir -p -- "${1%/*}" && cat > "$1""#, path)).await?;
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut done = None;
        while done.is_none() {
            let count = bytes.read(&mut chunk).await.map_err(|error| Fault::Refused(format!("the file could not be read: {error}")))?;
            done = call.feed(Some(&chunk[..count]).filter(|chunk| !chunk.is_empty())).await?;
            if count == 0 {
                break;
            }
        }
        let done = match done {
            Some(done) => done,
            None => call.done().await?,
        };
        match exit_code(done)? {
            0 => Ok(()),
            code => Err(Fault::Refused(format!("the sandbox did not take a file: exit code {code}"))),
        }
    }

    async fn download(&self, path: &str) -> Result<Bytes, Fault> {
        let call = self.exec_alone(&script(r#"cat -- "$1""#, path)).await?;
        let chunks = stream::try_unfold(Some(call), |call| async move {
            let Some(mut call) = call else { return Ok(None) };
            let failed = |why: String| std::io::Error::other(why);
            loop {
                match call.next().await.map_err(|fault| failed(fault.to_string()))? {
                    Given::Stdout(bytes) => return Ok(Some((Chunk::from(bytes), Some(call)))),
                    Given::Stderr(_) => {}
                    Given::Done(done) => match exit_code(done).map_err(|fault| failed(fault.to_string()))? {
                        0 => return Ok(None),
                        code => return Err(failed(format!("the sandbox did not send a file: exit code {code}"))),
                    },
                }
            }
        });
        Ok(Box::new(StreamReader::new(Box::pin(chunks))))
    }
}

impl Machine for Sandbox {
    fn id(&self) -> &str {
        &self.id
    }

    fn run<'a>(&'a self, exec: &'a Exec, sink: &'a mut Sink<'_>) -> BoxFuture<'a, Result<Option<i32>, Fault>> {
        async move {
            let mut call = self.exec_alone(exec).await?;
            loop {
                tokio::task::yield_now().await;
                match call.next().await? {
                    Given::Stdout(bytes) => sink(true, &bytes),
                    Given::Stderr(bytes) => sink(false, &bytes),
                    Given::Done(done) => return Ok(Some(exit_code(done)?).filter(|code| !SIGNALLED.contains(code))),
                }
            }
        }
        .boxed()
    }

    fn upload<'a>(&'a self, path: &'a str, bytes: Bytes) -> BoxFuture<'a, Result<(), Fault>> {
        self.upload(path, bytes).boxed()
    }

    fn download<'a>(&'a self, path: &'a str) -> BoxFuture<'a, Result<Bytes, Fault>> {
        self.download(path).boxed()
    }
}

fn script(script: &str, path: &str) -> Exec {
    let argv = ["/bin/bash", "-p", "-c", script, "nofx", path].map(str::to_owned).into();
    Exec { argv, ..Exec::default() }
}

fn exit_code(done: Value) -> Result<i32, Fault> {
    let exited: Result<Exited, _> = serde_json::from_value(done);
    exited.map(|exited| exited.exit_code).map_err(|error| Fault::Unavailable(format!("the bridge to Modal sent no exit code: {error}")))
}
