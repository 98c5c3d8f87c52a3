//! The size of a value, in units: what it takes to copy it or to go over it.

use cel::common::types::{CelBytes, CelList, CelMap, CelOptional, CelString};
use cel::common::value::Val;

use super::charge::{Charged, charge};

/// Bytes of text for a unit.
pub(super) const TEXT_BYTES: usize = 32;
/// A map has a table, however few entries it has.
const MAP: u64 = 8;

/// Charges for all that a value contains.
pub(super) fn charge_whole(value: &dyn Val) -> Charged<()> {
    if let Some(list) = value.downcast_ref::<CelList>() {
        charge(1)?;
        return list.inner().iter().try_for_each(|item| charge_whole(item.as_ref()));
    }
    if let Some(map) = value.downcast_ref::<CelMap>() {
        charge(MAP)?;
        return map.inner().iter().try_for_each(|(key, item)| {
            charge_whole(key.inner())?;
            charge_whole(item.as_ref())
        });
    }
    if let Some(optional) = value.downcast_ref::<CelOptional>() {
        charge(1)?;
        return optional.inner().map_or(Ok(()), charge_whole);
    }
    charge_text(value)
}

/// Charges for a text; anything else is a value that is passed on.
pub(super) fn charge_text(value: &dyn Val) -> Charged<()> {
    let text = value.downcast_ref::<CelString>().map(|text| text.inner().len());
    let bytes = text.or_else(|| value.downcast_ref::<CelBytes>().map(|bytes| bytes.inner().len())).unwrap_or(0);
    charge(1 + u64::try_from(bytes / TEXT_BYTES).unwrap_or(u64::MAX))
}
