//! A lineage as SVG: columns from the first artifacts to the last. Pure: the same graph is the same picture.

use std::collections::BTreeMap;
use std::fmt::Write;

use uuid::Uuid;

use super::graph::{EdgeKind, Lineage, LineageNode, NodeKind};

const WIDTH: usize = 190;
const HEIGHT: usize = 44;
const GAP: usize = 60;
const ROW: usize = 62;
const MARGIN: usize = 20;
/// More letters than this do not fit into a box.
const MAX_CHARS: usize = 24;

pub(super) fn draw(lineage: &Lineage, run: Uuid) -> String {
    let places = place(lineage);
    let columns = places.values().map(|(column, _)| column + 1).max().unwrap_or(1);
    let rows = places.values().map(|(_, row)| row + 1).max().unwrap_or(1);
    let (width, height) = (MARGIN * 2 + columns * WIDTH + (columns - 1) * GAP, MARGIN * 2 + rows * ROW);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" \
         font-family=\"system-ui,sans-serif\" font-size=\"12\"><title>Lineage</title><style>\
         .step rect{{fill:#eef2ff;stroke:#4f46e5}}.artifact rect{{fill:#ecfdf5;stroke:#047857}}.other rect{{stroke-dasharray:4 3}}\
         text{{fill:#111827}}.sub{{fill:#4b5563;font-size:10px}}path{{fill:none;stroke:#6b7280}}.followed{{stroke-dasharray:2 4}}</style>"
    );
    let corner = |id: &Uuid| places.get(id).map(|(column, row)| (MARGIN + column * (WIDTH + GAP), MARGIN + row * ROW));
    for edge in &lineage.edges {
        let (Some((x1, y1)), Some((x2, y2))) = (corner(&edge.from), corner(&edge.to)) else { continue };
        let (x1, y1, y2) = (x1 + WIDTH, y1 + HEIGHT / 2, y2 + HEIGHT / 2);
        let middle = usize::midpoint(x1, x2);
        let class = match edge.kind {
            EdgeKind::Produced => "produced",
            EdgeKind::Consumed => "consumed",
            EdgeKind::Followed => "followed",
        };
        // Writing to text cannot fail.
        let _ = write!(out, "<path class=\"{class}\" d=\"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}\"/>");
    }
    for node in &lineage.nodes {
        let Some((x, y)) = corner(&node.id) else { continue };
        let (kind, under) = match node.kind {
            NodeKind::Step => {
                ("step", format!("{} · {}", node.tool.as_deref().unwrap_or_default(), node.status.as_deref().unwrap_or_default()))
            }
            NodeKind::Artifact => ("artifact", node.hash.as_deref().unwrap_or_default().chars().take(19).collect()),
        };
        let other = if node.run_id == run { "" } else { " other" };
        let (round, full) = (if node.kind == NodeKind::Step { 6 } else { HEIGHT / 2 }, escape(&node.name));
        let _ = write!(
            out,
            "<g class=\"{kind}{other}\"><title>{full}</title><rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"{round}\"/>\
             <text x=\"{tx}\" y=\"{t1}\">{name}</text><text class=\"sub\" x=\"{tx}\" y=\"{t2}\">{under}</text></g>",
            tx = x + 14,
            t1 = y + 19,
            t2 = y + 34,
            name = escape(&shorten(&node.name)),
            under = escape(&shorten(&under)),
        );
    }
    out.push_str("</svg>");
    out
}

/// Column and row of each node: right of everything that it came from.
fn place(lineage: &Lineage) -> BTreeMap<Uuid, (usize, usize)> {
    let mut columns: BTreeMap<Uuid, usize> = lineage.nodes.iter().map(|node| (node.id, 0)).collect();
    // A graph of n nodes settles after n rounds; one with a cycle, which cannot exist, would just stop.
    for _ in 0..lineage.nodes.len() {
        let mut moved = false;
        for edge in &lineage.edges {
            let Some(from) = columns.get(&edge.from).copied() else { continue };
            if let Some(to) = columns.get_mut(&edge.to).filter(|to| **to <= from) {
                *to = from + 1;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    let mut filled = BTreeMap::<usize, usize>::new();
    let mut next = |node: &LineageNode| {
        let column = columns[&node.id];
        let row = filled.entry(column).or_default();
        *row += 1;
        (node.id, (column, *row - 1))
    };
    lineage.nodes.iter().map(&mut next).collect()
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= MAX_CHARS { text.to_owned() } else { text.chars().take(MAX_CHARS - 1).chain(['…']).collect() }
}

fn escape(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .flat_map(|c| match c {
            '&' => "&amp;".chars().collect::<Vec<_>>(),
            '<' => "&lt;".chars().collect(),
            '>' => "&gt;".chars().collect(),
            '"' => "&quot;".chars().collect(),
            other => vec![other],
        })
        .collect()
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
        let nodes = vec![node(0, NodeKind::Artifact, "<script>"), node(1, NodeKind::Step, "build"), node(2, NodeKind::Step, "use")];
        let edge = |from: usize, to: usize, kind| LineageEdge { from: ids[from], to: ids[to], kind };
        let lineage = Lineage { nodes, edges: vec![edge(1, 0, EdgeKind::Produced), edge(0, 2, EdgeKind::Consumed)] };
        let places = super::place(&lineage);
        assert_eq!((places[&ids[1]].0, places[&ids[0]].0, places[&ids[2]].0), (0, 1, 2));
        let drawn = super::draw(&lineage, Uuid::nil());
        assert!(drawn.contains("&lt;script&gt;") && !drawn.contains("<script>") && drawn.ends_with("</svg>"));
    }
}
