//! The functions that `metered` puts around the nodes of a tree: they charge for a value and return it as it is. What is left of the budget
//! belongs to the thread, since functions of CEL have no state.

use std::cell::Cell;
use std::sync::{Arc, LazyLock};

use cel::common::functions::Function;
use cel::common::types::{CelDouble, CelInt, CelMap, DYN_TYPE};
use cel::common::value::CowVal;
use cel::{Env, ExecutionError};

use super::matches::matches;
use super::size::{charge_text, charge_whole};

pub(super) type Charged<T> = Result<T, ExecutionError>;

/// What of a value is charged for. No expression can call these: their names are no CEL.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Charge {
    /// A value that was made; a reference to one that is there costs nothing more.
    Made,
    /// All that it contains: it is copied, compared or gone over.
    Whole,
    /// The right side of `in`: a list is gone over, in a map a key is found.
    Members,
    /// An argument of a function: functions read texts, and pass anything else on.
    Text,
    /// What a list or a map is indexed with.
    Index,
}

impl Charge {
    pub(super) const fn function(self) -> &'static str {
        match self {
            Self::Made => "@made",
            Self::Whole => "@whole",
            Self::Members => "@members",
            Self::Text => "@text",
            Self::Index => "@index",
        }
    }
}

/// Around what a macro goes over; its first argument is what an element costs.
pub(super) const EACH: &str = "@each";
/// Takes the place of CEL's `matches`.
pub(super) const MATCHES: &str = "@matches";

thread_local! {
    static LEFT: Cell<u64> = const { Cell::new(0) };
}

/// Sets what this thread may use, and returns what was left.
pub(super) fn set_left(units: u64) -> u64 {
    LEFT.replace(units)
}

/// Fails when the budget is used up, and ever after, also for nothing.
pub(super) fn charge(units: u64) -> Charged<()> {
    let left = LEFT.get().saturating_sub(units);
    LEFT.set(left);
    if left == 0 { Err(ExecutionError::function_error("budget", "used up")) } else { Ok(()) }
}

/// The environment of all evaluations: CEL's own, and the functions that charge.
pub(super) fn env() -> Arc<Env> {
    static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| {
        let mut env = Env::stdlib();
        let mut add = |name: &str, arguments: usize, function: Function| {
            env.add_overload(name, name, (0..arguments).map(|_| DYN_TYPE).collect(), function).expect("each is added once");
        };
        add(Charge::Made.function(), 1, made);
        add(Charge::Whole.function(), 1, whole);
        add(Charge::Members.function(), 1, members);
        add(Charge::Text.function(), 1, text);
        add(Charge::Index.function(), 1, index);
        add(EACH, 2, each);
        add(MATCHES, 2, matches);
        Arc::new(env)
    });
    Arc::clone(&ENV)
}

/// The last argument: the value.
fn value<'b, 'v>(args: &mut Vec<CowVal<'b, 'v>>) -> Charged<CowVal<'b, 'v>> {
    args.pop().ok_or(ExecutionError::MissingArgumentOrTarget)
}

fn made<'b, 'v>(mut args: Vec<CowVal<'b, 'v>>) -> Charged<CowVal<'b, 'v>> {
    let value = value(&mut args)?;
    if value.is_owned() {
        charge_whole(value.as_ref())?
    } else {
        charge(0)?
    }
    Ok(value)
}

fn whole<'b, 'v>(mut args: Vec<CowVal<'b, 'v>>) -> Charged<CowVal<'b, 'v>> {
    let value = value(&mut args)?;
    charge_whole(value.as_ref())?;
    Ok(value)
}

fn members<'b, 'v>(mut args: Vec<CowVal<'b, 'v>>) -> Charged<CowVal<'b, 'v>> {
    let value = value(&mut args)?;
    if value.is_owned() || value.downcast_ref::<CelMap>().is_none() {
        charge_whole(value.as_ref())?;
    }
    Ok(value)
}

fn text<'b, 'v>(mut args: Vec<CowVal<'b, 'v>>) -> Charged<CowVal<'b, 'v>> {
    let value = value(&mut args)?;
    if value.is_owned() {
        charge_whole(value.as_ref())?
    } else {
        charge_text(value.as_ref())?
    }
    Ok(value)
}

/// A list that is indexed with a fraction is copied into the error, so that there is none for it.
fn index<'b, 'v>(mut args: Vec<CowVal<'b, 'v>>) -> Charged<CowVal<'b, 'v>> {
    let value = value(&mut args)?;
    if value.downcast_ref::<CelDouble>().is_some_and(|real| real.inner().fract() != 0.0 || !real.inner().is_finite()) {
        return Err(ExecutionError::function_error("index", "an index is a whole number"));
    }
    charge_whole(value.as_ref())?;
    Ok(value)
}

/// What a macro goes over. Pays for all of its elements before the first, since an error in one ends nothing.
fn each<'b, 'v>(mut args: Vec<CowVal<'b, 'v>>) -> Charged<CowVal<'b, 'v>> {
    let value = value(&mut args)?;
    let cost = args.pop().and_then(|cost| cost.downcast_ref::<CelInt>().and_then(|cost| u64::try_from(*cost.inner()).ok()));
    let count = value.as_sizer().and_then(|sizer| u64::try_from(*sizer.size().inner()).ok()).unwrap_or(0);
    charge(cost.unwrap_or(u64::MAX).saturating_mul(count))?;
    charge_whole(value.as_ref())?;
    Ok(value)
}
