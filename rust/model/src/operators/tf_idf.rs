//! `TfIdfVectorizer`: how often the n-grams of a pool stand in the items of a row.
//!
//! The pool is a trie: a walk from every item, by every skip, counts the n-grams that it meets.

use super::elementwise::refuse;
use super::tokenizer::{Class, Tokens};
use super::{Operator, Step};
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Builder, Made, Rows};
use crate::kernels::lookup::{Finder, Strings, Table, first_places};
use crate::memory::{Columns, Text, Workspace};
use crate::onnx::node::{CORE, Node};

pub(super) const OPERATORS: &[Operator] = &[(CORE, "TfIdfVectorizer", load)];

/// What a count becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Count,
    Occurs,
    Weighted,
}

struct TfIdf {
    items: Items,
    trie: Trie,
    mode: Mode,
    lengths: (usize, usize),
    skips: usize,
    weights: Vec<f32>,
    rows: Rows,
    to: Columns,
}

/// From an item to its number in the pool.
enum Items {
    Numbers(Table<i64>),
    Strings(Finder),
    Tokens(Seen),
}

/// The tokens of a text.
struct Seen {
    class: Class,
    places: Strings,
    /// The last of them: as many as an n-gram reaches over.
    last: Columns,
}

#[derive(Default)]
struct Trie {
    /// From a node and an item to the next node: `node << 32 | item`.
    next: Table<u64>,
    /// The output column of the n-gram that ends in a node.
    columns: Vec<Option<u32>>,
}

impl Trie {
    fn add(&mut self, items: &[u32], column: u32) {
        let mut node = 0;
        for item in items {
            let fresh = self.columns.len() as u32;
            node = *self
                .next
                .entry(u64::from(node) << 32 | u64::from(*item))
                .or_insert(fresh);
            if node == fresh {
                self.columns.push(None);
            }
        }
        self.columns[node as usize] = Some(column);
    }

    fn step(&self, node: u32, item: u32) -> Option<u32> {
        self.next
            .get(&(u64::from(node) << 32 | u64::from(item)))
            .copied()
    }
}

fn load(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let mut value = graph.deferred(node, 0)?;
    let tokens = value.deferred::<Tokens>().cloned();
    value = match &tokens {
        Some(tokens) => tokens.of.clone(),
        None => graph.made(value)?,
    };
    let mode = match node.string("mode")?.as_deref() {
        Some("TF") => Mode::Count,
        Some("IDF") => Mode::Occurs,
        Some("TFIDF") => Mode::Weighted,
        other => {
            return Err(node.invalid(format!(
                "attribute \"mode\" is {other:?}, expected TF, IDF or TFIDF"
            )));
        }
    };
    let size = |value: Option<i64>| {
        value
            .and_then(|value| usize::try_from(value).ok())
            .unwrap_or(0)
    };
    let lengths = (
        size(node.int("min_gram_length")?),
        size(node.int("max_gram_length")?),
    );
    let skips = size(node.int("max_skip_count")?);
    let (starts, indexes) = (node.ints("ngram_counts")?, node.ints("ngram_indexes")?);
    let (ints, strings) = (node.ints("pool_int64s")?, node.strings("pool_strings")?);
    let weights = node.floats("weights")?;
    let (pool, items) = match value.element {
        Element::String => {
            let places = Strings::first(&strings);
            let pool: Vec<u32> = strings
                .iter()
                .filter_map(|string| places.find(string.as_bytes()))
                .collect();
            let items = match tokens {
                Some(tokens) => {
                    if strings.contains(&tokens.pad) || value.width() != 1 {
                        return Err(node.not_supported(format!(
                            "counts {:?}, which fills short texts, or reads several texts",
                            tokens.pad
                        )));
                    }
                    let reach = (lengths.1.max(1) - 1).checked_mul(skips + 1);
                    let reach = reach.unwrap_or(usize::MAX).saturating_add(1);
                    Items::Tokens(Seen {
                        class: tokens.class,
                        places,
                        last: graph.scratch(Element::Int64, reach)?,
                    })
                }
                None => Items::Strings(places.finder(value.dictionary.as_ref())),
            };
            (pool, items)
        }
        Element::Int64 | Element::Int32 => {
            let places = first_places(ints.iter().copied());
            let pool = ints
                .iter()
                .filter_map(|item| places.get(item).copied())
                .collect();
            (pool, Items::Numbers(places))
        }
        other => return Err(refuse(node, other, "string, int64 or int32")),
    };
    let trie = trie(node, &pool, &starts, &indexes)?;
    let width = indexes.iter().max().map_or(0, |most| *most as usize + 1);
    if lengths.0 == 0
        || lengths.1 < lengths.0
        || !weights.is_empty() && weights.len() != indexes.len()
    {
        return Err(node.invalid(format!(
            "has n-grams of {lengths:?} items and {} weights",
            weights.len()
        )));
    }
    // Weights stand in the order of the n-grams, columns in that of the indexes.
    let mut by_column = vec![1.0; width];
    for (index, weight) in indexes.iter().zip(&weights) {
        by_column[*index as usize] = *weight;
    }
    let rows = match (value.shape.rank(), value.shape.batch) {
        // One item a row.
        (1, Some(0)) => {
            let one = crate::shape::Shape {
                dims: vec![1, 1],
                batch: Some(0),
            };
            graph.rows_of(node, 0, &value.reshaped(one))?
        }
        _ => graph.rows_of(node, 0, &value)?,
    };
    let to = graph.make(node, 0, Made::new(Element::Float, rows.wide(width)))?;
    let kernel = format!("{} n-grams", indexes.len());
    let step = TfIdf {
        items,
        trie,
        mode,
        lengths,
        skips,
        weights: by_column,
        rows,
        to,
    };
    graph.push(node, kernel, Box::new(step));
    Ok(())
}

