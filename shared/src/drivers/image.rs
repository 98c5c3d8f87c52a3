//! The name of what a step's sandbox is made from.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The characters of references of images (`registry/name:tag@sha256:…`) and of ids of templates. Not `-` first: a program would take it
/// for an option.
const PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}$";

/// An image, or what a driver makes sandboxes from: a reference of 1 to 255 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Image(String);

/// A text that names no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a reference of 1 to 255 of `A-Z a-z 0-9 . _ - / : @` without `..`, which begins with one of `A-Z a-z 0-9`")]
pub struct InvalidImage;

impl Image {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Image {
    type Error = InvalidImage;

    fn try_from(text: String) -> Result<Self, InvalidImage> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._/:@-".contains(c);
        let is_reference = (1..=255).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(is_allowed)
            && !text.contains("..");
        if is_reference { Ok(Self(text)) } else { Err(InvalidImage) }
    }
}

impl From<Image> for String {
    fn from(image: Image) -> Self {
        image.0
    }
}

impl JsonSchema for Image {
    fn schema_name() -> Cow<'static, str> {
        "Image".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": PATTERN, "description": "A reference of an image, or the id of a template."})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Image;

    #[test]
    fn an_image_is_a_reference_and_no_option_path_or_expression() {
        let digest = format!("ghcr.io/acme/tools@sha256:{}", "a".repeat(64));
        for good in ["base", "rust:1.95", "localhost:5000/a/b:c", &digest, "1k2j3h4g5f6d7s8a9q0w", &"a".repeat(255)] {
            assert_eq!(serde_json::from_value::<Image>(json!(good)).expect(good).as_str(), good);
        }
        for wrong in ["", "-rm", "/etc/passwd", "../x", "a/../b", "a b", "a\n", "a\0", "é", "${{ run.id }}", "$(id)", &"a".repeat(256)] {
            assert!(serde_json::from_value::<Image>(json!(wrong)).is_err(), "{wrong}");
        }
        for wrong in [json!(null), json!(1), json!(["base"]), json!({"name": "base"})] {
            assert!(serde_json::from_value::<Image>(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
