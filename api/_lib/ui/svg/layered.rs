//! A graph without cycles in layers (Sugiyama): a step is to the right of everything that it needs, and in its layer near the steps it is
//! connected to.

use std::collections::HashMap;

use maud::{Markup, html};

const NODE: (i64, i64) = (180, 44);
const GAP: (i64, i64) = (60, 14);
const MARGIN: i64 = 12;
/// Sweeps over the layers; more change little.
const SWEEPS: usize = 6;
/// Letters that fit.
const MAX_CHARS: usize = 22;

pub(in crate::ui) struct Node {
    pub name: String,
    pub tool: String,
    pub status: String,
    /// Indices of the nodes that it needs.
    pub needs: Vec<usize>,
    pub link: String,
    pub is_selected: bool,
    /// How many of its children have finished, and how many there are.
    pub folded: Option<(usize, usize)>,
}

/// The drawing.
pub(in crate::ui) fn layered(nodes: &[Node]) -> Markup {
    let places = places(nodes);
    let width = places.iter().map(|(x, _)| x + NODE.0).max().unwrap_or(0) + MARGIN;
    let height = places.iter().map(|(_, y)| y + NODE.1).max().unwrap_or(0) + MARGIN;
    html! {
        svg.graph #graph viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height) role="group" aria-label="Steps and their dependencies" {
            @for (to, node) in nodes.iter().enumerate() {
                @for from in &node.needs {
                    path.edge d=(edge(places[*from], places[to])) {}
                }
            }
            @for (node, (x, y)) in nodes.iter().zip(&places) {
                a.node href=(node.link) data-step=(node.name) data-status=(node.status) aria-current=[node.is_selected.then_some("true")]
                    transform={ "translate(" (x) " " (y) ")" } {
                    title { (node.name) ", " (node.status.replace('_', " ")) }
                    rect width=(NODE.0) height=(NODE.1) rx="6" {}
                    text.name x="12" y="19" { (short(&node.name)) }
                    text.tool x="12" y="35" {
                        (short(&node.tool))
                        @if let Some((over, all)) = node.folded { " · " (over) "/" (all) }
                    }
                }
            }
        }
    }
}

fn short(text: &str) -> String {
    if text.chars().count() <= MAX_CHARS { text.to_owned() } else { text.chars().take(MAX_CHARS - 1).chain(['…']).collect() }
}

fn edge((x1, y1): (i64, i64), (x2, y2): (i64, i64)) -> String {
    let (x1, y1, y2) = (x1 + NODE.0, y1 + NODE.1 / 2, y2 + NODE.1 / 2);
    let middle = (x1 + x2) / 2;
    format!("M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}")
}

/// Where the left upper corner of each node is.
fn places(nodes: &[Node]) -> Vec<(i64, i64)> {
    let layer_of = layers(nodes);
    let depth = layer_of.iter().max().map_or(0, |deepest| deepest + 1);
    let mut layers: Vec<Vec<usize>> = vec![vec![]; depth];
    for (node, layer) in layer_of.iter().enumerate() {
        layers[*layer].push(node);
    }
    let mut needed_by: Vec<Vec<usize>> = vec![vec![]; nodes.len()];
    for (node, needs) in nodes.iter().map(|node| &node.needs).enumerate() {
        for need in needs {
            needed_by[*need].push(node);
        }
    }
    for sweep in 0..SWEEPS {
        let order: HashMap<usize, usize> = layers.iter().flat_map(|layer| layer.iter().enumerate().map(|(at, node)| (*node, at))).collect();
        for layer in &mut layers {
            let near = |node: &usize| {
                let others = if sweep % 2 == 0 { &nodes[*node].needs } else { &needed_by[*node] };
                let sum: usize = others.iter().map(|other| order[other]).sum();
                // Thousandths, so that it can be compared exactly; a node without neighbours stays where it is.
                (sum * 1000).checked_div(others.len()).unwrap_or_else(|| order[node] * 1000)
            };
            layer.sort_by_key(near);
        }
    }
    let tallest = layers.iter().map(Vec::len).max().unwrap_or(0);
    let mut places = vec![(0, 0); nodes.len()];
    for (n, layer) in (0_i64..).zip(&layers) {
        // Each layer in the middle of the tallest.
        let free = i64::try_from(tallest - layer.len()).unwrap_or(0) * (NODE.1 + GAP.1) / 2;
        for (at, node) in (0_i64..).zip(layer) {
            places[*node] = (MARGIN + n * (NODE.0 + GAP.0), MARGIN + free + at * (NODE.1 + GAP.1));
        }
    }
    places
}

/// The longest way to each node; needs come before those that need them.
fn layers(nodes: &[Node]) -> Vec<usize> {
    let mut layers = vec![None; nodes.len()];
    fn layer(node: usize, nodes: &[Node], layers: &mut Vec<Option<usize>>) -> usize {
        if let Some(known) = layers[node] {
            return known;
        }
        // Plans have no cycles and at most 200 steps in a line.
        layers[node] = Some(0);
        let found = nodes[node].needs.iter().map(|need| layer(*need, nodes, layers) + 1).max().unwrap_or(0);
        layers[node] = Some(found);
        found
    }
    (0..nodes.len()).map(|node| layer(node, nodes, &mut layers)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::svg::snapshot::same;

    fn node(name: &str, needs: &[usize]) -> Node {
        let (name, tool, status) = (name.to_owned(), "noop".to_owned(), "succeeded".to_owned());
        Node { link: format!("?step={name}"), name, tool, status, needs: needs.to_vec(), is_selected: false, folded: None }
    }

    #[test]
    fn a_step_stands_right_of_what_it_needs() {
        let nodes = [
            node("first", &[]),
            node("a step with a very long name", &[0]),
            node("b", &[0]),
            node("skips a layer", &[0, 4]),
            node("c", &[2]),
            node("last", &[1, 3]),
        ];
        let places = places(&nodes);
        for (to, node) in nodes.iter().enumerate() {
            assert!(node.needs.iter().all(|from| places[*from].0 + NODE.0 < places[to].0), "{}", node.name);
        }
        for (n, one) in places.iter().enumerate() {
            assert!(places[n + 1..].iter().all(|other| other != one), "no two in one place");
        }
        same("layered.svg", &layered(&nodes));
    }

    #[test]
    fn a_thousand_steps_are_laid_out() {
        let nodes: Vec<Node> =
            (0..1000).map(|n| node(&format!("s{n}"), &if n < 100 { vec![] } else { vec![n - 100, (n * 7) % 100] })).collect();
        assert_eq!(places(&nodes).len(), 1000);
    }
}
