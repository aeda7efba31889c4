//! Which key groups of a dimension are held, or wanted.

use std::ops::Range;

/// A set of key groups out of `max_parallelism`. A dimension that is not sharded is one group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Groups {
    members: Box<[bool]>,
}

impl Groups {
    /// The one group of a dimension that is not sharded.
    pub fn whole() -> Groups {
        Groups::range(1, 0..1)
    }

    /// The groups `range` of `max_parallelism`; what lies beyond that is left out.
    pub fn range(max_parallelism: u32, range: Range<u32>) -> Groups {
        let members = (0..max_parallelism).map(|group| range.contains(&group));
        Groups {
            members: members.collect(),
        }
    }

    /// How many groups there are, members or not.
    pub fn max_parallelism(&self) -> u32 {
        self.members.len() as u32
    }

    /// How many are members.
    pub fn count(&self) -> usize {
        self.members.iter().filter(|member| **member).count()
    }

    /// Whether none is a member.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Whether all are members.
    pub fn is_whole(&self) -> bool {
        self.count() == self.members.len()
    }

    /// Whether a group is a member.
    pub fn contains(&self, group: u32) -> bool {
        self.members
            .get(group as usize)
            .is_some_and(|member| *member)
    }

    /// The members, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        (0..self.max_parallelism()).filter(|group| self.contains(*group))
    }

    /// Whether all members of `other` are members.
    pub fn covers(&self, other: &Groups) -> bool {
        other.minus(self).is_empty()
    }

    /// The members that are none of `other`.
    pub fn minus(&self, other: &Groups) -> Groups {
        let members = self
            .iter_all()
            .map(|group| self.contains(group) && !other.contains(group));
        Groups {
            members: members.collect(),
        }
    }

    /// The members of both.
    pub fn plus(&self, other: &Groups) -> Groups {
        let members = self
            .iter_all()
            .map(|group| self.contains(group) || other.contains(group));
        Groups {
            members: members.collect(),
        }
    }

    fn iter_all(&self) -> Range<u32> {
        0..self.max_parallelism()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_sets() {
        let (low, high) = (Groups::range(4, 0..2), Groups::range(4, 1..9));
        assert_eq!(high.iter().collect::<Vec<_>>(), [1, 2, 3]);
        assert!(low.plus(&high).is_whole());
        assert_eq!(low.minus(&high).iter().collect::<Vec<_>>(), [0]);
        assert!(!low.covers(&high) && low.plus(&high).covers(&high));
        assert!(low.minus(&low).is_empty());
        assert!(Groups::whole().is_whole());
    }
}
