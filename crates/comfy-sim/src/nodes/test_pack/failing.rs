//! Nodes that fail.

use std::time::Duration;

use super::PROBE_PACK;
use crate::nodes::{Context, Inputs, NodeError, Ran, Sleep};

/// ProbeRaise: each kind of exception.
pub(super) fn raise(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    Err(match inputs.text("kind")? {
        "OOM" => NodeError::out_of_device_memory(
            "Allocation on device demo_probe would exceed allowed memory. (out of memory)",
        ),
        "KeyError" => NodeError::new("KeyError", "'missing key'"),
        "RuntimeError" => {
            NodeError::runtime_error("mat1 and mat2 shapes cannot be multiplied (77x768 and 2048x320)")
        }
        "empty" => NodeError::runtime_error(""),
        "unicode" => NodeError::value_error("ошибка “ünïcode” 画像 💥"),
        "multiline" => NodeError::value_error("line one\nline two\n\ttabbed"),
        "TypeError" => NodeError::type_error("object of type 'int' has no len()"),
        "custom" => NodeError::new(format!("{PROBE_PACK}.ProbeRaise.go.<locals>.FarmError"), "{'a': 1}"),
        _ => NodeError::value_error("demo_probe says no"),
    })
}

fn wait(inputs: &Inputs, name: &str, context: &Context<'_>) -> Result<(), NodeError> {
    let time = Duration::try_from_secs_f64(inputs.float(name)?.max(0.0)).unwrap_or(Duration::MAX);
    context.stage.sleep(time, Sleep::Deep)
}

/// TestAsyncError: fails after a while.
pub(super) fn async_error(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    wait(inputs, "error_after", context)?;
    Err(NodeError::runtime_error("Intentional async execution error for testing"))
}

/// TestSyncError: fails at once.
pub(super) fn sync_error(_: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    Err(NodeError::runtime_error("Intentional sync execution error for testing"))
}

/// TestAsyncTimeout: fails when the work takes longer than it may.
pub(super) fn async_timeout(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let (most, needed) = (inputs.float("timeout")?, inputs.float("operation_time")?);
    if needed > most {
        wait(inputs, "timeout", context)?;
        return Err(NodeError::runtime_error(format!(
            "Operation timed out after {} seconds",
            crate::python::float_text(most)
        )));
    }
    wait(inputs, "operation_time", context)?;
    Ok(Ran::output(inputs.value("value")?.clone()))
}
