//! `matches`: regular expressions, with limits. The `regex` crate takes time linear in the text, but for each byte of it as much as the
//! compiled expression is large, and `(a{1000}){1000}` is large.

use std::cell::RefCell;
use std::collections::HashMap;

use cel::ExecutionError;
use cel::common::types::{CelBool, CelString};
use cel::common::value::CowVal;
use regex::{Regex, RegexBuilder};

use super::charge::{Charged, charge};

/// Longest regular expression.
const PATTERN_BYTES: usize = 1000;
/// Largest compiled expression, in bytes.
const LARGEST: usize = 1 << 20;
/// Sizes of compiled expressions that are tried: the first that suffices says how large it is.
const SIZES: [usize; 5] = [1 << 10, 8 << 10, 64 << 10, 256 << 10, LARGEST];
/// What compiling takes: units for a byte of the pattern, and bytes of the compiled one for a unit.
const UNITS_OF_PATTERN: u64 = 32;
const COMPILED_BYTES: u64 = 16;
/// What a class (`\w`, `\pL`, `[…]`) takes each time: it has hundreds of ranges, and without case all of their counterparts.
const UNITS_OF_CLASS: u64 = 700;
const UNITS_OF_CLASS_WITH_FLAGS: u64 = 3000;
/// What matching takes: a unit for each byte of text times this many bytes of the compiled expression.
const MATCHED_BYTES: u64 = 2048;
/// Most expressions that a thread keeps compiled.
const MAX_COMPILED: usize = 16;

#[derive(Clone)]
struct Compiled {
    regex: Regex,
    bytes: u64,
}

thread_local! {
    static COMPILED: RefCell<HashMap<String, Compiled>> = RefCell::default();
}

#[expect(clippy::needless_pass_by_value, reason = "the form of a function of the language")]
pub(super) fn matches<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Charged<CowVal<'b, 'v>> {
    let [Some(text), Some(pattern)] = [0, 1].map(|at| args.get(at).and_then(|arg| arg.downcast_ref::<CelString>())) else {
        let types = args.iter().map(|arg| arg.get_type().name()).collect::<Vec<_>>().join(", ");
        return Err(ExecutionError::function_error("matches", format!("takes a text and a regular expression, not ({types})")));
    };
    let compiled = compiled(pattern.inner())?;
    let bytes = u64::try_from(text.inner().len()).unwrap_or(u64::MAX);
    charge(1 + bytes.saturating_mul(compiled.bytes) / MATCHED_BYTES)?;
    Ok(CowVal::owned(CelBool::from(compiled.regex.is_match(text.inner()))))
}

fn compiled(pattern: &str) -> Charged<Compiled> {
    if let Some(found) = COMPILED.with_borrow(|compiled| compiled.get(pattern).cloned()) {
        return Ok(found);
    }
    let made = compile(pattern)?;
    COMPILED.with_borrow_mut(|compiled| {
        if compiled.len() >= MAX_COMPILED {
            compiled.clear();
        }
        compiled.insert(pattern.to_owned(), made.clone());
    });
    Ok(made)
}

fn compile(pattern: &str) -> Charged<Compiled> {
    let error = |detail: String| ExecutionError::function_error("matches", detail);
    if pattern.len() > PATTERN_BYTES {
        return Err(error(format!("the regular expression has {} bytes, the limit is {PATTERN_BYTES}", pattern.len())));
    }
    let length = u64::try_from(pattern.len()).unwrap_or(u64::MAX);
    let text =
        length * UNITS_OF_PATTERN + classes(pattern) * if pattern.contains("(?") { UNITS_OF_CLASS_WITH_FLAGS } else { UNITS_OF_CLASS };
    for size in SIZES {
        let bytes = u64::try_from(size).unwrap_or(u64::MAX);
        charge(text + bytes / COMPILED_BYTES)?;
        match RegexBuilder::new(pattern).size_limit(size).dfa_size_limit(LARGEST).build() {
            Ok(regex) => return Ok(Compiled { regex, bytes }),
            Err(regex::Error::CompiledTooBig(_)) => {}
            Err(invalid) => return Err(error(format!("'{pattern}' is not a regular expression: {invalid}"))),
        }
    }
    Err(error(format!("'{pattern}' is too large when it is compiled: repeat less, or match in several steps")))
}

/// How many classes of characters a pattern names, at most.
fn classes(pattern: &str) -> u64 {
    let bytes = pattern.as_bytes();
    let escapes = bytes.windows(2).filter(|two| two[0] == b'\\' && two[1].is_ascii_alphabetic()).count();
    let brackets = bytes.iter().filter(|byte| **byte == b'[').count();
    u64::try_from(escapes + brackets).unwrap_or(u64::MAX)
}
