//! The stream of a program's events: Connect's frames (a flag, four bytes of length, JSON; <https://connectrpc.com/docs/protocol>) with
//! the messages of `process.Process/Start`. A sandbox is hostile: frames are limited.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::drivers::Fault;

/// Data comes in pieces of 32 KiB.
const FRAME_BYTES: usize = 4 << 20;
const HEAD: usize = 5;
/// The flag of the last frame, which has an error if there was one.
const END: u8 = 2;

/// What happened to a program.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    Data {
        is_stdout: bool,
        bytes: Vec<u8>,
    },
    /// The exit code; none: killed by a signal.
    Ended(Option<i32>),
    Other,
}

/// Frames that arrive in pieces.
#[derive(Default)]
pub(super) struct Frames {
    held: Vec<u8>,
}

#[derive(Deserialize)]
struct Message {
    event: Option<Named>,
}

/// One of them is there.
#[derive(Deserialize)]
struct Named {
    data: Option<Data>,
    end: Option<End>,
}

#[derive(Deserialize)]
struct Data {
    stdout: Option<String>,
    stderr: Option<String>,
}

/// What is zero or false is left out (proto3 as JSON).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct End {
    #[serde(default)]
    exit_code: i32,
    #[serde(default)]
    exited: bool,
}

#[derive(Deserialize)]
struct Last {
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Frames {
    /// One frame, as a request has it.
    pub(super) fn write(json: &str) -> Vec<u8> {
        let length = u32::try_from(json.len()).unwrap_or(u32::MAX).to_be_bytes();
        [&[0], length.as_slice(), json.as_bytes()].concat()
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// The next event; none: more bytes are needed.
    pub(super) fn next(&mut self) -> Result<Option<Event>, Fault> {
        let Some((head, rest)) = self.held.split_first_chunk::<HEAD>() else { return Ok(None) };
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        if length > FRAME_BYTES {
            return Err(Fault::Gone(format!("the sandbox sent a message of {length} bytes")));
        }
        let Some(message) = rest.get(..length) else { return Ok(None) };
        let event = read(head[0], message);
        self.held.drain(..HEAD + length);
        event.map(Some)
    }
}

fn read(flag: u8, message: &[u8]) -> Result<Event, Fault> {
    let unreadable = |why: &dyn std::fmt::Display| Fault::Gone(format!("the sandbox sent a message that cannot be read: {why}"));
    if flag & END != 0 {
        let last: Last = serde_json::from_slice(message).map_err(|error| unreadable(&error))?;
        let Some(Refusal { code, message }) = last.error else { return Ok(Event::Other) };
        return Err(Fault::Gone(format!("the sandbox ended the program: {code} {message}")));
    }
    if flag != 0 {
        return Err(unreadable(&"compression is not supported"));
    }
    let message: Message = serde_json::from_slice(message).map_err(|error| unreadable(&error))?;
    let Some(Named { data, end }) = message.event else { return Ok(Event::Other) };
    if let Some(End { exit_code, exited }) = end {
        return Ok(Event::Ended(exited.then_some(exit_code)));
    }
    let Some(Data { stdout, stderr }) = data else { return Ok(Event::Other) };
    let (is_stdout, text) = match (stdout, stderr) {
        (Some(text), _) => (true, text),
        (None, Some(text)) => (false, text),
        (None, None) => return Ok(Event::Other),
    };
    let bytes = STANDARD.decode(text).map_err(|error| unreadable(&error))?;
    Ok(Event::Data { is_stdout, bytes })
}

#[cfg(test)]
mod tests {
    use super::{Event, FRAME_BYTES, Frames};

    fn frame(flag: u8, json: &str) -> Vec<u8> {
        let mut frame = Frames::write(json);
        frame[0] = flag;
        frame
    }

    #[test]
    fn events_are_read_however_the_bytes_are_cut() {
        let all = [
            frame(0, r#"{"event":{"start":{"pid":7}}}"#),
            frame(0, r#"{"event":{"data":{"stdout":"aGk="}}}"#),
            frame(0, r#"{"event":{"keepalive":{}}}"#),
            frame(0, r#"{"event":{"data":{"stderr":"/wA="}}}"#),
            frame(0, r#"{"event":{"end":{"exited":true,"status":"exit status 0"}}}"#),
            frame(0, r#"{"event":{"end":{"exitCode":3,"exited":true}}}"#),
            frame(0, r#"{"event":{"end":{"exitCode":-1,"status":"signal: killed","error":"signal: killed"}}}"#),
            frame(2, "{}"),
        ]
        .concat();
        let wanted = [
            Event::Other,
            Event::Data { is_stdout: true, bytes: b"hi".to_vec() },
            Event::Other,
            Event::Data { is_stdout: false, bytes: vec![255, 0] },
            Event::Ended(Some(0)),
            Event::Ended(Some(3)),
            Event::Ended(None),
            Event::Other,
        ];
        for size in [1, 3, 7, all.len()] {
            let (mut frames, mut found) = (Frames::default(), vec![]);
            for piece in all.chunks(size) {
                frames.push(piece);
                while let Some(event) = frames.next().expect("readable") {
                    found.push(event);
                }
            }
            assert_eq!(found, wanted, "in pieces of {size}");
        }
    }

    #[test]
    fn what_is_no_event_is_a_fault() {
        for (flag, json) in [
            (2, r#"{"error":{"code":"not_found","message":"no such program"}}"#),
            (2, "[]"),
            (1, "{}"),
            (0, "hello"),
            (0, r#"{"event":[]}"#),
            (0, r#"{"event":{"data":{"stdout":"?"}}}"#),
            (0, r#"{"event":{"data":{"stdout":7}}}"#),
            (0, r#"{"event":{"end":{"exitCode":"0","exited":true}}}"#),
            (0, r#"{"event":{"end":{"exitCode":99999999999,"exited":true}}}"#),
        ] {
            let mut frames = Frames::default();
            frames.push(&frame(flag, json));
            assert!(frames.next().is_err(), "{json}");
        }
        let mut frames = Frames::default();
        frames.push(&[&[0], u32::try_from(FRAME_BYTES + 1).expect("small").to_be_bytes().as_slice()].concat());
        assert!(frames.next().is_err(), "it is refused before it has come");
    }
}
