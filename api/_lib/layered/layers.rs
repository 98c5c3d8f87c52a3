//! Which node is in which layer, and in which order: layers by the longest way (Sugiyama), and in its layer a node is near those that it is
//! connected to.

use std::collections::HashMap;

/// Sweeps over the layers; more change little.
const SWEEPS: usize = 6;

/// The nodes of each layer, from top to bottom. `needs` has for each node those that it needs, as indices.
pub(super) fn layers(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut needed_by: Vec<Vec<usize>> = vec![vec![]; needs.len()];
    for (node, needs) in needs.iter().enumerate() {
        for need in needs {
            needed_by[*need].push(node);
        }
    }
    let layer_of = longest_ways(needs, &needed_by);
    let depth = layer_of.iter().max().map_or(0, |deepest| deepest + 1);
    let mut layers: Vec<Vec<usize>> = vec![vec![]; depth];
    for (node, layer) in layer_of.iter().enumerate() {
        layers[*layer].push(node);
    }
    for sweep in 0..SWEEPS {
        let order: HashMap<usize, usize> = layers.iter().flat_map(|layer| layer.iter().enumerate().map(|(at, node)| (*node, at))).collect();
        for layer in &mut layers {
            let near = |node: &usize| {
                let others = if sweep % 2 == 0 { &needs[*node] } else { &needed_by[*node] };
                let sum: usize = others.iter().map(|other| order[other]).sum();
                // Thousandths, so that it can be compared exactly; a node without neighbours stays where it is.
                (sum * 1000).checked_div(others.len()).unwrap_or_else(|| order[node] * 1000)
            };
            layer.sort_by_key(near);
        }
    }
    layers
}

/// The longest way to each node: right of everything that it needs. Nodes of a cycle, which plans and lineages cannot have, stay at the left.
fn longest_ways(needs: &[Vec<usize>], needed_by: &[Vec<usize>]) -> Vec<usize> {
    let mut ways = vec![0; needs.len()];
    let mut open: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut ready: Vec<usize> = (0..needs.len()).filter(|node| open[*node] == 0).collect();
    while let Some(node) = ready.pop() {
        for next in &needed_by[node] {
            ways[*next] = ways[*next].max(ways[node] + 1);
            open[*next] -= 1;
            if open[*next] == 0 {
                ready.push(*next);
            }
        }
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::layers;

    #[test]
    fn a_node_is_right_of_all_that_it_needs() {
        assert_eq!(layers(&[vec![], vec![0], vec![0], vec![0, 4], vec![2], vec![1, 3]]), [vec![0], vec![1, 2], vec![4], vec![3], vec![5]]);
        assert!(layers(&[]).is_empty());
    }

    #[test]
    fn a_chain_may_be_long_and_a_cycle_does_not_hang() {
        let chain: Vec<Vec<usize>> = (0..100_000).map(|n: usize| n.checked_sub(1).into_iter().collect()).collect();
        assert_eq!(layers(&chain).len(), 100_000);
        assert_eq!(layers(&[vec![1], vec![0], vec![0]]).iter().map(Vec::len).collect::<Vec<_>>(), [3]);
    }
}
