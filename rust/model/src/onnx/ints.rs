//! Lists of integers, in about as little memory as their values need.
//!
//! The lists of an ensemble of a million nodes are mostly the numbers of trees, 0 0 0 ... 1 1 1, and of their nodes,
//! 0 1 2 ..., which stand on a line, or small numbers. So each block is stored in its own way.

use std::collections::VecDeque;

/// Values of a block.
const BLOCK: usize = 256;

/// A list of integers, which can be given back from its beginning on.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Ints {
    /// Blocks that are no more.
    gone: usize,
    full: VecDeque<Block>,
    /// The last values, fewer than a block.
    last: Vec<i64>,
}

#[derive(Debug, Clone, PartialEq)]
enum Block {
    /// `first + step * place`
    Line {
        first: i64,
        step: i64,
    },
    /// What is added to the least value.
    Bytes(i64, Box<[u8; BLOCK]>),
    Shorts(i64, Box<[u16; BLOCK]>),
    Long(Box<[i64; BLOCK]>),
}

impl Block {
    fn of(values: &[i64; BLOCK]) -> Self {
        let (first, step) = (values[0], values[1].wrapping_sub(values[0]));
        let on_line = values
            .windows(2)
            .all(|two| two[1].wrapping_sub(two[0]) == step);
        if on_line {
            return Block::Line { first, step };
        }
        let least = values.iter().copied().min().unwrap_or_default();
        let above = |value: i64| value.wrapping_sub(least) as u64;
        let most = values
            .iter()
            .map(|value| above(*value))
            .max()
            .unwrap_or_default();
        if most <= u8::MAX.into() {
            Block::Bytes(least, Box::new(values.map(|value| above(value) as u8)))
        } else if most <= u16::MAX.into() {
            Block::Shorts(least, Box::new(values.map(|value| above(value) as u16)))
        } else {
            Block::Long(Box::new(*values))
        }
    }

    fn at(&self, place: usize) -> i64 {
        match self {
            Block::Line { first, step } => first.wrapping_add(step.wrapping_mul(place as i64)),
            Block::Bytes(least, above) => least.wrapping_add(above[place].into()),
            Block::Shorts(least, above) => least.wrapping_add(above[place].into()),
            Block::Long(values) => values[place],
        }
    }
}

impl Ints {
    pub fn push(&mut self, value: i64) {
        self.last.push(value);
        if let Some(block) = self.last.first_chunk() {
            self.full.push_back(Block::of(block));
            self.last.clear();
        }
    }

    pub fn len(&self) -> usize {
        (self.gone + self.full.len()) * BLOCK + self.last.len()
    }

    pub fn get(&self, index: usize) -> Option<i64> {
        (index < self.len()).then(|| self.at(index))
    }

    /// The value at `index`, which there is.
    pub fn at(&self, index: usize) -> i64 {
        let block = index / BLOCK - self.gone;
        match self.full.get(block) {
            Some(block) => block.at(index % BLOCK),
            None => self.last[index - (self.gone + self.full.len()) * BLOCK],
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = i64> {
        (0..self.len()).map(|index| self.at(index))
    }

    pub fn into_vec(self) -> Vec<i64> {
        if self.full.is_empty() {
            return self.last;
        }
        self.iter().collect()
    }

    /// Gives back the values before `end`, or most of them. Nobody asks for them any more.
    pub fn forget(&mut self, end: usize) {
        while self.gone < end / BLOCK && self.full.pop_front().is_some() {
            self.gone += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_held() {
        let lists: [fn(i64) -> i64; 8] = [
            |_| 7,
            |i| i - 300,
            |i| i % 255 - 3,
            |i| i % 2047,
            |i| i * i,
            |i| [i64::MIN, i64::MAX, 0][i as usize % 3],
            |i| i.wrapping_mul(0x5851_F42D_4C95_7F2D),
            |i| if i == 511 { i64::MIN } else { i64::MAX - i },
        ];
        for (which, list) in lists.iter().enumerate() {
            for len in [0, 1, 255, 256, 257, 1000] {
                let values: Vec<i64> = (0..len).map(list).collect();
                let mut ints = Ints::default();
                values.iter().for_each(|value| ints.push(*value));
                assert_eq!(ints.len(), values.len(), "list {which}");
                assert_eq!(ints.iter().collect::<Vec<_>>(), values, "list {which}");
                assert_eq!(ints.get(values.len()), None, "list {which}");
                assert_eq!(ints.clone().into_vec(), values, "list {which}");
                for end in 0..values.len() {
                    ints.forget(end);
                    let left = (end..values.len()).map(|index| ints.at(index));
                    assert!(
                        left.eq(values[end..].iter().copied()),
                        "list {which}, {end}"
                    );
                    assert_eq!(ints.len(), values.len(), "list {which}");
                }
            }
        }
    }
}
