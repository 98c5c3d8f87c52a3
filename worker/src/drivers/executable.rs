/// What a process runs.
#[derive(Clone, Debug)]
pub(crate) enum Executable {
    /// A program and its arguments, which all users of the machine can read.
    Argv(Vec<String>),
    /// A script for bash; it ends at its first error. It is handed over as a file that only its user can read.
    Script(String),
}

impl Executable {
    pub(crate) fn script(text: impl Into<String>) -> Self {
        Self::Script(text.into())
    }

    /// The program and its arguments; and the text of the file that is its last argument.
    pub(super) fn parts(&self) -> (Vec<String>, Option<&str>) {
        match self {
            Self::Argv(argv) => (argv.clone(), None),
            Self::Script(text) => (["bash", "-euo", "pipefail"].map(str::to_owned).to_vec(), Some(text)),
        }
    }

    /// The program's name.
    pub(super) fn program(&self) -> Option<&str> {
        match self {
            Self::Argv(argv) => argv.first().map(String::as_str),
            Self::Script(_) => Some("bash"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Executable;

    #[test]
    fn a_script_is_no_argument() {
        let executable = Executable::script("echo secret");
        let (argv, script) = executable.parts();
        assert_eq!((argv.join(" ").as_str(), script), ("bash -euo pipefail", Some("echo secret")));
    }
}
