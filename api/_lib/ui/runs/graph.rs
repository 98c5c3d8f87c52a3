//! A run as a graph.

use std::collections::HashMap;

use maud::{Markup, html};

use super::read::RunPage;
use super::shown::Shown;
use crate::ui::svg::{Node, layered};

/// The graph of the steps of the plan: children are folded into their `for_each` step.
pub(super) fn graph(page: &RunPage, shown: &Shown) -> Markup {
    let tops: Vec<usize> = (0..page.run.steps.len()).filter(|at| page.run.steps[*at].parent_id.is_none()).collect();
    let places: HashMap<usize, usize> = tops.iter().enumerate().map(|(place, at)| (*at, place)).collect();
    let nodes: Vec<Node> = tops
        .iter()
        .map(|at| {
            let step = &page.run.steps[*at];
            Node {
                name: step.name.clone(),
                tool: step.tool.clone(),
                status: step.status.clone(),
                needs: page.needs[*at].iter().filter_map(|need| places.get(need).copied()).collect(),
                link: format!("{}#drawer", shown.link(Some(&step.name))),
                is_selected: shown.step.as_ref() == Some(&step.name),
                folded: page.folded(step),
            }
        })
        .collect();
    html! { section.scroll tabindex="0" aria-label="Step graph" { (layered(&nodes)) } }
}
