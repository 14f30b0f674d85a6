//! Which run goes where on a contact sheet.

use std::collections::HashMap;

use super::super::Row;
use super::super::axes::{Axes, Axis};

/// Beyond this many columns the shorter of two axes is across.
const MOST_COLUMNS: usize = 12;

/// Names and values to be written, each on its own line.
pub(super) type Label = Vec<(Option<String>, String)>;

/// The cells of a sheet.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) columns: usize,
    pub(super) lines: usize,
    pub(super) cells: Vec<Cell>,
    /// What is written above all.
    pub(super) name_across: Option<String>,
    /// What is written above the heads of the lines.
    pub(super) name_down: Option<String>,
    /// A head for each column, or none at all.
    pub(super) heads_across: Vec<Label>,
    /// A head for each line, or none at all.
    pub(super) heads_down: Vec<Label>,
}

/// What is shown in one place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) column: usize,
    pub(super) line: usize,
    /// Those of the runs: more than one if they do not differ.
    pub(super) rows: Vec<usize>,
    /// What is written below, where there are no heads.
    pub(super) caption: Label,
}

impl Plan {
    pub(super) fn of(rows: &[Row], axes: &Axes) -> Self {
        match axes.axes.len() {
            0 | 1 => Self::one_by_one(rows, axes),
            _ => Self::table(axes).unwrap_or_else(|| Self::one_by_one(rows, axes)),
        }
    }

    /// One axis, or the last of several, is across; the others are down. Where that would be more empty than full,
    /// as with values that all differ from run to run, there is no table.
    fn table(axes: &Axes) -> Option<Self> {
        let (last, others) = axes.axes.split_last()?;
        let transposed = match others {
            [first] => last.values.len() > MOST_COLUMNS && first.values.len() < last.values.len(),
            _ => false,
        };
        let (across, down): (&Axis, Vec<&Axis>) =
            if transposed { (&others[0], vec![last]) } else { (last, others.iter().collect()) };
        let mut lines: Vec<Vec<usize>> = Vec::new();
        let mut known: HashMap<Vec<usize>, usize> = HashMap::new();
        let mut cells: HashMap<(usize, usize), Vec<usize>> = HashMap::new();
        for (row, places) in axes.places.iter().enumerate() {
            let (last, others) = places.split_last()?;
            let (column, line) = if transposed { (others[0], vec![*last]) } else { (*last, others.to_vec()) };
            let line = *known.entry(line.clone()).or_insert_with(|| {
                lines.push(line);
                lines.len() - 1
            });
            cells.entry((line, column)).or_default().push(row);
        }
        if cells.len() * 2 <= lines.len() * across.values.len() {
            return None;
        }
        let mut cells: Vec<Cell> = cells
            .into_iter()
            .map(|((line, column), rows)| Cell { column, line, rows, caption: Label::new() })
            .collect();
        cells.sort_by_key(|cell| (cell.line, cell.column));
        let alone = down.len() == 1;
        let heads_down = lines.iter().map(|places| {
            let values = down.iter().zip(places);
            let label = values
                .map(|(axis, place)| ((!alone).then(|| axis.short.clone()), axis.values[*place].clone()));
            label.collect()
        });
        Some(Self {
            columns: across.values.len(),
            lines: lines.len(),
            cells,
            name_across: Some(across.name.clone()),
            name_down: alone.then(|| down[0].name.clone()),
            heads_across: across.values.iter().map(|value| vec![(None, value.clone())]).collect(),
            heads_down: heads_down.collect(),
        })
    }

    /// In the order of the runs, like words on a page.
    fn one_by_one(rows: &[Row], axes: &Axes) -> Self {
        let alone = axes.axes.len() == 1;
        let mut cells: Vec<Cell> = Vec::new();
        for (row, content) in rows.iter().enumerate() {
            let mut caption: Label = axes
                .of_row(row)
                .map(|(axis, value)| ((!alone).then(|| axis.short.clone()), value.to_owned()))
                .collect();
            if caption.is_empty() && !content.label.is_empty() {
                caption.push((None, content.label.clone()));
            }
            cells.push(Cell { column: 0, line: 0, rows: vec![row], caption });
        }
        let columns = columns_for(cells.len());
        for (place, cell) in cells.iter_mut().enumerate() {
            (cell.column, cell.line) = (place % columns, place / columns);
        }
        Self {
            columns,
            lines: cells.len().div_ceil(columns),
            cells,
            name_across: alone.then(|| axes.axes[0].name.clone()),
            name_down: None,
            heads_across: Vec::new(),
            heads_down: Vec::new(),
        }
    }
}

