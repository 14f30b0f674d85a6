//! Arithmetic and comparisons.

use serde_json::Value as Json;

use crate::nodes::{Context, Inputs, NodeError, Ran};
use crate::python;
use crate::value::Value;

/// TestIntMathOperation.
pub(super) fn int_math(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let (a, b) = (inputs.int("a")?, inputs.int("b")?);
    let by_zero = || NodeError::new("ZeroDivisionError", "integer division or modulo by zero");
    // Python rounds down, whatever the signs.
    let floored = |a: i64, b: i64| {
        a.checked_div_euclid(b)
            .map(|quotient| if b < 0 && a.rem_euclid(b) != 0 { quotient - 1 } else { quotient })
    };
    let operation = inputs.text("operation")?;
    if operation == "power" && b < 0 {
        return Ok(Ran::output(Json::from((a as f64).powf(b as f64))));
    }
    let result = match operation {
        "add" => a.checked_add(b),
        "subtract" => a.checked_sub(b),
        "multiply" => a.checked_mul(b),
        "divide" if b == 0 => return Err(by_zero()),
        "divide" => floored(a, b),
        "modulo" if b == 0 => return Err(by_zero()),
        "modulo" => floored(a, b).map(|quotient| a - quotient * b),
        _ => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
    };
    let result =
        result.ok_or_else(|| NodeError::new("OverflowError", "the result is too large for the simulator"))?;
    Ok(Ran::output(Json::from(result)))
}

/// TestIntConditions and TestFloatConditions.
pub(super) fn numbers(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let (a, b) = (inputs.float("a")?, inputs.float("b")?);
    let holds = match inputs.text("operation")? {
        "==" => a == b,
        "!=" => a != b,
        "<" => a < b,
        ">" => a > b,
        "<=" => a <= b,
        _ => a >= b,
    };
    Ok(Ran::output(Json::from(holds)))
}

/// TestStringConditions.
pub(super) fn strings(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let (mut a, mut b) = (inputs.text("a")?.to_owned(), inputs.text("b")?.to_owned());
    if !truth(inputs, "case_sensitive") {
        (a, b) = (a.to_lowercase(), b.to_lowercase());
    }
    let holds = match inputs.text("operation")? {
        "a == b" => a == b,
        "a != b" => a != b,
        "a IN b" => b.contains(&a),
        "a BEGINSWITH b" => a.starts_with(&b),
        "a ENDSWITH b" => a.ends_with(&b),
        _ => {
            let failed = |error: fancy_regex::Error| NodeError::new("re.error", error.to_string());
            let pattern = fancy_regex::Regex::new(&format!("^(?:{b})")).map_err(failed)?;
            pattern.is_match(&a).map_err(failed)?
        }
    };
    Ok(Ran::output(Json::from(holds)))
}

fn truth(inputs: &Inputs, name: &str) -> bool {
    match inputs.0.get(name) {
        Some(Value::Json(json)) => python::is_true(json),
        Some(Value::List(values)) => !values.is_empty(),
        Some(_) => true,
        None => false,
    }
}

/// TestToBoolNode.
pub(super) fn to_bool(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    Ok(Ran::output(Json::from(truth(inputs, "value") != truth(inputs, "invert"))))
}

/// TestBoolOperationNode.
pub(super) fn bools(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let (a, b) = (truth(inputs, "a"), truth(inputs, "b"));
    let holds = match inputs.text("op")? {
        "a AND b" => a && b,
        "a OR b" => a || b,
        "a XOR b" => a != b,
        _ => !a,
    };
    Ok(Ran::output(Json::from(holds)))
}
