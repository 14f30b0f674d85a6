//! Nodes that only a real server could compute, simulated from their schemas: values flow with their types and shapes,
//! samplers take steps, decoders give pictures that follow from seeds, texts and size and from nothing else.

use std::sync::Arc;
use std::time::Duration;

use comfy_workflow::schema::NodeSchema;

mod caption;
mod files;
mod given;
mod origin;
mod outputs;
mod picture;
mod random;
mod sampler;
mod shape;
mod tensors;
#[cfg(test)]
mod tests;

pub(crate) use origin::{Origin, Origins};

use self::given::Given;
use self::outputs::Maker;
use self::shape::Shape;
use super::{Context, Inputs, NodeError, Ran};

/// What a node finds besides its inputs when parts of its prompt are simulated.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setting {
    /// What stands behind the inputs that are not all computed.
    pub(crate) origins: Origins,
    /// How long a sampler takes for a step.
    pub(crate) step_time: Duration,
    /// Whether samplers send pictures of their progress.
    pub(crate) previews: bool,
}

/// Runs a node of a class that is known by its schema only.
pub(crate) fn run(schema: &NodeSchema, inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    run_sized(schema, inputs, context, &Shape::default())
}

/// The same, with a shape for results whose measures nothing says.
fn run_sized(
    schema: &NodeSchema,
    inputs: &Inputs,
    context: &mut Context<'_>,
    unknown: &Shape,
) -> Result<Ran, NodeError> {
    let given = Given::new(schema, inputs);
    let gives_video = schema.outputs.iter().any(|output| &*output.type_name == "VIDEO");
    let shape = Shape::of(&given, gives_video, unknown);
    let origin = given.origin(&schema.name, &context.setting.origins);
    if sampler::is_sampler(schema) {
        sampler::sample(&given, &shape, &origin, context)?;
    }
    let ui = files::show(schema, &given, &shape, &origin, context)?;
    let mut maker = Maker::new(schema, &given, shape, &origin);
    let outputs = schema.outputs.iter().enumerate();
    let outputs = outputs.map(|(slot, output)| maker.value(slot, output)).collect::<Result<_, _>>()?;
    Ok(Ran { outputs, ui, origin: Some(Arc::new(origin)), ..Ran::default() })
}
