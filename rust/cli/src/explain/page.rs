//! One HTML page: the graph as a picture, and every node's expressions, types and values.

use std::fmt::Write;

use super::card::{Card, HEADING, LINE};
use super::graph::{Column, Graph, Group, Kind, Node, Part, Tone};
use super::layout::{Wire, place};

/// More letters of a value are counted, not shown.
const LONGEST: usize = 4000;

/// The page. It needs no network and no other file.
pub fn draw(graph: &Graph) -> String {
    let title = escaped(&graph.title);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n",
        style = include_str!("page.css"),
    );
    page += &format!(
        "<header><h1>{title}</h1>{}</header>\n<main>\n",
        summary(graph)
    );
    page += &picture(graph);
    page += "<aside id=\"details\" aria-live=\"polite\">\n";
    for (i, node) in graph.nodes.iter().enumerate() {
        page += &details(graph, i, node);
    }
    page += &unused(graph);
    page += "</aside>\n</main>\n<script>\n";
    page += include_str!("page.js");
    page += "</script>\n</body>\n</html>\n";
    page
}

/// A text that means nothing to HTML, also between quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            c => escaped.push(c),
        }
    }
    escaped
}

/// A line for the head of the page: what came of the record, or how the page is read.
fn summary(graph: &Graph) -> String {
    let failed = graph.nodes.iter().find_map(|node| {
        let outcome = node.outcome.as_ref()?;
        (outcome.tone == Tone::Failed).then(|| escaped(&outcome.text))
    });
    let output = graph.nodes.iter().filter(|node| node.kind == Kind::Output);
    let values = output.flat_map(|node| &node.writes).filter_map(|column| {
        let value = escaped(&shown(column.value.as_ref()?));
        Some(format!(
            "<span>{} <b>{value}</b></span>",
            escaped(&column.name)
        ))
    });
    match (failed, values.collect::<Vec<_>>().join("")) {
        (Some(error), _) => format!("<p class=\"failed\">{error}</p>"),
        (None, values) if values.is_empty() => "<p>The plan, without a record.</p>".to_owned(),
        (None, values) => format!("<p>{values}</p>"),
    }
}

fn picture(graph: &Graph) -> String {
    let cards: Vec<Card> = graph.nodes.iter().map(Card::of).collect();
    let wires = graph.edges.iter().map(|edge| Wire {
        from: edge.from,
        to: edge.to,
    });
    let wires: Vec<Wire> = wires.collect();
    let outlines: Vec<_> = cards.iter().map(Card::outline).collect();
    let layout = place(&outlines, &wires);
    let (width, height) = (layout.width, layout.height);
    let mut svg = format!(
        "<div id=\"picture\"><svg viewBox=\"0 0 {width:.0} {height:.0}\" \
         style=\"width: {width:.0}px; min-width: {least:.0}px\" role=\"group\">\n",
        least = width * 0.75,
    );
    for (wire, points) in wires.iter().zip(&layout.wires) {
        let name = &graph.nodes[wire.from.0].writes[wire.from.1].name;
        let _ = writeln!(
            svg,
            "<path class=\"wire\" data-from=\"{}\" data-to=\"{}\" d=\"{}\"><title>{}</title></path>",
            wire.from.0,
            wire.to,
            path(points),
            escaped(name),
        );
    }
    let cards = graph.nodes.iter().zip(&cards).zip(&layout.cards);
    for (i, ((node, card), place)) in cards.enumerate() {
        svg += &drawn(i, node, card, *place);
    }
    svg + "</svg></div>\n"
}

/// A curve from point to point that leaves and arrives level.
fn path(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (k, (x, y)) in points.iter().enumerate() {
        let _ = match k.checked_sub(1).map(|before| points[before]) {
            None => write!(path, "M{x:.1} {y:.1}"),
            Some((before_x, before_y)) => {
                let middle = (before_x + x) / 2.0;
                write!(
                    path,
                    "C{middle:.1} {before_y:.1} {middle:.1} {y:.1} {x:.1} {y:.1}"
                )
            }
        };
    }
    path
}

/// A card in the picture.
fn drawn(i: usize, node: &Node, card: &Card, (left, top, width): (f64, f64, f64)) -> String {
    let kind = node.kind.word();
    let tone = node
        .outcome
        .as_ref()
        .map_or("", |outcome| tone(outcome.tone));
    let height = card.height;
    let name = match node.kind {
        Kind::Record | Kind::Output => "",
        _ => &node.name,
    };
    let mut svg = format!(
        "<g class=\"node {kind} {tone}\" id=\"node-{i}\" data-node=\"{i}\" tabindex=\"0\" role=\"button\" \
         aria-label=\"{heading}\" transform=\"translate({left:.1} {top:.1})\">\
         <rect class=\"card\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"8\"/>\
         <rect class=\"stripe\" width=\"4\" height=\"{stripe:.1}\" y=\"8\" rx=\"2\"/>\
         <text class=\"heading\" x=\"14\" y=\"21\"><tspan class=\"kind\">{kind}</tspan> {name}</text>",
        heading = escaped(&node.heading()),
        stripe = height - 16.0,
        name = escaped(name),
    );
    if !card.badge.is_empty() {
        let _ = write!(
            svg,
            "<text class=\"badge\" x=\"{:.1}\" y=\"21\">{}</text>",
            width - 12.0,
            escaped(&card.badge)
        );
    }
    for (k, line) in card.lines.iter().enumerate() {
        let y = HEADING + LINE * k as f64 + 12.0;
        let class = line.class;
        let _ = write!(
            svg,
            "<text class=\"{class}\" x=\"14\" y=\"{y:.1}\">{}</text>",
            escaped(&line.left)
        );
        if !line.right.is_empty() {
            let (x, right) = (width - 12.0, escaped(&line.right));
            let _ = write!(
                svg,
                "<text class=\"{class} right\" x=\"{x:.1}\" y=\"{y:.1}\">{right}</text>"
            );
        }
    }
    svg + "</g>\n"
}

