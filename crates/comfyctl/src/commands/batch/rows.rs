//! The rows of a sweep, made one by one.

use std::collections::HashSet;
use std::sync::Arc;

use comfy_api_client::Workflow;
use comfy_api_client::batch::Row;
use comfy_api_client::workflow::schema::Schemas;
use comfy_api_client::workflow::template::{Sweep, Template, Variants};
use comfy_api_client::workflow::{NodeId, Target};
use serde_json::{Map, Value, json};

use super::plan::Plan;
use crate::args::{Run, Seeds};
use crate::commands::run::prepare::Base;
use crate::commands::template_file;
use crate::failure::Failure;

/// The rows of a batch.
pub(super) struct Rows<'a> {
    variants: Variants<'a>,
    seeds: Option<RandomSeeds>,
}

/// Noise seeds that are drawn for every row.
struct RandomSeeds {
    chance: u64,
    schemas: Arc<Schemas>,
    /// Inputs that are set otherwise.
    fixed: HashSet<(NodeId, String)>,
}

/// A row that was made.
pub(super) struct Made {
    pub(super) workflow: Workflow,
    pub(super) label: String,
    pub(super) values: Map<String, Value>,
    /// Seeds that were drawn, by their inputs.
    pub(super) seeds: Map<String, Value>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(
        sweep: Sweep,
        base: &'a Base,
        args: &Run,
        plan: &Plan,
        schemas: &Arc<Schemas>,
    ) -> Result<Self, Failure> {
        let seeds = match args.given.seed {
            Seeds::Random => Some(RandomSeeds {
                chance: plan.chance,
                schemas: Arc::clone(schemas),
                fixed: fixed(&sweep, base, args)?,
            }),
            _ => None,
        };
        let variants = match base {
            Base::Workflow(workflow) => sweep.variants(workflow, schemas),
            Base::Template(template) => {
                sweep.variants_of(template, template_file::values(&args.given.param)?, schemas)
            }
        };
        let rows = Self { variants: variants.map_err(|error| Failure::from(error).into_usage())?, seeds };
        if rows.len() == 0 {
            return Err(Failure::usage("usage", "there are no rows to run")
                .with_hint("give values with `--sweep`, or rows with `--params`"));
        }
        Ok(rows)
    }

    pub(super) fn len(&self) -> usize {
        self.variants.len()
    }

    /// The row at a place, for the library.
    pub(super) fn row<'b>(&'b self, index: usize) -> Row<'b> {
        Row::later(index.to_string(), move || async move {
            let Some(Made { workflow, label, values, seeds }) = self.make(index)? else {
                return Ok(Row::new(index.to_string(), Workflow::default()));
            };
            let row = Row::new(index.to_string(), workflow).with_label(label).with_values(values);
            let extra =
                if seeds.is_empty() { Map::new() } else { Map::from_iter([("seeds".into(), json!(seeds))]) };
            Ok(row.with_extra(extra))
        })
    }

    /// Makes the row at a place, if there is one: the same one every time.
    pub(super) fn make(&self, index: usize) -> comfy_api_client::Result<Option<Made>> {
        let Some(variant) = self.variants.get(index) else { return Ok(None) };
        let (mut workflow, mut drawn) = (variant.workflow, Map::new());
        if let Some(seeds) = &self.seeds {
            // One number for each row, far from those of the others.
            let start = seeds.chance ^ (index as u64).wrapping_add(1).wrapping_mul(0xD134_2543_DE82_EF95);
            let changes = workflow.clone().randomize_noise_seeds(start, &seeds.schemas);
            for change in changes {
                if seeds.fixed.contains(&(change.node.clone(), change.input.clone())) {
                    continue;
                }
                let selector = format!("{}.{}", change.node, change.input);
                workflow.set(&selector, change.new.clone())?;
                drawn.insert(selector, change.new);
            }
        }
        Ok(Some(Made { workflow, label: variant.label, values: variant.values, seeds: drawn }))
    }
}

/// The inputs that `--set`, the sweep and the parameters of the template set.
fn fixed(sweep: &Sweep, base: &Base, args: &Run) -> Result<HashSet<(NodeId, String)>, Failure> {
    let workflow = super::base_workflow(base);
    let mut targets: Vec<Target> = Vec::new();
    for text in &args.given.set {
        let assignment = crate::commands::assignment::Assignment::parse(text)?;
        targets.extend(assignment.targets(workflow)?);
    }
    // Keys that miss are told of when the sweep is checked.
    targets.extend(sweep.keys().filter_map(|key| workflow.select(key).ok()).flatten());
    if let Base::Template(template) = base {
        targets.extend(of_parameters(template));
    }
    Ok(targets.into_iter().map(|target| (target.node, target.input)).collect())
}

fn of_parameters(template: &Template) -> Vec<Target> {
    let workflow = template.workflow();
    let inputs = template.parameters().flat_map(|parameter| parameter.inputs());
    let mut targets: Vec<Target> = inputs.filter_map(|input| workflow.select(input).ok()).flatten().collect();
    // Texts with placeholders become numbers.
    for (id, node) in workflow.nodes() {
        let texts = node.inputs.iter().filter(|(_, value)| value.is_string());
        let selected = texts.filter_map(|(input, _)| workflow.select(&format!("{id}.{input}")).ok());
        targets.extend(selected.flatten());
    }
    targets
}
