use super::layers::layers;

/// Width and height of a node, in pixels.
pub(crate) const NODE: (i64, i64) = (180, 44);
const GAP: (i64, i64) = (60, 14);
const MARGIN: i64 = 12;

/// Where the nodes are, in pixels from the left upper corner.
pub(crate) struct Layout {
    /// The left upper corner of each node.
    pub places: Vec<(i64, i64)>,
    pub width: i64,
    pub height: i64,
}

impl Layout {
    /// `needs` has for each node those that it needs, as indices: they stand left of it.
    pub(crate) fn new(needs: &[Vec<usize>]) -> Self {
        let layers = layers(needs);
        let tallest = layers.iter().map(Vec::len).max().unwrap_or(0);
        let mut places = vec![(0, 0); needs.len()];
        for (n, layer) in (0_i64..).zip(&layers) {
            // Each layer in the middle of the tallest.
            let free = i64::try_from(tallest - layer.len()).unwrap_or(0) * (NODE.1 + GAP.1) / 2;
            for (at, node) in (0_i64..).zip(layer) {
                places[*node] = (MARGIN + n * (NODE.0 + GAP.0), MARGIN + free + at * (NODE.1 + GAP.1));
            }
        }
        let width = places.iter().map(|(x, _)| x + NODE.0).max().unwrap_or(0) + MARGIN;
        let height = places.iter().map(|(_, y)| y + NODE.1).max().unwrap_or(0) + MARGIN;
        Self { places, width, height }
    }

    /// The line from one node to another, as data of an SVG path.
    pub(crate) fn line(&self, from: usize, to: usize) -> String {
        let ((x1, y1), (x2, y2)) = (self.places[from], self.places[to]);
        let (x1, y1, y2) = (x1 + NODE.0, y1 + NODE.1 / 2, y2 + NODE.1 / 2);
        let middle = (x1 + x2) / 2;
        format!("M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}")
    }
}

#[cfg(test)]
mod tests {
    use super::{Layout, NODE};

    #[test]
    fn no_two_nodes_share_a_place_and_all_are_inside() {
        let needs: Vec<Vec<usize>> = (0..1000).map(|n: usize| if n < 100 { vec![] } else { vec![n - 100, (n * 7) % 100] }).collect();
        let layout = Layout::new(&needs);
        let mut places = layout.places.clone();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), 1000);
        assert!(places.iter().all(|(x, y)| x + NODE.0 < layout.width && y + NODE.1 < layout.height));
        for (to, needs) in needs.iter().enumerate() {
            assert!(needs.iter().all(|from| layout.places[*from].0 + NODE.0 < layout.places[to].0), "{to}");
        }
    }
}
