//! Where the cards of a graph stand: in layers from left to right, so that every wire goes to the
//! right, with few crossings and short ways.
//!
//! ```text
//! layer 0     layer 1     layer 2
//! +------+    +------+    +------+
//! | a    |--->|      |--->|      |
//! | b    |-+  +------+    |      |
//! +------+ |              |      |
//!          '---- lane ----|->    |    a wire passes a layer in a lane of its own,
//!                         +------+    one for all readers of a column
//! ```

/// A card to be placed: its size in pixels, and where its columns leave it, from its top.
pub struct Card {
    pub width: f64,
    pub height: f64,
    pub ports: Vec<f64>,
}

/// A wire to be drawn: from a column of a card to a later card.
pub struct Wire {
    /// The numbers of the card and of its port.
    pub from: (usize, usize),
    pub to: usize,
}

/// Where everything stands.
pub struct Layout {
    pub width: f64,
    pub height: f64,
    /// Left, top and width of each card; cards of a layer are equally wide.
    pub cards: Vec<(f64, f64, f64)>,
    /// The points of each wire, from its port to its reader.
    pub wires: Vec<Vec<(f64, f64)>>,
}

/// Pixels between layers, between cards of a layer, and around lanes.
const LAYER_GAP: f64 = 60.0;
const CARD_GAP: f64 = 16.0;
const LANE: f64 = 10.0;
const MARGIN: f64 = 16.0;
/// How often the order and the heights of a layer follow those of its neighbours.
const ROUNDS: usize = 12;

/// Places cards. Wires go from a card to one with a higher number.
pub fn place(cards: &[Card], wires: &[Wire]) -> Layout {
    let mut placing = Placing::new(cards, wires);
    for round in 0..ROUNDS {
        placing.sort(round % 2 == 0);
    }
    for round in 0..ROUNDS {
        placing.align(round % 2 == 1);
    }
    placing.finish(wires)
}

/// Something that takes a place in a layer.
struct Item {
    layer: usize,
    height: f64,
    /// What stands around it.
    gap: f64,
    top: f64,
}

/// A piece of a wire between neighbouring layers.
struct Piece {
    from: usize,
    /// Where it leaves `from`, from its top.
    port: f64,
    to: usize,
}

/// The state of one layout. Items are first the cards by their numbers, then lanes.
struct Placing<'a> {
    cards: &'a [Card],
    items: Vec<Item>,
    pieces: Vec<Piece>,
    /// The items of each layer, from the top.
    layers: Vec<Vec<usize>>,
    /// The lanes that each wire takes.
    lanes: Vec<Vec<usize>>,
}

