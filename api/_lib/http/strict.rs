//! JSON that means one thing: no name twice in an object, and no nesting deeper than anyone writes by hand. Readers that disagree
//! about which of two values counts are a way around checks.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Deepest nesting that is read.
const DEPTH: usize = 64;

/// Reads a JSON text to its end without keeping it.
pub(super) fn check(text: &[u8]) -> Result<(), serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    Nested(0).deserialize(&mut reader)?;
    reader.end()
}

#[derive(Clone, Copy)]
struct Nested(usize);

impl Nested {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.0 >= DEPTH { Err(E::custom(format!("nested deeper than {DEPTH} levels"))) } else { Ok(Self(self.0 + 1)) }
    }
}

impl<'de> DeserializeSeed<'de> for Nested {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        while items.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        let mut seen = HashSet::new();
        while let Some(name) = fields.next_key::<String>()? {
            if seen.contains(&name) {
                return Err(A::Error::custom(format!("duplicate field `{name}`")));
            }
            fields.next_value_seed(inner)?;
            seen.insert(name);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        for good in ["{}", "{\"a\": [1, -2, 0.5, null, true, \"x\"], \"b\": {\"a\": 1}}", &deep(64)] {
            assert!(check(good.as_bytes()).is_ok(), "{good}");
        }
        for bad in ["{\"a\": 1, \"a\": 2}", "{\"a\": {\"b\": 1, \"\\u0062\": 2}}", "{} {}", "[1,]", &deep(65), &deep(100_000)] {
            assert!(check(bad.as_bytes()).is_err(), "{}", &bad[..bad.len().min(60)]);
        }
        assert!(check(b"\"\xff\"").is_err(), "invalid UTF-8");
    }
}
