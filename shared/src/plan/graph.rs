//! The DAG: an order in which each step follows the steps it needs, or the cycle that makes one impossible.

use std::collections::{BTreeSet, HashMap};

/// Indexes of the steps in topological order (ties in the order as written) with the depth of the graph; or a cycle, in order.
pub(super) fn sort(needs: &[Vec<usize>]) -> Result<(Vec<usize>, usize), Vec<usize>> {
    let mut left: Vec<usize> = needs.iter().map(|needs| needs.iter().collect::<BTreeSet<_>>().len()).collect();
    let mut dependants: HashMap<usize, BTreeSet<usize>> = HashMap::new();
    for (step, needs) in needs.iter().enumerate() {
        for need in needs {
            dependants.entry(*need).or_default().insert(step);
        }
    }
    let mut depth = vec![1; needs.len()];
    let mut ready: BTreeSet<usize> = (0..needs.len()).filter(|step| left[*step] == 0).collect();
    let mut order = Vec::with_capacity(needs.len());
    while let Some(step) = ready.pop_first() {
        order.push(step);
        for dependant in dependants.get(&step).into_iter().flatten() {
            depth[*dependant] = depth[*dependant].max(depth[step] + 1);
            left[*dependant] -= 1;
            if left[*dependant] == 0 {
                ready.insert(*dependant);
            }
        }
    }
    if order.len() == needs.len() { Ok((order, depth.into_iter().max().unwrap_or(0))) } else { Err(cycle(needs, &left)) }
}

/// Walks needs among the steps that could not be ordered until one repeats.
fn cycle(needs: &[Vec<usize>], left: &[usize]) -> Vec<usize> {
    let stuck = |step: &usize| left[*step] > 0;
    let mut path: Vec<usize> = (0..needs.len()).find(stuck).into_iter().collect();
    while let Some(next) = path.last().and_then(|step| needs[*step].iter().copied().find(stuck)) {
        if let Some(begin) = path.iter().position(|step| *step == next) {
            path.drain(..begin);
            path.push(next);
            break;
        }
        path.push(next);
    }
    path
}

/// For each step, whether `step` needs it, directly or not.
pub(super) fn ancestors(needs: &[Vec<usize>], step: usize) -> Vec<bool> {
    let mut found = vec![false; needs.len()];
    let mut open = needs[step].clone();
    while let Some(next) = open.pop() {
        if !std::mem::replace(&mut found[next], true) {
            open.extend(needs[next].iter().filter(|need| !found[**need]));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{ancestors, sort};

    #[test]
    fn a_cycle_is_named_in_order() {
        assert_eq!(sort(&[vec![], vec![3], vec![1], vec![2, 0]]), Err(vec![1, 3, 2, 1]));
    }

    #[test]
    fn ancestors_are_found_however_far_they_are() {
        assert_eq!(ancestors(&[vec![1, 2], vec![2], vec![], vec![0]], 0), [false, true, true, false]);
        assert_eq!(ancestors(&[vec![1], vec![0]], 0), [true, true], "in a cycle, too");
    }

    #[test]
    fn steps_come_after_what_they_need() {
        assert_eq!(sort(&[vec![1], vec![], vec![0, 1]]), Ok((vec![1, 0, 2], 3)));
    }
}
