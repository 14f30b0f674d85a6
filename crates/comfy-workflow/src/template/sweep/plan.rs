use std::borrow::Cow;

use super::range::Range;
use super::rows::Rows;
use crate::template::Given;

/// What a sweep goes through.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Plan {
    Axis(Axis),
    Rows(Rows),
    /// Every combination; the last changes fastest.
    Product(Vec<Self>),
    /// Side by side; all have the same count.
    Zip(Vec<Self>),
}

/// The values of one key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub(super) key: String,
    pub(super) items: Vec<Item>,
    /// How many values there are up to the end of each item.
    ends: Vec<u128>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    One(Given),
    Range(Range),
}

/// A value at one place of a sweep.
#[derive(Debug)]
pub(super) struct Cell<'p> {
    /// The place of its key among all keys of the plan.
    pub(super) key: usize,
    /// The place of the value among those of its key, from 0.
    pub(super) position: u128,
    pub(super) given: Cow<'p, Given>,
}

impl Axis {
    pub(super) fn new(key: String, items: Vec<Item>) -> Self {
        let counts = items.iter().map(Item::count);
        let ends = counts.scan(0_u128, |end, count| {
            *end = end.saturating_add(count);
            Some(*end)
        });
        let ends = ends.collect();
        Self { key, items, ends }
    }

    pub(super) fn count(&self) -> u128 {
        self.ends.last().copied().unwrap_or(0)
    }

    pub(super) fn at(&self, index: u128) -> Option<Cow<'_, Given>> {
        let place = self.ends.partition_point(|end| *end <= index);
        match self.items.get(place)? {
            Item::One(given) => Some(Cow::Borrowed(given)),
            Item::Range(range) => {
                let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
                Some(Cow::Owned(Given::Text(range.at(index - start))))
            }
        }
    }
}

impl Item {
    fn count(&self) -> u128 {
        match self {
            Self::One(_) => 1,
            Self::Range(range) => range.count(),
        }
    }
}

impl Plan {
    pub(super) fn count(&self) -> u128 {
        match self {
            Self::Axis(axis) => axis.count(),
            Self::Rows(rows) => rows.rows.len() as u128,
            Self::Product(plans) => plans.iter().map(Self::count).fold(1, u128::saturating_mul),
            Self::Zip(plans) => plans.first().map_or(0, Self::count),
        }
    }

    pub(super) fn keys(&self) -> Vec<&str> {
        match self {
            Self::Axis(axis) => vec![axis.key.as_str()],
            Self::Rows(rows) => rows.columns.iter().map(String::as_str).collect(),
            Self::Product(plans) | Self::Zip(plans) => plans.iter().flat_map(Self::keys).collect(),
        }
    }

    /// Adds the values at `index`, which is less than the count, to `cells`. `key` is the place of the first key of this
    /// plan; gives back that of the first one behind it.
    pub(super) fn at<'p>(&'p self, index: u128, key: usize, cells: &mut Vec<Cell<'p>>) -> usize {
        match self {
            Self::Axis(axis) => {
                let given = axis.at(index);
                cells.extend(given.map(|given| Cell { key, position: index, given }));
                key + 1
            }
            Self::Rows(rows) => {
                let row = usize::try_from(index).ok().and_then(|index| rows.rows.get(index));
                for (column, given) in row.into_iter().flat_map(|row| &row.cells) {
                    cells.push(Cell { key: key + column, position: index, given: Cow::Borrowed(given) });
                }
                key + rows.columns.len()
            }
            Self::Zip(plans) => plans.iter().fold(key, |key, plan| plan.at(index, key, cells)),
            Self::Product(plans) => {
                let mut key = key;
                for (place, plan) in plans.iter().enumerate() {
                    let inner = plans[place + 1..].iter().map(Self::count).fold(1, u128::saturating_mul);
                    let own = index.checked_div(inner).unwrap_or(0);
                    key = plan.at(own.checked_rem(plan.count()).unwrap_or(0), key, cells);
                }
                key
            }
        }
    }
}
