use std::iter::FusedIterator;

use serde_json::{Map, Value};

use super::label::{clean, label};
use super::plan::{Axis, Cell, Item, Plan};
use crate::schema::Schemas;
use crate::select::nearest;
use crate::template::bind::{Ground, Slot};
use crate::template::parameter::Parameter;
use crate::template::problem::{Problem, ProblemKind};
use crate::template::{Given, Template, Values, overlaps, overwritten};
use crate::{Error, ErrorKind, Workflow};

/// Most problems that are looked for.
const PROBLEMS: usize = 1000;

/// One workflow of a sweep.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Variant {
    /// The workflow with the values of this place.
    pub workflow: Workflow,
    /// What tells it from the others: `seed=1,cfg=6.5`. It is fit for a name of a file: letters, digits and `.,=_+-~`, at most 175
    /// bytes. Values that would not fit are shortened and numbered: `text=a-red-fox~2`.
    pub label: String,
    /// The values by their keys, in the types in which they were set.
    pub values: Map<String, Value>,
    /// Its place in the sweep, from 0.
    pub index: usize,
}

/// The workflows of a [`Sweep`](super::Sweep), made one by one. Any of them can be made by itself with [`get`](Self::get), and
/// skipping costs nothing.
#[derive(Debug, Clone)]
pub struct Variants<'a> {
    plan: Plan,
    base: Base<'a>,
    keys: Vec<Key>,
    next: usize,
    count: usize,
}

/// What the values are put into.
#[derive(Debug, Clone)]
enum Base<'a> {
    Workflow(&'a Workflow),
    /// With the values of the parameters that stay.
    Template(&'a Template, Vec<Option<Value>>),
}

/// A key of the plan.
#[derive(Debug, Clone)]
struct Key {
    name: String,
    /// How labels call it.
    label: String,
    slot: Slot,
    /// The place of the parameter of the template that it is, if it is no selector.
    parameter: Option<usize>,
}

impl<'a> Variants<'a> {
    pub(super) fn of_workflow(plan: Plan, workflow: &'a Workflow, schemas: &Schemas) -> Result<Self, Error> {
        let mut problems = Vec::new();
        let ground = Ground { workflow, schemas, placeholders: &[] };
        let names = plan.keys().into_iter();
        let slots: Vec<Slot> = names.map(|key| Slot::of_selector(key, ground, &mut problems)).collect();
        overlaps(workflow, &slots, &mut problems);
        let slots = slots.into_iter().map(|slot| (slot, None)).collect();
        Self::new(plan, Base::Workflow(workflow), slots, problems)
    }

    pub(super) fn of_template(
        plan: Plan,
        template: &'a Template,
        values: &Values,
        schemas: &Schemas,
    ) -> Result<Self, Error> {
        let keys = plan.keys();
        let fixed = template.values_of(values, &|name| keys.contains(&name))?;
        let mut problems = Vec::new();
        let ground = Ground { workflow: &template.workflow, schemas, placeholders: &[] };
        let place = |key: &str| template.parameters().position(|parameter| parameter.name() == key);
        let mut setting = template.slots.clone();
        let mut slots = Vec::with_capacity(keys.len());
        for (index, key) in keys.iter().enumerate() {
            if let Some(place) = place(key) {
                if keys[..index].contains(key) {
                    problems.push(Problem::of(ProblemKind::Conflict, key, " is swept twice"));
                }
                slots.extend(template.slots.get(place).map(|slot| (slot.clone(), Some(place))));
            } else if key.contains('.') {
                let slot = Slot::of_selector(key, ground, &mut problems);
                overwritten(&template.workflow, &slot, &template.places, &mut problems);
                setting.push(slot.clone());
                slots.push((slot, None));
            } else {
                let hint = nearest(key, template.parameters().map(Parameter::name));
                problems.push(Problem::of(ProblemKind::Unknown, key, format!(" is not declared{hint}")));
            }
        }
        overlaps(&template.workflow, &setting, &mut problems);
        Self::new(plan, Base::Template(template, fixed), slots, problems)
    }

    /// Looks at all values of the plan. `slots` has one for each of its keys, unless there are problems already.
    fn new(
        plan: Plan,
        base: Base<'a>,
        slots: Vec<(Slot, Option<usize>)>,
        mut problems: Vec<Problem>,
    ) -> Result<Self, Error> {
        let count = usize::try_from(plan.count()).ok();
        if count.is_none() {
            let message =
                format!("the sweep makes {} workflows, more than can be counted through", plan.count());
            problems.push(Problem::new(ProblemKind::Conflict, message));
        }
        let mut made = Self { plan, base, keys: Vec::new(), next: 0, count: count.unwrap_or(0) };
        if problems.is_empty() {
            made.keys = keys(&made.plan, slots);
            made.check(&made.plan, 0, &mut problems);
        }
        if problems.is_empty() { Ok(made) } else { Err(Error::of_problems(ErrorKind::Sweep, problems)) }
    }

    /// Looks for values that do not fit. `first` is the place of the first key of `plan`; gives back that behind its last.
    fn check(&self, plan: &Plan, first: usize, problems: &mut Vec<Problem>) -> usize {
        match plan {
            Plan::Axis(axis) => {
                self.check_axis(axis, first, problems);
                first + 1
            }
            Plan::Rows(rows) => {
                let required: Vec<usize> =
                    (0..rows.columns.len()).filter(|column| self.is_required(first + column)).collect();
                for (index, row) in rows.rows.iter().enumerate() {
                    let missing = required
                        .iter()
                        .filter(|column| row.cells.iter().all(|(other, _)| other != *column))
                        .filter_map(|column| self.misfit(first + column, &Given::Json(Value::Null)));
                    let misfits =
                        row.cells.iter().filter_map(|(column, given)| self.misfit(first + column, given));
                    let found = missing.chain(misfits).take(PROBLEMS.saturating_sub(problems.len()));
                    let found: Vec<Problem> =
                        found.map(|problem| problem.in_row(index + 1, row.line)).collect();
                    problems.extend(found);
                }
                first + rows.columns.len()
            }
            Plan::Product(plans) | Plan::Zip(plans) => {
                plans.iter().fold(first, |first, plan| self.check(plan, first, problems))
            }
        }
    }

    fn check_axis(&self, axis: &Axis, key: usize, problems: &mut Vec<Problem>) {
        for item in &axis.items {
            let misfit = match item {
                Item::One(given) => self.misfit(key, given),
                Item::Range(range) => {
                    let at = |index| self.misfit(key, &Given::Text(range.at(index)));
                    let is_listed =
                        self.keys.get(key).is_some_and(|key| !key.slot.parameter.choices().is_empty());
                    let last = range.count() - 1;
                    if is_listed {
                        // A list has an end, so that this has one too.
                        (0..=last).find_map(at)
                    } else {
                        // All numbers of a range are written alike, and lie between its ends.
                        at(0).or_else(|| at(last)).or_else(|| at(last.min(1)))
                    }
                }
            };
            if problems.len() < PROBLEMS {
                problems.extend(misfit);
            }
        }
    }

    fn is_required(&self, key: usize) -> bool {
        self.keys.get(key).is_some_and(Key::is_required)
    }

    fn misfit(&self, key: usize, given: &Given) -> Option<Problem> {
        let key = self.keys.get(key)?;
        if given.is_null() {
            return key.is_required().then(|| key.slot.parameter.missing());
        }
        let reason = key.slot.parameter.take(given).err()?;
        Some(Problem::of(ProblemKind::InvalidValue, &key.name, reason))
    }

    /// The variant at this place, from 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Variant> {
        if index >= self.count {
            return None;
        }
        let mut cells = Vec::with_capacity(self.keys.len());
        self.plan.at(index as u128, 0, &mut cells);
        let value = |cell: &Cell<'_>| {
            let given = Some(&*cell.given).filter(|given| !given.is_null())?;
            // All values were looked at when the sweep was started.
            self.keys.get(cell.key)?.slot.parameter.take(given).ok()
        };
        let taken: Vec<(&Cell<'_>, Option<Value>)> = cells.iter().map(|cell| (cell, value(cell))).collect();
        let parts = taken.iter().filter_map(|(cell, value)| {
            Some((self.keys.get(cell.key)?.label.as_str(), value.as_ref(), cell.position))
        });
        let label = label(parts, index);
        let values = taken.into_iter().filter_map(|(cell, value)| Some((self.keys.get(cell.key)?, value?)));
        let values: Vec<(&Key, Value)> = values.collect();
        let workflow = self.workflow(&values);
        let values = values.into_iter().map(|(key, value)| (key.name.clone(), value)).collect();
        Some(Variant { workflow, label, values, index })
    }

    fn workflow(&self, values: &[(&Key, Value)]) -> Workflow {
        let mut workflow = match &self.base {
            Base::Workflow(workflow) => (*workflow).clone(),
            Base::Template(template, fixed) => {
                let mut all = fixed.clone();
                for (key, value) in values {
                    if let Some(place) = key.parameter.and_then(|place| all.get_mut(place)) {
                        *place = Some(value.clone());
                    }
                }
                template.filled(&all)
            }
        };
        for (key, value) in values.iter().filter(|(key, _)| key.parameter.is_none()) {
            for target in &key.slot.targets {
                workflow.put(target, value.clone());
            }
        }
        workflow
    }
}

