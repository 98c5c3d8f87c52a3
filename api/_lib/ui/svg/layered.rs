//! The steps of a run as a graph, laid out by `layered`.

use maud::{Markup, html};

use crate::layered::{Layout, NODE, shorten};

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
    let needs: Vec<Vec<usize>> = nodes.iter().map(|node| node.needs.clone()).collect();
    let layout = Layout::new(&needs);
    let (width, height) = (layout.width, layout.height);
    html! {
        svg.graph #graph viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height) role="group" aria-label="Steps and their dependencies" {
            @for (to, node) in nodes.iter().enumerate() {
                @for from in &node.needs {
                    path.edge d=(layout.line(*from, to)) {}
                }
            }
            @for (node, (x, y)) in nodes.iter().zip(&layout.places) {
                a.node href=(node.link) data-step=(node.name) data-status=(node.status) aria-current=[node.is_selected.then_some("true")]
                    transform={ "translate(" (x) " " (y) ")" } {
                    title { (node.name) ", " (node.status.replace('_', " ")) }
                    rect width=(NODE.0) height=(NODE.1) rx="6" {}
                    text.name x="12" y="19" { (shorten(&node.name)) }
                    text.tool x="12" y="35" {
                        (shorten(&node.tool))
                        @if let Some((over, all)) = node.folded { " · " (over) "/" (all) }
                    }
                }
            }
        }
    }
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
    fn steps_are_drawn_with_lines_to_what_they_need() {
        let nodes = [
            node("first", &[]),
            node("a step with a very long name", &[0]),
            node("b", &[0]),
            node("skips a layer", &[0, 4]),
            node("c", &[2]),
            node("last", &[1, 3]),
        ];
        same("layered.svg", &layered(&nodes));
    }
}