/// The pool lists all n-grams of one item, then those of two, ...; `starts` says where each length begins.
fn trie(node: &Node, pool: &[u32], starts: &[i64], indexes: &[i64]) -> Result<Trie, ModelError> {
    let mut trie = Trie {
        columns: vec![None],
        ..Trie::default()
    };
    let mut columns = indexes.iter();
    let invalid = || node.invalid("ngram_counts, ngram_indexes and the pool do not fit");
    for (length, start) in starts.iter().enumerate() {
        let end = starts.get(length + 1).map_or(pool.len() as i64, |end| *end);
        let (start, end) = (usize::try_from(*start), usize::try_from(end));
        let (Ok(start), Ok(end)) = (start, end) else {
            return Err(invalid());
        };
        let grams = pool.get(start..end).ok_or_else(invalid)?;
        for gram in grams.chunks(length + 1) {
            let column = columns
                .next()
                .and_then(|column| u32::try_from(*column).ok());
            let column = column
                .filter(|column| *column < 1 << 20)
                .ok_or_else(invalid)?;
            trie.add(gram, column);
        }
    }
    Ok(trie)
}

impl Step for TfIdf {
    fn run(&self, n: usize, memory: &mut Workspace) {
        for lead in 0..self.rows.lead {
            let (from, to) = (
                self.rows.of(lead, self.rows.columns),
                self.rows.of(lead, self.to),
            );
            // Column after column: a row alone would go through as many lines of the cache.
            let stride = memory.stride;
            for column in to.of_mut(memory.f32, stride).chunks_mut(stride) {
                column[..n].fill(0.0);
            }
            (0..n).for_each(|row| self.count(memory, row, from, to));
            let columns = to.of_mut(memory.f32, stride).chunks_mut(stride);
            for (column, weight) in columns.zip(&self.weights) {
                let counts = column[..n].iter_mut();
                match self.mode {
                    Mode::Count => {}
                    Mode::Occurs => counts.filter(|x| **x != 0.0).for_each(|x| *x = *weight),
                    Mode::Weighted => counts.for_each(|x| *x *= weight),
                }
            }
        }
    }
}

impl TfIdf {
    fn count(&self, memory: &mut Workspace, row: usize, from: Columns, to: Columns) {
        let Workspace {
            ref mut f32,
            ref mut i64,
            ref text,
            stride,
            ..
        } = *memory;
        let mut count = |column: u32| f32[(to.first + column as usize) * stride + row] += 1.0;
        let cell = |column: usize| (from.first + column) * stride + row;
        let all = 0..from.width;
        match &self.items {
            Items::Numbers(places) => all.for_each(|start| {
                let item = |at: usize| places.get(&i64[cell(at)]).copied();
                self.count_from(start, from.width, item, &mut count);
            }),
            Items::Strings(finder) => all.for_each(|start| {
                let item = |at: usize| finder.find(i64[cell(at)], text);
                self.count_from(start, from.width, item, &mut count);
            }),
            Items::Tokens(tokens) => {
                let Seen {
                    class,
                    places,
                    last,
                } = tokens;
                let mut seen = 0;
                let at = |token: usize| (last.first + token % last.width) * stride + row;
                class.tokens(Text::of(i64[cell(0)]).bytes(text), |token| {
                    i64[at(seen)] = places.find(token).map_or(-1, i64::from);
                    seen += 1;
                    // All that begins at this one is there.
                    if let Some(start) = seen.checked_sub(last.width) {
                        let item = |token: usize| u32::try_from(i64[at(token)]).ok();
                        self.count_from(start, seen, item, &mut count);
                    }
                });
                for start in seen.saturating_sub(last.width - 1)..seen {
                    let item = |token: usize| u32::try_from(i64[at(token)]).ok();
                    self.count_from(start, seen, item, &mut count);
                }
            }
        }
    }

    /// Counts the n-grams that begin with item number `start`, of those before `end`.
    fn count_from(
        &self,
        start: usize,
        end: usize,
        item: impl Fn(usize) -> Option<u32>,
        count: &mut impl FnMut(u32),
    ) {
        for skip in 1..=self.skips + 1 {
            let (mut node, mut at) = (0, start);
            for length in 1..=self.lengths.1 {
                if at >= end {
                    break;
                }
                let Some(next) = item(at).and_then(|item| self.trie.step(node, item)) else {
                    break;
                };
                // Single items have no neighbour to skip: they count once.
                let counts = length >= self.lengths.0 && (length > 1 || skip == 1);
                if let (Some(column), true) = (self.trie.columns[next as usize], counts) {
                    count(column);
                }
                node = next;
                at += skip;
            }
        }
    }
}
