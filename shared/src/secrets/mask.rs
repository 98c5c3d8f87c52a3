//! Replaces what must not be seen.

/// Replaces the values of secrets by `***`.
#[derive(Clone, Default)]
pub struct Mask {
    values: Vec<String>,
}

impl Mask {
    /// Values shorter than four characters are not masked: they would blank out the text around them.
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let mut values: Vec<String> = values.into_iter().filter(|value| value.len() >= 4).collect();
        // A secret that contains another one goes first, or its rest would stay.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self { values }
    }

    /// Whether there is a secret in these bytes.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        self.values.iter().any(|value| bytes.windows(value.len()).any(|window| window == value.as_bytes()))
    }

    /// How many bytes the longest secret has.
    pub fn longest(&self) -> usize {
        self.values.first().map_or(0, String::len)
    }

    pub fn apply(&self, text: &str) -> String {
        self.values.iter().fold(text.to_owned(), |text, value| text.replace(value.as_str(), "***"))
    }
}

#[cfg(test)]
mod tests {
    use super::Mask;

    #[test]
    fn a_secret_inside_another_is_masked_whole() {
        let mask = Mask::new(["hunter2".to_owned(), "hunter2-extended".to_owned()]);
        assert!(mask.is_in(b"xhunter2x") && !mask.is_in(b"hunter") && mask.longest() == 16);
        assert_eq!(mask.apply("a hunter2-extended b hunter2"), "a *** b ***");
    }
}
