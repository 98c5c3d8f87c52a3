//! A lineage as SVG: from the first artifacts to the last. Pure: the same graph is the same picture.

use std::collections::HashMap;

use maud::{PreEscaped, html};
use uuid::Uuid;

use super::graph::{EdgeKind, Lineage, LineageNode, NodeKind};
use crate::layered::{Layout, NODE, shorten};

const STYLE: &str = ".step rect{fill:#eef2ff;stroke:#4f46e5}.artifact rect{fill:#ecfdf5;stroke:#047857}.other rect{stroke-dasharray:4 3}\
    text{fill:#111827}.sub{fill:#4b5563;font-size:10px}path{fill:none;stroke:#6b7280}.followed{stroke-dasharray:2 4}";

/// The drawing. Nodes of other runs than `run` have a dashed border.
pub(super) fn draw(lineage: &Lineage, run: Uuid) -> String {
    let places: HashMap<Uuid, usize> = lineage.nodes.iter().enumerate().map(|(at, node)| (node.id, at)).collect();
    let edges: Vec<(usize, usize, EdgeKind)> =
        lineage.edges.iter().filter_map(|edge| Some((*places.get(&edge.from)?, *places.get(&edge.to)?, edge.kind))).collect();
    let mut needs = vec![vec![]; lineage.nodes.len()];
    for (from, to, _) in &edges {
        needs[*to].push(*from);
    }
    let layout = Layout::new(&needs);
    let (width, height) = (layout.width, layout.height);
    let svg = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height) role="img"
            font-family="system-ui,sans-serif" font-size="12" {
            title { "Lineage" }
            style { (PreEscaped(STYLE)) }
            @for (from, to, kind) in &edges {
                path class=(kind.class()) d=(layout.line(*from, *to)) {}
            }
            @for (node, (x, y)) in lineage.nodes.iter().zip(&layout.places) {
                @let (class, round) = match node.kind { NodeKind::Step => ("step", 6), NodeKind::Artifact => ("artifact", NODE.1 / 2) };
                g class={ (class) @if node.run_id != run { " other" } } transform={ "translate(" (x) " " (y) ")" } {
                    title { (plain(&node.name)) }
                    rect width=(NODE.0) height=(NODE.1) rx=(round) {}
                    text x="14" y="19" { (shorten(&plain(&node.name))) }
                    text.sub x="14" y="34" { (shorten(&plain(&below(node)))) }
                }
            }
        }
    };
    svg.into_string()
}

impl EdgeKind {
    fn class(self) -> &'static str {
        match self {
            Self::Produced => "produced",
            Self::Consumed => "consumed",
            Self::Followed => "followed",
        }
    }
}

/// The second line in a box.
fn below(node: &LineageNode) -> String {
    match node.kind {
        NodeKind::Step => format!("{} · {}", node.tool.as_deref().unwrap_or_default(), node.status.as_deref().unwrap_or_default()),
        NodeKind::Artifact => node.hash.as_deref().unwrap_or_default().chars().take(19).collect(),
    }
}

/// Control characters make XML invalid, escaped or not.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::graph::{EdgeKind, Lineage, LineageEdge, LineageNode, NodeKind};

    #[test]
    fn what_was_made_stands_right_of_what_it_was_made_of_and_names_are_text() {
        let ids: Vec<Uuid> = (0..3).map(Uuid::from_u128).collect();
        let node = |at: usize, kind, name: &str| LineageNode {
            id: ids[at],
            kind,
            name: name.to_owned(),
            run_id: Uuid::nil(),
            tool: None,
            status: None,
            hash: None,
            attempt: None,
        };
        let nodes = vec![node(0, NodeKind::Artifact, "<script>\u{0}"), node(1, NodeKind::Step, "build"), node(2, NodeKind::Step, "use")];
        let edge = |from: usize, to: usize, kind| LineageEdge { from: ids[from], to: ids[to], kind };
        let outsider = LineageEdge { from: Uuid::from_u128(9), to: ids[2], kind: EdgeKind::Followed };
        let lineage = Lineage { nodes, edges: vec![edge(1, 0, EdgeKind::Produced), edge(0, 2, EdgeKind::Consumed), outsider] };
        let drawn = super::draw(&lineage, Uuid::nil());
        let box_of = |name: &str| {
            drawn.find(&format!("<title>{name}</title>")).map(|at| &drawn[drawn[..at].rfind("translate(").expect("a place")..at])
        };
        let x =
            |name: &str| box_of(name).and_then(|text| text["translate(".len()..].split(' ').next()?.parse::<i64>().ok()).expect("a number");
        assert!(x("build") < x("&lt;script&gt;") && x("&lt;script&gt;") < x("use"), "{drawn}");
        assert_eq!(drawn.matches("<path ").count(), 2, "an edge to nowhere is not drawn");
        assert!(!drawn.contains("<script>") && !drawn.contains('\u{0}') && drawn.ends_with("</svg>"));
    }
}