/// Columns that make a sheet somewhat wider than high, with few places left over.
fn columns_for(cells: usize) -> usize {
    if cells <= 4 {
        return cells.max(1);
    }
    let root = (cells as f64).sqrt();
    let wanted = (cells as f64 * 1.5).sqrt();
    let empty = |columns: usize| columns * cells.div_ceil(columns) - cells;
    let candidates = (root.floor() as usize)..=((root * 1.7) as usize);
    let off = |columns: usize| ((columns as f64 - wanted).abs() * 10.0) as usize;
    candidates.min_by_key(|columns| (empty(*columns), off(*columns))).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::tests::row;
    use super::*;

    fn plan(rows: &[&[(&str, Value)]]) -> Plan {
        let rows: Vec<Row> = rows.iter().map(|values| row(values)).collect();
        Plan::of(&rows, &Axes::of(&rows))
    }

    fn sweep(names: &[&str], lengths: &[usize]) -> Plan {
        let mut rows: Vec<Vec<(&str, Value)>> = vec![Vec::new()];
        for (name, length) in names.iter().zip(lengths) {
            let longer = rows.iter().flat_map(|row| {
                (0..*length).map(move |value| row.iter().cloned().chain([(*name, json!(value))]).collect())
            });
            rows = longer.collect();
        }
        plan(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    #[test]
    fn one_axis_goes_on_from_line_to_line() {
        let plan = sweep(&["KSampler.seed"], &[8]);
        assert_eq!((plan.columns, plan.lines), (4, 2));
        assert_eq!(plan.name_across.as_deref(), Some("KSampler.seed"));
        assert_eq!(plan.cells[5].caption, [(None, "5".to_owned())]);
        assert_eq!((plan.cells[5].column, plan.cells[5].line), (1, 1));
        assert!(plan.heads_across.is_empty());
    }

    #[test]
    fn of_two_axes_the_last_is_across() {
        let plan = sweep(&["K.cfg", "K.seed"], &[2, 3]);
        assert_eq!((plan.columns, plan.lines), (3, 2));
        assert_eq!((plan.name_across.as_deref(), plan.name_down.as_deref()), (Some("K.seed"), Some("K.cfg")));
        assert_eq!(plan.heads_down[1], [(None, "1".to_owned())]);
        assert_eq!(plan.cells[4], Cell { column: 1, line: 1, rows: vec![4], caption: Label::new() });
    }

    #[test]
    fn a_long_axis_goes_down() {
        let plan = sweep(&["K.cfg", "K.seed"], &[3, 40]);
        assert_eq!((plan.columns, plan.lines), (3, 40));
        assert_eq!(plan.name_across.as_deref(), Some("K.cfg"));
        assert_eq!(
            plan.cells.iter().find(|cell| cell.rows == [41]).map(|cell| (cell.column, cell.line)),
            Some((1, 1))
        );
    }

    #[test]
    fn of_three_axes_two_are_down_together() {
        let plan = sweep(&["a.x", "b.y", "c.z"], &[2, 2, 3]);
        assert_eq!((plan.columns, plan.lines), (3, 4));
        let name = |name: &str, value: &str| (Some(name.to_owned()), value.to_owned());
        assert_eq!(plan.heads_down[2], [name("x", "1"), name("y", "0")]);
        assert_eq!(plan.name_down, None);
    }

    #[test]
    fn values_that_all_differ_make_no_table() {
        let rows =
            ["a", "b", "c", "d", "e"].map(|text| [("1.text", json!(text)), ("2.seed", json!(text.len()))]);
        let mut rows: Vec<Vec<(&str, Value)>> = rows.iter().map(|row| row.to_vec()).collect();
        for (place, row) in rows.iter_mut().enumerate() {
            row[1].1 = json!(place);
        }
        let plan = plan(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
        assert!(plan.heads_down.is_empty());
        assert_eq!(
            plan.cells[1].caption,
            [(Some("text".to_owned()), "b".to_owned()), (Some("seed".to_owned()), "1".to_owned())]
        );
    }

    #[test]
    fn runs_that_do_not_differ_share_a_place_of_a_table_and_nothing_else() {
        let plan = plan(&[
            &[("a.x", json!(1)), ("a.y", json!(1))],
            &[("a.x", json!(1)), ("a.y", json!(1))],
            &[("a.x", json!(2)), ("a.y", json!(2))],
            &[("a.x", json!(1)), ("a.y", json!(2))],
        ]);
        assert_eq!(plan.cells.len(), 3);
        assert_eq!(plan.cells[0].rows, [0, 1]);
        assert_eq!(self::plan(&[&[], &[]]).cells.len(), 2);
        assert_eq!(self::plan(&[]).lines, 0);
    }

    #[test]
    fn sheets_are_wider_than_high_with_few_places_left_over() {
        let columns: Vec<usize> = [1, 4, 5, 6, 7, 8, 9, 12, 24, 100, 1000].map(columns_for).to_vec();
        assert_eq!(columns, [1, 4, 3, 3, 4, 4, 3, 4, 6, 10, 40]);
    }
}