/// What stands beside the picture while a node is chosen.
fn details(graph: &Graph, i: usize, node: &Node) -> String {
    let mut html = format!(
        "<section id=\"details-{i}\" class=\"{}\" hidden>\n<h2><small>{}</small> {}</h2>\n",
        node.kind.word(),
        node.kind.word(),
        escaped(match node.kind {
            Kind::Record | Kind::Output => "",
            _ => &node.name,
        }),
    );
    if let Some(outcome) = &node.outcome {
        html += &format!(
            "<p class=\"outcome {}\">{}</p>\n",
            tone(outcome.tone),
            escaped(&outcome.text)
        );
    }
    if !node.about.is_empty() {
        html += &format!("<p>{}</p>\n", escaped(&node.about));
    }
    html += &node.groups.iter().map(group).collect::<String>();
    if !node.folded.is_empty() {
        let rows = node
            .folded
            .iter()
            .map(|(text, value)| row(&[code(text), code(value)]));
        html += &table("folded into constants", &rows.collect::<String>());
    }
    let written = node.writes.iter().map(column);
    let writes = if node.kind == Kind::Record {
        "columns"
    } else {
        "writes"
    };
    html += &table(writes, &written.collect::<String>());
    if !node.reads.is_empty() {
        let read = node
            .reads
            .iter()
            .filter_map(|name| graph.column(name))
            .map(column);
        html += &table("reads", &read.collect::<String>());
    }
    for (name, text) in &node.facts {
        html += &format!("<h3>{name}</h3><p>{}</p>\n", escaped(text));
    }
    html + "</section>\n"
}

fn group(group: &Group) -> String {
    match group.parts.as_slice() {
        [only] if only.label.is_empty() => {
            format!("<pre><code>{}</code></pre>\n", escaped(&only.text))
        }
        parts => table(&group.title, &parts.iter().map(part).collect::<String>()),
    }
}

fn part(part: &Part) -> String {
    let mut text = if part.text == part.label {
        String::new()
    } else {
        code(&part.text)
    };
    if !part.gives.is_empty() {
        text += &format!("<div class=\"gives\">{}</div>", code(&part.gives));
    }
    let value = part.value.as_ref().map_or(String::new(), value);
    row(&[escaped(&part.label), text, value])
}

fn column(column: &Column) -> String {
    let mut last = match (&column.value, &column.constant) {
        (Some(given), _) => value(given),
        (None, Some(constant)) => format!("always {}", value(constant)),
        (None, None) => String::new(),
    };
    if column.at.is_none() {
        last += " <i>not used</i>";
    }
    let mut data_type = escaped(&column.data_type);
    if !column.from.is_empty() {
        data_type += &format!(" from {}", code(&column.from));
    }
    row(&[escaped(&column.name), data_type, last])
}

fn unused(graph: &Graph) -> String {
    let rows = graph
        .unused
        .iter()
        .map(|(kind, names)| row(&[(*kind).to_owned(), escaped(&names.join(", "))]));
    let rows: String = rows.collect();
    let hint = "<p class=\"hint\">Choose a node to see its expression, types and values.</p>\n";
    let unused = match rows.is_empty() {
        true => String::new(),
        false => table("left out: no output needs it", &rows),
    };
    format!("<section id=\"overview\">\n{hint}{unused}</section>\n")
}

fn table(title: &str, rows: &str) -> String {
    format!("<h3>{}</h3>\n<table>{rows}</table>\n", escaped(title))
}

fn row(cells: &[String]) -> String {
    let cells = cells.iter().map(|cell| format!("<td>{cell}</td>"));
    format!("<tr>{}</tr>\n", cells.collect::<String>())
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

fn value(text: &String) -> String {
    let class = if text == "NULL" {
        "value null"
    } else {
        "value"
    };
    format!("<code class=\"{class}\">{}</code>", escaped(&shown(text)))
}

/// A value, cut where it is very long.
fn shown(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}… ({} letters)", &text[..end], text.chars().count()),
    }
}

fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Found => "found",
        Tone::Nothing => "nothing",
        Tone::Failed => "failed",
    }
}
