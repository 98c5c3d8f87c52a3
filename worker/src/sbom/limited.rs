//! A list of a component, which the files of a workspace can make as long as they like.

use std::collections::BTreeSet;
use std::collections::btree_set::Iter;

/// Most entries of one list.
pub(super) const ENTRIES: usize = 100;

/// The first entries by their order, in whatever order they come, each once; and whether there are more.
#[derive(Clone)]
pub(super) struct Limited<T> {
    entries: BTreeSet<T>,
    is_cut: bool,
}

impl<T: Ord> Limited<T> {
    pub(super) fn new(entries: impl IntoIterator<Item = T>) -> Self {
        let mut list = Self { entries: BTreeSet::new(), is_cut: false };
        list.extend(entries);
        list
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.is_cut |= other.is_cut;
        self.extend(other.entries);
    }

    fn extend(&mut self, entries: impl IntoIterator<Item = T>) {
        for entry in entries {
            self.entries.insert(entry);
            if self.entries.len() > ENTRIES {
                self.entries.pop_last();
                self.is_cut = true;
            }
        }
    }

    /// Whether entries are left out.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn iter(&self) -> Iter<'_, T> {
        self.entries.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::Limited;

    #[test]
    fn the_first_entries_stay_in_whatever_order_they_come() {
        let whole = Limited::new((0..100).chain(0..100));
        assert_eq!((whole.iter().count(), whole.is_cut()), (100, false));
        for mut list in [Limited::new(0..20_000), Limited::new((0..20_000).rev())] {
            assert!(list.iter().copied().eq(0..100) && list.is_cut());
            list.merge(Limited::new([-1, 5]));
            assert!(list.iter().copied().eq(-1..99) && list.is_cut());
        }
        let mut short = Limited::new(0..1);
        short.merge(Limited::new(0..101));
        assert_eq!((short.iter().count(), short.is_cut()), (100, true));
    }
}
