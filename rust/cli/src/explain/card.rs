//! A node as a card: a heading and lines, measured before it is placed.

use super::graph::{Column, Kind, Node, Outcome, Part};
use super::layout;

/// A card that is ready to be placed and drawn.
pub struct Card {
    /// What is said of it on the right of its heading.
    pub badge: String,
    pub lines: Vec<Line>,
    pub width: f64,
    pub height: f64,
    /// The line of each column that the node writes.
    ports: Vec<usize>,
}

/// A line of a card.
pub struct Line {
    pub left: String,
    /// A value, or a type where no record is shown.
    pub right: String,
    /// How it is set: `note`, `name`, `hit`, `miss`.
    pub class: &'static str,
}

/// Pixels: the heading, a line, and the width of a letter in each.
pub const HEADING: f64 = 32.0;
pub const LINE: f64 = 18.0;
const PADDING: f64 = 12.0;
const LETTER: f64 = 6.7;
const HEADING_LETTER: f64 = 7.6;
/// Letters of a line at the most; the rest is in the details.
const LETTERS: usize = 32;

impl Card {
    /// The card of a node.
    pub fn of(node: &Node) -> Card {
        let mut lines = Vec::new();
        let group = node.groups.first();
        let parts = group.map_or(&[][..], |group| &group.parts);
        match node.kind {
            Kind::Record | Kind::Output => {}
            Kind::Lookup => lines.push(Line::note(&node.about)),
            Kind::Feature => lines.extend(parts.iter().map(|part| Line::note(&part.text))),
            Kind::Model => {
                lines.push(Line::note(&node.about));
                let inputs = node
                    .groups
                    .iter()
                    .filter(|group| group.title.starts_with("input"));
                lines.extend(inputs.map(|group| Line::note(input(&group.title))));
            }
            Kind::Rules => lines.extend(parts.iter().map(rule)),
        }
        let mut ports = Vec::new();
        for column in &node.writes {
            // What nothing needs stands in the details only.
            if column.at.is_some() {
                lines.push(Line::column(node, column));
            }
            ports.push(lines.len().saturating_sub(1));
        }
        let badge = node.outcome.as_ref().map_or(String::new(), badge);
        let heading = (node.heading().chars().count() + badge.chars().count() + 3) as f64;
        let letters = lines.iter().map(Line::letters).max().unwrap_or(0) as f64;
        Card {
            width: (heading * HEADING_LETTER).max(letters * LETTER) + 2.0 * PADDING,
            height: HEADING + LINE * lines.len() as f64 + PADDING / 2.0,
            badge,
            lines,
            ports,
        }
    }

    /// Its outline, for the layout.
    pub fn outline(&self) -> layout::Card {
        let middle = |line: &usize| HEADING + LINE * *line as f64 + LINE / 2.0;
        layout::Card {
            width: self.width,
            height: self.height,
            ports: self.ports.iter().map(middle).collect(),
        }
    }
}

impl Line {
    fn note(text: &str) -> Line {
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Line {
            left: cut(&line, LETTERS),
            right: String::new(),
            class: "note",
        }
    }

    fn column(node: &Node, column: &Column) -> Line {
        // `plane.seats` stands as `seats` on the card of `plane`.
        let own = column
            .name
            .strip_prefix(&node.name)
            .and_then(|rest| rest.strip_prefix('.'));
        let left = cut(own.unwrap_or(&column.name), LETTERS / 2);
        let right = match (&column.value, &column.constant) {
            (Some(value), _) | (None, Some(value)) => brief(value),
            (None, None) => &column.data_type,
        };
        Line {
            right: cut(right, LETTERS - 2 - left.chars().count()),
            left,
            class: if column.value.as_deref() == Some("NULL") {
                "null"
            } else {
                "column"
            },
        }
    }

    fn letters(&self) -> usize {
        self.left.chars().count() + self.right.chars().count() + 2
    }
}

fn rule(part: &Part) -> Line {
    let hit = part.value.as_deref() == Some("TRUE");
    Line {
        left: format!(
            "{} {}",
            if hit { "●" } else { "○" },
            cut(&part.label, LETTERS - 4)
        ),
        right: String::new(),
        class: if hit { "hit" } else { "note" },
    }
}

/// A literal without the type in front: `'2013-12-02 04:59:00'` of a TIMESTAMP.
fn brief(value: &str) -> &str {
    let types = ["TIMESTAMP_LTZ ", "TIMESTAMP ", "DATE ", "TIME "];
    let brief = types
        .iter()
        .find_map(|data_type| value.strip_prefix(data_type));
    brief.unwrap_or(value)
}

fn badge(outcome: &Outcome) -> String {
    cut(&outcome.text, LETTERS / 2)
}

/// `x: float [n, 21]` of the title of an input tensor.
fn input(title: &str) -> &str {
    let title = title.strip_prefix("input ").unwrap_or(title);
    title
        .split_once(", NULL")
        .map_or(title, |(signature, _)| signature)
}

/// A text of so many letters at the most.
fn cut(text: &str, letters: usize) -> String {
    let is_short = text.chars().nth(letters).is_none();
    match is_short && !text.contains('\n') {
        true => text.to_owned(),
        false => {
            let line = text.lines().next().unwrap_or_default();
            let start: String = line.chars().take(letters.saturating_sub(1)).collect();
            start + "…"
        }
    }
}
