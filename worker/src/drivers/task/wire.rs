//! What a worker and the program in a task say to each other: HTTP, with a token that only they know.
//!
//! - `POST /run` with an `Exec` as JSON: the answer's body is a list of frames, each a kind (1 byte), a length (4 bytes, big endian) and that
//!   many bytes; the last one is the end.
//! - `PUT /file?path=…` writes a file, its folders are made; `GET /file?path=…` reads one.
//! - `GET /health`

use tokio::io::{AsyncRead, AsyncReadExt};

/// The largest frame.
const FRAME_BYTES: u32 = 1 << 20;

/// A part of what a program does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
    /// The exit code; none: a signal killed it.
    Ended(Option<i32>),
    /// It could not be started.
    Failed(String),
    /// The task was told to end; the program was killed.
    Stopped,
}

impl Frame {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let code;
        let (kind, payload) = match self {
            Self::Stdout(bytes) => (1, bytes.as_slice()),
            Self::Stderr(bytes) => (2, bytes.as_slice()),
            Self::Ended(None) => (3, [].as_slice()),
            Self::Ended(Some(exit_code)) => {
                code = exit_code.to_be_bytes();
                (3, code.as_slice())
            }
            Self::Failed(why) => (4, why.as_bytes()),
            Self::Stopped => (5, [].as_slice()),
        };
        let length = u32::try_from(payload.len()).expect("a frame is made of one read");
        [&[kind], length.to_be_bytes().as_slice(), payload].concat()
    }

    /// The next frame. What a task sends is hostile: a step has all rights there.
    pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> Result<Self, String> {
        let cut = |error: std::io::Error| format!("the output of the program was cut: {error}");
        let kind = from.read_u8().await.map_err(cut)?;
        let length = from.read_u32().await.map_err(cut)?;
        if length > FRAME_BYTES {
            return Err(format!("the task sent a frame of {length} bytes; at most {FRAME_BYTES} are taken"));
        }
        let mut payload = vec![0; length as usize];
        from.read_exact(&mut payload).await.map_err(cut)?;
        match (kind, payload.as_slice()) {
            (1, _) => Ok(Self::Stdout(payload)),
            (2, _) => Ok(Self::Stderr(payload)),
            (3, []) => Ok(Self::Ended(None)),
            (3, code) => {
                code.try_into().map(|code| Self::Ended(Some(i32::from_be_bytes(code)))).map_err(|_| "the task sent no exit code".into())
            }
            (5, []) => Ok(Self::Stopped),
            (4, why) => Ok(Self::Failed(String::from_utf8_lossy(why).into_owned())),
            _ => Err(format!("the task sent a frame of unknown kind {kind}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FRAME_BYTES, Frame};

    #[tokio::test]
    async fn frames_are_read_as_they_were_written() {
        let all = [
            Frame::Stdout(b"out\0\xff".to_vec()),
            Frame::Stderr(vec![]),
            Frame::Ended(Some(-7)),
            Frame::Ended(None),
            Frame::Failed("ä".to_owned()),
            Frame::Stopped,
        ];
        let bytes: Vec<u8> = all.iter().flat_map(Frame::to_bytes).collect();
        let mut from = bytes.as_slice();
        for frame in all {
            assert_eq!(Frame::read(&mut from).await, Ok(frame));
        }
        assert!(Frame::read(&mut from).await.is_err(), "there is no more");
    }

    #[tokio::test]
    async fn what_is_no_frame_is_refused_before_it_is_read() {
        let huge = [&[1], (FRAME_BYTES + 1).to_be_bytes().as_slice()].concat();
        let endless = [&[1], u32::MAX.to_be_bytes().as_slice(), &[0; 64]].concat();
        for wrong in
            [huge, endless, vec![9, 0, 0, 0, 0], vec![5, 0, 0, 0, 1, 0], vec![3, 0, 0, 0, 1, 0], vec![1, 0, 0, 0, 4, 1], vec![1, 0], vec![]]
        {
            assert!(Frame::read(&mut wrong.as_slice()).await.is_err(), "{wrong:?}");
        }
    }
}
