//! What differs among the rows of a batch.

use std::collections::HashMap;

use serde_json::Value;

use super::Row;

/// A value that differs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Axis {
    /// As it was asked for, such as `KSampler.cfg`.
    pub(super) name: String,
    /// Without the node where that is clear, such as `cfg`.
    pub(super) short: String,
    /// What it is, in the order in which it came up first.
    pub(super) values: Vec<String>,
}

/// How the rows differ.
#[derive(Debug)]
pub(super) struct Axes {
    pub(super) axes: Vec<Axis>,
    /// For each row the place of its value on each axis.
    pub(super) places: Vec<Vec<usize>>,
    /// The names and values that are the same for all.
    pub(super) same: Vec<(String, String)>,
}

impl Axes {
    pub(super) fn of(rows: &[Row]) -> Self {
        let mut names: Vec<&str> = Vec::new();
        let mut known: HashMap<&str, usize> = HashMap::new();
        for (name, _) in rows.iter().flat_map(|row| &row.values) {
            known.entry(name).or_insert_with(|| {
                names.push(name);
                names.len() - 1
            });
        }
        let mut columns: Vec<Column> = names.iter().map(|_| Column::default()).collect();
        for row in rows {
            let mut values: Vec<Option<&Value>> = vec![None; names.len()];
            for (name, value) in &row.values {
                if let Some(place) = known.get(name.as_str()) {
                    values[*place] = Some(value);
                }
            }
            for (column, value) in columns.iter_mut().zip(values) {
                column.push(value);
            }
        }
        let mut axes = Self { axes: Vec::new(), places: vec![Vec::new(); rows.len()], same: Vec::new() };
        for (name, mut column) in names.iter().zip(columns) {
            if column.values.len() < 2 {
                axes.same.push(((*name).to_owned(), column.values.pop().unwrap_or_default()));
                continue;
            }
            let name = (*name).to_owned();
            axes.axes.push(Axis { short: name.clone(), name, values: column.values });
            for (places, place) in axes.places.iter_mut().zip(column.places) {
                places.push(place);
            }
        }
        axes.shorten();
        axes
    }

    /// The names and values of a row that are not the same for all.
    pub(super) fn of_row(&self, row: usize) -> impl Iterator<Item = (&Axis, &str)> {
        self.axes.iter().zip(&self.places[row]).map(|(axis, place)| (axis, axis.values[*place].as_str()))
    }

    fn shorten(&mut self) {
        let mut seen: HashMap<String, usize> = HashMap::new();
        for axis in &self.axes {
            *seen.entry(input_of(&axis.name).to_owned()).or_default() += 1;
        }
        for axis in &mut self.axes {
            let short = input_of(&axis.name);
            if seen.get(short) == Some(&1) {
                axis.short = short.to_owned();
            }
        }
    }
}

/// The values of one name over all rows.
#[derive(Debug, Default)]
struct Column {
    values: Vec<String>,
    places: Vec<usize>,
    known: HashMap<String, usize>,
}

impl Column {
    fn push(&mut self, value: Option<&Value>) {
        // A text and a number that look alike are two values.
        let key = value.map(Value::to_string).unwrap_or_default();
        let place = *self.known.entry(key).or_insert_with(|| {
            self.values.push(value.map_or_else(|| "(as it is)".to_owned(), text_of));
            self.values.len() - 1
        });
        self.places.push(place);
    }
}

/// What of a selector names the input.
fn input_of(name: &str) -> &str {
    // A title in quotes may have dots.
    let rest = match name.strip_prefix('"') {
        Some(title) => title.split_once("\".").map(|(_, input)| input),
        None => name.split_once('.').map(|(_, input)| input),
    };
    rest.filter(|input| !input.is_empty()).unwrap_or(name)
}

/// A value as one writes it.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "(empty)".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::row;
    use super::*;

    #[test]
    fn what_differs_is_an_axis_and_what_does_not_is_the_same() {
        let rows = [
            row(&[("KSampler.seed", json!(1)), ("KSampler.steps", json!(20))]),
            row(&[("KSampler.seed", json!(18_446_744_073_709_551_615_u64)), ("KSampler.steps", json!(20))]),
            row(&[("KSampler.seed", json!(1)), ("KSampler.steps", json!(20))]),
        ];
        let axes = Axes::of(&rows);
        assert_eq!(axes.axes.len(), 1);
        assert_eq!((axes.axes[0].name.as_str(), axes.axes[0].short.as_str()), ("KSampler.seed", "seed"));
        assert_eq!(axes.axes[0].values, ["1", "18446744073709551615"]);
        assert_eq!(axes.places, [[0], [1], [0]]);
        assert_eq!(axes.same, [("KSampler.steps".to_owned(), "20".to_owned())]);
    }

    #[test]
    fn a_row_without_a_value_differs_from_those_with_one() {
        let rows = [row(&[("a.x", json!("1"))]), row(&[]), row(&[("a.x", json!(1))])];
        let axes = Axes::of(&rows);
        assert_eq!(axes.axes[0].values, ["1", "(as it is)", "1"]);
        assert_eq!(axes.of_row(1).next().map(|(_, value)| value), Some("(as it is)"));
    }

    #[test]
    fn names_are_short_only_where_they_stay_apart() {
        let rows = [
            row(&[("1.text", json!("a")), ("2.text", json!("b")), ("\"Size. All\".width", json!(1))]),
            row(&[("1.text", json!("c")), ("2.text", json!("d")), ("\"Size. All\".width", json!(2))]),
        ];
        let axes = Axes::of(&rows);
        let short: Vec<&str> = axes.axes.iter().map(|axis| axis.short.as_str()).collect();
        assert_eq!(short, ["1.text", "2.text", "width"]);
        assert!(Axes::of(&[]).axes.is_empty());
    }
}
