/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error("{0}")]
    Expression(String),
    /// It used up its budget before it had a value.
    #[error(
        "`{0}` takes too much work or memory and was stopped (docs/limits.md#expressions): go over shorter lists and texts, put fewer macros \
         into each other, or compute the value in a step of its own"
    )]
    TooCostly(String),
}

/// As much of a text as is of use in an error.
const SHOWN_BYTES: usize = 400;

impl Invalid {
    /// What went wrong in an expression. The error is written no further than is shown: it may contain the data.
    pub(super) fn of(source: &str, error: &impl std::fmt::Display) -> Self {
        let mut shown = Shown(String::new());
        let is_whole = std::fmt::write(&mut shown, format_args!("{error}")).is_ok();
        Self::Expression(format!("`{source}`: {}{}", shown.0, if is_whole { "" } else { "…" }))
    }
}

struct Shown(String);

impl std::fmt::Write for Shown {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let left = SHOWN_BYTES.saturating_sub(self.0.len());
        if text.len() <= left {
            self.0.push_str(text);
            return Ok(());
        }
        self.0.push_str(&text[..text.floor_char_boundary(left)]);
        Err(std::fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::Invalid;

    #[test]
    fn an_error_shows_no_more_of_the_data_than_is_of_use() {
        let shown = Invalid::of("x", &"é".repeat(1 << 20)).to_string();
        assert!(shown.starts_with("`x`: éé") && shown.ends_with("é…") && shown.len() < 500, "{shown}");
        assert_eq!(Invalid::of("x", &"no").to_string(), "`x`: no");
    }
}
