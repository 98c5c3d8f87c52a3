//! Frames of a Phoenix channel: objects in version 1.0.0, arrays in 2.0.0, where a client's broadcast is binary.

use serde_json::{Value, json};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    One,
    Two,
}

/// A message either way.
#[derive(Debug)]
pub(super) struct Frame {
    pub join_ref: Value,
    pub reference: Value,
    pub topic: String,
    pub event: String,
    pub payload: Value,
}

impl Frame {
    /// A message of the server that replies to none.
    pub(super) fn push(topic: &str, event: &str, payload: Value) -> Self {
        Self { join_ref: Value::Null, reference: Value::Null, topic: topic.to_owned(), event: event.to_owned(), payload }
    }

    /// The answer to a client's message.
    pub(super) fn reply(&self, status: &str, response: &Value) -> Self {
        let payload = json!({"status": status, "response": response});
        Self {
            join_ref: self.join_ref.clone(),
            reference: self.reference.clone(),
            topic: self.topic.clone(),
            event: "phx_reply".to_owned(),
            payload,
        }
    }

    pub(super) fn read(version: Version, text: &str) -> Option<Self> {
        let mut value: Value = serde_json::from_str(text).ok()?;
        let mut take = |index: usize, name: &str| match version {
            Version::One => value[name].take(),
            Version::Two => value.get_mut(index).map(Value::take).unwrap_or_default(),
        };
        let (join_ref, reference) = (take(0, "join_ref"), take(1, "ref"));
        let topic = take(2, "topic").as_str()?.to_owned();
        let event = take(3, "event").as_str()?.to_owned();
        Some(Self { join_ref, reference, topic, event, payload: take(4, "payload") })
    }

    /// A client's broadcast in version 2.0.0: kind 3, the lengths of five texts, the encoding, the texts, the payload.
    pub(super) fn read_binary(bytes: &[u8]) -> Option<Self> {
        let (head, mut rest) = (bytes.get(..7)?, bytes.get(7..)?);
        if head[0] != 3 {
            return None;
        }
        let mut text = |length: u8| -> Option<String> {
            let (text, after) = rest.split_at_checked(usize::from(length))?;
            rest = after;
            String::from_utf8(text.to_vec()).ok()
        };
        let (join_ref, reference, topic, event) = (text(head[1])?, text(head[2])?, text(head[3])?, text(head[4])?);
        text(head[5])?;
        let payload: Value = if head[6] == 1 { serde_json::from_slice(rest).ok()? } else { Value::Null };
        let payload = json!({"type": "broadcast", "event": event, "payload": payload});
        Some(Self { join_ref: join_ref.into(), reference: reference.into(), topic, event: "broadcast".to_owned(), payload })
    }

    pub(super) fn write(&self, version: Version) -> String {
        let Self { join_ref, reference, topic, event, payload } = self;
        match version {
            Version::One => json!({"join_ref": join_ref, "ref": reference, "topic": topic, "event": event, "payload": payload}),
            Version::Two => json!([join_ref, reference, topic, event, payload]),
        }
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::{Frame, Version};

    #[test]
    fn both_versions_say_the_same() {
        let frame = Frame::push("realtime:a", "broadcast", serde_json::json!({"x": 1}));
        for version in [Version::One, Version::Two] {
            let again = Frame::read(version, &frame.write(version)).expect("a frame");
            assert_eq!((again.topic.as_str(), again.event.as_str(), &again.payload), ("realtime:a", "broadcast", &frame.payload));
        }
    }

    #[test]
    fn a_binary_frame_that_is_cut_off_is_none() {
        assert!(Frame::read_binary(&[3, 1, 1, 200, 1, 0, 1, b'a']).is_none());
    }
}