impl Key {
    /// Whether it is a parameter of the template without which that cannot be filled.
    fn is_required(&self) -> bool {
        self.parameter.is_some() && self.slot.parameter.is_required()
    }
}

/// The keys with short names for labels: that of the parameter or the input, and the whole selector where two are the same.
fn keys(plan: &Plan, slots: Vec<(Slot, Option<usize>)>) -> Vec<Key> {
    let names = plan.keys();
    let short: Vec<String> = names
        .iter()
        .zip(&slots)
        .map(|(name, (slot, parameter))| match slot.targets.first() {
            Some(target) if parameter.is_none() => clean(&target.input).0,
            _ => (*name).to_owned(),
        })
        .collect();
    let is_ambiguous = |label: &String| short.iter().filter(|other| *other == label).count() > 1;
    let keys = names.into_iter().zip(slots).zip(&short).map(|((name, (slot, parameter)), label)| {
        let label = if is_ambiguous(label) { clean(name).0 } else { label.clone() };
        Key { name: name.to_owned(), label, slot, parameter }
    });
    keys.collect()
}

impl Iterator for Variants<'_> {
    type Item = Variant;

    fn next(&mut self) -> Option<Variant> {
        self.nth(0)
    }

    fn nth(&mut self, skip: usize) -> Option<Variant> {
        let index = self.next.saturating_add(skip);
        self.next = index.saturating_add(1).min(self.count);
        self.get(index)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.count - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Variants<'_> {}

impl FusedIterator for Variants<'_> {}