impl<'a> Placing<'a> {
    fn new(cards: &'a [Card], wires: &[Wire]) -> Placing<'a> {
        let layer = layers(cards.len(), wires);
        let items = cards.iter().zip(&layer).map(|(card, layer)| Item {
            layer: *layer,
            height: card.height,
            gap: CARD_GAP,
            top: 0.0,
        });
        let mut placing = Placing {
            cards,
            items: items.collect(),
            pieces: Vec::new(),
            layers: vec![Vec::new(); layer.iter().max().map_or(0, |last| last + 1)],
            lanes: Vec::new(),
        };
        for wire in wires {
            placing.add(wire, wires);
        }
        for (i, item) in placing.items.iter().enumerate() {
            placing.layers[item.layer].push(i);
        }
        placing
    }

    /// Gives a wire its lanes: those that another wire of the same port has already, then new ones.
    fn add(&mut self, wire: &Wire, wires: &[Wire]) {
        let (card, port) = wire.from;
        let known = wires[..self.lanes.len()].iter().zip(&self.lanes);
        let known = known.filter(|(other, _)| other.from == wire.from);
        let longest = known
            .map(|(_, lanes)| lanes)
            .max_by_key(|lanes| lanes.len());
        let mut lanes = longest.cloned().unwrap_or_default();
        let first = self.items[card].layer + 1;
        let passed = self.items[wire.to].layer - first;
        lanes.truncate(passed);
        let (mut from, mut offset) = match lanes.last() {
            Some(lane) => (*lane, LANE / 2.0),
            None => (card, self.cards[card].ports[port]),
        };
        for layer in first + lanes.len()..first + passed {
            let lane = self.items.len();
            self.items.push(Item {
                layer,
                height: LANE,
                gap: 2.0,
                top: 0.0,
            });
            self.pieces.push(Piece {
                from,
                port: offset,
                to: lane,
            });
            (from, offset) = (lane, LANE / 2.0);
            lanes.push(lane);
        }
        self.pieces.push(Piece {
            from,
            port: offset,
            to: wire.to,
        });
        self.lanes.push(lanes);
    }

    /// Orders each layer by the mean place of what it is wired to, on its left or on its right.
    fn sort(&mut self, to_the_right: bool) {
        let mut place = vec![0.0; self.items.len()];
        for layer in &self.layers {
            for (k, item) in layer.iter().enumerate() {
                place[*item] = k as f64 / layer.len() as f64;
            }
        }
        for layer in sweep(self.layers.len(), to_the_right) {
            let mean = |item: usize| {
                let near = self.pieces.iter().filter_map(|piece| match to_the_right {
                    true if piece.to == item => Some(place[piece.from] + piece.port * 1e-6),
                    false if piece.from == item => Some(place[piece.to]),
                    _ => None,
                });
                mean(near).unwrap_or(place[item])
            };
            let mut keyed: Vec<(f64, usize)> = self.layers[layer]
                .iter()
                .map(|item| (mean(*item), *item))
                .collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            for (k, (_, item)) in keyed.iter().enumerate() {
                place[*item] = k as f64 / keyed.len() as f64;
            }
            self.layers[layer] = keyed.into_iter().map(|(_, item)| item).collect();
        }
    }

    /// Moves the items of each layer to the height of what they are wired to, in their order.
    fn align(&mut self, to_the_right: bool) {
        for layer in sweep(self.layers.len(), to_the_right) {
            let wanted = self.layers[layer].iter().map(|item| {
                let own = &self.items[*item];
                let near = self.pieces.iter().filter_map(|piece| match to_the_right {
                    true if piece.to == *item => {
                        Some(self.items[piece.from].top + piece.port - own.height / 2.0)
                    }
                    false if piece.from == *item => {
                        let to = &self.items[piece.to];
                        Some(to.top + to.height / 2.0 - piece.port)
                    }
                    _ => None,
                });
                (mean(near).unwrap_or(own.top), own.height + own.gap)
            });
            let tops = stack(&wanted.collect::<Vec<_>>());
            for (item, top) in self.layers[layer].iter().zip(tops) {
                self.items[*item].top = top;
            }
        }
    }

    fn finish(self, wires: &[Wire]) -> Layout {
        let highest = self
            .items
            .iter()
            .map(|item| item.top)
            .fold(f64::INFINITY, f64::min);
        let top = |item: usize| self.items[item].top - highest + MARGIN;
        let (mut left, mut columns) = (MARGIN, Vec::new());
        for layer in &self.layers {
            let cards = layer.iter().filter_map(|item| self.cards.get(*item));
            let width = cards.map(|card| card.width).fold(0.0, f64::max);
            columns.push((left, width));
            left += width + LAYER_GAP;
        }
        let cards = (0..self.cards.len()).map(|card| {
            let (left, width) = columns[self.items[card].layer];
            (left, top(card), width)
        });
        let bottom = (0..self.items.len()).map(|item| top(item) + self.items[item].height);
        Layout {
            width: left - LAYER_GAP + MARGIN,
            height: bottom.fold(0.0, f64::max) + MARGIN,
            cards: cards.collect(),
            wires: self.routes(wires, &columns, &top),
        }
    }

    /// The points of each wire. Those that end at one card do so one below the other.
    fn routes(
        &self,
        wires: &[Wire],
        columns: &[(f64, f64)],
        top: &dyn Fn(usize) -> f64,
    ) -> Vec<Vec<(f64, f64)>> {
        let mut routes = Vec::new();
        for (wire, lanes) in wires.iter().zip(&self.lanes) {
            let (card, port) = wire.from;
            let (left, width) = columns[self.items[card].layer];
            let mut points = vec![(left + width, top(card) + self.cards[card].ports[port])];
            for lane in lanes {
                let (left, width) = columns[self.items[*lane].layer];
                let y = top(*lane) + LANE / 2.0;
                points.extend([(left, y), (left + width, y)]);
            }
            routes.push(points);
        }
        for card in 0..self.cards.len() {
            let last = |wire: &usize| {
                routes[*wire]
                    .last()
                    .map_or(0.0, |point: &(f64, f64)| point.1)
            };
            let mut ends: Vec<usize> = (0..wires.len())
                .filter(|wire| wires[*wire].to == card)
                .collect();
            ends.sort_by(|a, b| last(a).total_cmp(&last(b)));
            let (left, _) = columns[self.items[card].layer];
            let step = self.cards[card].height / (ends.len() + 1) as f64;
            for (k, wire) in ends.iter().enumerate() {
                routes[*wire].push((left, top(card) + step * (k + 1) as f64));
            }
        }
        routes
    }
}

/// Every card stands one layer behind the last one that it reads.
fn layers(cards: usize, wires: &[Wire]) -> Vec<usize> {
    let mut layers = vec![0; cards];
    for card in 1..cards {
        let reads = wires.iter().filter(|wire| wire.to == card);
        let behind = reads.map(|wire| layers[wire.from.0] + 1).max();
        layers[card] = behind.unwrap_or(1);
    }
    if let Some(last) = layers.iter().max().copied() {
        layers[cards - 1] = last.max(layers[cards - 1]);
    }
    layers
}

fn sweep(layers: usize, to_the_right: bool) -> Box<dyn Iterator<Item = usize>> {
    match to_the_right {
        true => Box::new(0..layers),
        false => Box::new((0..layers).rev()),
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// The tops nearest to the wanted ones at which nothing overlaps: items that would overlap move
/// together, to the mean of what they want. `wanted` are tops and heights, in order.
fn stack(wanted: &[(f64, f64)]) -> Vec<f64> {
    /// Items that touch: how many, the mean top of the first that they want, their height.
    struct Block {
        items: usize,
        top: f64,
        height: f64,
    }
    let mut blocks: Vec<Block> = Vec::new();
    for (top, height) in wanted {
        blocks.push(Block {
            items: 1,
            top: *top,
            height: *height,
        });
        while let [.., above, last] = blocks.as_mut_slice() {
            if above.top + above.height <= last.top {
                break;
            }
            let items = above.items + last.items;
            let wanted =
                above.top * above.items as f64 + (last.top - above.height) * last.items as f64;
            above.top = wanted / items as f64;
            above.height += last.height;
            above.items = items;
            blocks.pop();
        }
    }
    let mut heights = wanted.iter().map(|(_, height)| *height);
    let mut tops = Vec::new();
    for block in &blocks {
        let mut top = block.top;
        for height in heights.by_ref().take(block.items) {
            tops.push(top);
            top += height;
        }
    }
    tops
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(height: f64) -> Card {
        Card {
            width: 100.0,
            height,
            ports: vec![10.0, height - 10.0],
        }
    }

    fn wire(from: usize, port: usize, to: usize) -> Wire {
        Wire {
            from: (from, port),
            to,
        }
    }

    #[test]
    fn nothing_overlaps_and_every_wire_goes_to_the_right() {
        let cards: Vec<Card> = (0..9).map(|i| card(40.0 + 10.0 * f64::from(i))).collect();
        let wires = [
            wire(0, 0, 1),
            wire(0, 1, 2),
            wire(0, 0, 3),
            wire(1, 0, 4),
            wire(2, 1, 4),
            wire(0, 0, 5),
            wire(4, 0, 5),
            wire(0, 1, 6),
            wire(5, 0, 8),
            wire(0, 0, 8),
            wire(7, 0, 8),
        ];
        let layout = place(&cards, &wires);
        for (i, (left, top, width)) in layout.cards.iter().enumerate() {
            assert!(*left >= 0.0 && left + width <= layout.width, "{i}");
            assert!(*top >= 0.0 && top + cards[i].height <= layout.height, "{i}");
            for (k, (other_left, other_top, _)) in layout.cards.iter().enumerate().skip(i + 1) {
                let apart =
                    top + cards[i].height <= *other_top || other_top + cards[k].height <= *top;
                assert!(left != other_left || apart, "{i} and {k} overlap");
            }
        }
        for (wire, points) in wires.iter().zip(&layout.wires) {
            assert!(points.is_sorted_by(|a, b| a.0 < b.0), "{points:?}");
            let (left, top, _) = layout.cards[wire.to];
            let (x, y) = points[points.len() - 1];
            assert!(x == left && top < y && y < top + cards[wire.to].height);
        }
    }

    #[test]
    fn readers_of_a_column_share_its_lanes() {
        let cards: Vec<Card> = (0..5).map(|_| card(40.0)).collect();
        let wires = [
            wire(0, 0, 1),
            wire(1, 0, 2),
            wire(2, 0, 3),
            wire(0, 0, 3),
            wire(0, 0, 4),
            wire(3, 0, 4),
        ];
        let layout = place(&cards, &wires);
        assert_eq!(layout.wires[3][..5], layout.wires[4][..5]);
        assert_eq!(layout.wires[4].len(), 8);
    }

    #[test]
    fn items_that_overlap_move_together() {
        assert_eq!(stack(&[(0.0, 10.0), (50.0, 10.0)]), [0.0, 50.0]);
        assert_eq!(stack(&[(0.0, 10.0), (0.0, 10.0)]), [-5.0, 5.0]);
        assert_eq!(
            stack(&[(0.0, 10.0), (0.0, 10.0), (12.0, 10.0)]),
            [-6.0, 4.0, 14.0]
        );
    }
}
