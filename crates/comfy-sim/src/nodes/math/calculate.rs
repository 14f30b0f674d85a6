//! Computing an expression.

use std::cmp::Ordering;

use super::super::NodeError;
use super::Computed;
use super::parse::Expression;
use crate::python::string_repr;

/// What an expression finds by name.
pub(super) struct Scope<'a> {
    pub(super) source: &'a str,
    pub(super) names: &'a [(&'a str, Computed)],
}

use Computed::{Bool, Float, Int};

/// A number of any kind.
enum Operand {
    Int(i128),
    Float(f64),
}

fn operand(value: &Computed) -> Option<Operand> {
    Some(match value {
        Int(int) => Operand::Int(*int),
        Bool(flag) => Operand::Int((*flag).into()),
        Float(float) => Operand::Float(*float),
        _ => return None,
    })
}

fn float(value: &Computed) -> Option<f64> {
    operand(value).map(|number| match number {
        Operand::Int(int) => int as f64,
        Operand::Float(float) => float,
    })
}

fn too_large() -> NodeError {
    NodeError::new("OverflowError", "the simulator counts whole numbers of 128 bits")
}

fn division(text: &str) -> NodeError {
    NodeError::new("ZeroDivisionError", text)
}

/// The value of an expression.
pub(super) fn evaluate(expression: &Expression, scope: &Scope<'_>) -> Result<Computed, NodeError> {
    let value = |inner: &Expression| evaluate(inner, scope);
    match expression {
        Expression::Constant(constant) => Ok(constant.clone()),
        Expression::Name(name) => named(name, scope),
        Expression::Refused(kind) => Err(NodeError::new(
            "simpleeval.FeatureNotAvailable",
            format!("Sorry, {kind} is not available in this evaluator"),
        )),
        Expression::Attribute(name) => Err(NodeError::new(
            "simpleeval.AttributeDoesNotExist",
            format!("Attribute '{name}' does not exist in expression '{}'", scope.source),
        )),
        Expression::Choice(parts) => {
            let [yes, condition, no] = &**parts;
            if value(condition)?.is_true() { value(yes) } else { value(no) }
        }
        Expression::Unary(sign, inner) => unary(sign, &value(inner)?),
        Expression::Binary("and", left, right) => {
            let left = value(left)?;
            if left.is_true() { value(right) } else { Ok(left) }
        }
        Expression::Binary("or", left, right) => {
            let left = value(left)?;
            if left.is_true() { Ok(left) } else { value(right) }
        }
        Expression::Binary("@", _, _) => Err(NodeError::new(
            "simpleeval.OperatorNotDefined",
            format!("Operator '<ast.MatMult object>' does not exist in expression '{}'", scope.source),
        )),
        Expression::Binary(sign, left, right) => binary(sign, &value(left)?, &value(right)?),
        Expression::Comparison(first, others) => {
            let mut left = value(first)?;
            for (sign, right) in others {
                let right = value(right)?;
                if !compare(sign, &left, &right)? {
                    return Ok(Bool(false));
                }
                left = right;
            }
            Ok(Bool(true))
        }
        Expression::Item(list, index) => match (value(list)?, value(index)?) {
            (Computed::List(items), Int(index)) => {
                let index = if index < 0 { index + items.len() as i128 } else { index };
                let item = usize::try_from(index).ok().and_then(|index| items.get(index).cloned());
                item.ok_or_else(|| NodeError::index_error("list index out of range"))
            }
            (other, _) => {
                Err(NodeError::type_error(format!("'{}' object is not subscriptable", other.type_name())))
            }
        },
        Expression::Call(name, arguments) => {
            let arguments = arguments.iter().map(value).collect::<Result<Vec<_>, _>>()?;
            call(name, &arguments, scope)
        }
    }
}

fn named(name: &str, scope: &Scope<'_>) -> Result<Computed, NodeError> {
    let found = scope.names.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    // The values together are one more.
    let all = || Computed::List(scope.names.iter().map(|(_, value)| value.clone()).collect());
    found.or_else(|| (name == "values").then(all)).ok_or_else(|| {
        NodeError::new(
            "simpleeval.NameNotDefined",
            format!("{} is not defined for expression '{}'", string_repr(name), scope.source),
        )
    })
}

fn unary(sign: &str, value: &Computed) -> Result<Computed, NodeError> {
    match (sign, operand(value)) {
        ("not", _) => Ok(Bool(!value.is_true())),
        ("-", Some(Operand::Int(int))) => int.checked_neg().map(Int).ok_or_else(too_large),
        ("-", Some(Operand::Float(float))) => Ok(Float(-float)),
        ("+", Some(Operand::Int(int))) => Ok(Int(int)),
        ("+", Some(Operand::Float(float))) => Ok(Float(float)),
        ("~", Some(Operand::Int(int))) => Ok(Int(!int)),
        _ => {
            let kind = value.type_name();
            Err(NodeError::type_error(format!("bad operand type for unary {sign}: '{kind}'")))
        }
    }
}

fn binary(sign: &str, left: &Computed, right: &Computed) -> Result<Computed, NodeError> {
    let unsupported = || {
        let (left, right) = (left.type_name(), right.type_name());
        let sign = if sign == "**" { "** or pow()" } else { sign };
        NodeError::type_error(format!("unsupported operand type(s) for {sign}: '{left}' and '{right}'"))
    };
    let (Some(a), Some(b)) = (operand(left), operand(right)) else { return Err(unsupported()) };
    if let (Operand::Int(a), Operand::Int(b)) = (&a, &b) {
        return whole(sign, *a, *b);
    }
    let as_float = |number: Operand| match number {
        Operand::Int(int) => int as f64,
        Operand::Float(float) => float,
    };
    let (a, b) = (as_float(a), as_float(b));
    Ok(Float(match sign {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" | "//" | "%" if b == 0.0 => {
            return Err(division(match sign {
                "/" => "float division by zero",
                "//" => "float floor division by zero",
                _ => "float modulo",
            }));
        }
        "/" => a / b,
        "//" => ((a - remainder(a, b)) / b).round(),
        "%" => remainder(a, b),
        "**" => return power(a, b),
        _ => return Err(unsupported()),
    }))
}

/// The remainder with the sign of the divisor.
fn remainder(a: f64, b: f64) -> f64 {
    let rest = a % b;
    if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
}

fn power(a: f64, b: f64) -> Result<Computed, NodeError> {
    if a == 0.0 && b < 0.0 {
        return Err(division("0.0 cannot be raised to a negative power"));
    }
    if a < 0.0 && b.fract() != 0.0 && b.is_finite() {
        return Err(NodeError::value_error("the result must be numeric, got complex"));
    }
    let result = a.powf(b);
    if result.is_infinite() && a.is_finite() && b.is_finite() {
        return Err(NodeError::new("OverflowError", "(34, 'Numerical result out of range')"));
    }
    Ok(Float(result))
}

fn whole(sign: &str, a: i128, b: i128) -> Result<Computed, NodeError> {
    let result = match sign {
        "+" => a.checked_add(b),
        "-" => a.checked_sub(b),
        "*" => a.checked_mul(b),
        "/" | "//" | "%" if b == 0 => {
            return Err(division(match sign {
                "/" => "division by zero",
                "//" => "integer division or modulo by zero",
                _ => "integer modulo by zero",
            }));
        }
        "/" => return Ok(Float(a as f64 / b as f64)),
        "//" => a.checked_div_euclid(b).map(|quotient| {
            // Towards minus infinity, whatever the sign of the divisor.
            if b < 0 && a.rem_euclid(b) != 0 { quotient - 1 } else { quotient }
        }),
        "%" => a.checked_rem_euclid(b).map(|rest| if b < 0 && rest != 0 { rest + b } else { rest }),
        "**" if b < 0 => return power(a as f64, b as f64),
        "**" => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
        "&" => Some(a & b),
        "|" => Some(a | b),
        "^" => Some(a ^ b),
        "<<" | ">>" if b < 0 => return Err(NodeError::value_error("negative shift count")),
        "<<" => u32::try_from(b).ok().and_then(|b| a.checked_mul(2_i128.checked_pow(b)?)),
        ">>" => Some(a >> b.min(127)),
        _ => None,
    };
    result.map(Int).ok_or_else(too_large)
}

fn compare(sign: &str, left: &Computed, right: &Computed) -> Result<bool, NodeError> {
    if sign == "in" {
        return match right {
            Computed::List(items) => Ok(items.iter().any(|item| same(item, left))),
            other => Err(NodeError::type_error(format!(
                "argument of type '{}' is not iterable",
                other.type_name()
            ))),
        };
    }
    match sign {
        "==" => return Ok(same(left, right)),
        "!=" => return Ok(!same(left, right)),
        "is" => return Ok(left == right),
        "is not" => return Ok(left != right),
        _ => {}
    }
    let order = match (operand(left), operand(right), left, right) {
        (Some(a), Some(b), _, _) => order(&a, &b),
        (_, _, Computed::Text(a), Computed::Text(b)) => Some(a.cmp(b)),
        _ => {
            let (left, right) = (left.type_name(), right.type_name());
            return Err(NodeError::type_error(format!(
                "'{sign}' not supported between instances of '{left}' and '{right}'"
            )));
        }
    };
    Ok(match sign {
        "<" => order == Some(Ordering::Less),
        ">" => order == Some(Ordering::Greater),
        "<=" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    })
}

fn order(a: &Operand, b: &Operand) -> Option<Ordering> {
    match (a, b) {
        (Operand::Int(a), Operand::Int(b)) => Some(a.cmp(b)),
        (Operand::Int(a), Operand::Float(b)) => (*a as f64).partial_cmp(b),
        (Operand::Float(a), Operand::Int(b)) => a.partial_cmp(&(*b as f64)),
        (Operand::Float(a), Operand::Float(b)) => a.partial_cmp(b),
    }
}

fn same(left: &Computed, right: &Computed) -> bool {
    match (operand(left), operand(right)) {
        (Some(a), Some(b)) => order(&a, &b) == Some(Ordering::Equal),
        _ => left == right,
    }
}

fn call(name: &str, arguments: &[Computed], scope: &Scope<'_>) -> Result<Computed, NodeError> {
    let real = |function: fn(f64) -> f64, allowed: fn(f64) -> bool| match arguments {
        [one] => match float(one) {
            Some(number) if allowed(number) => Ok(Float(function(number))),
            Some(_) => Err(NodeError::value_error("math domain error")),
            None => Err(NodeError::type_error(format!("must be real number, not {}", one.type_name()))),
        },
        _ => Err(count_error(name, arguments)),
    };
    match name {
        "sqrt" => real(f64::sqrt, |number| number >= 0.0),
        "sin" => real(f64::sin, f64::is_finite),
        "cos" => real(f64::cos, f64::is_finite),
        "tan" => real(f64::tan, f64::is_finite),
        "log" => match arguments {
            [number, base] => {
                let logarithm = |value| call("log", std::slice::from_ref(value), scope);
                binary("/", &logarithm(number)?, &logarithm(base)?)
            }
            _ => real(f64::ln, |number| number > 0.0),
        },
        "log2" => real(f64::log2, |number| number > 0.0),
        "log10" => real(f64::log10, |number| number > 0.0),
        "floor" => rounded(name, arguments, f64::floor),
        "ceil" => rounded(name, arguments, f64::ceil),
        "int" => rounded(name, arguments, f64::trunc),
        "float" => real(|number| number, |_| true),
        "abs" => match arguments {
            [Float(number)] => Ok(Float(number.abs())),
            [other] => match operand(other) {
                Some(Operand::Int(int)) => int.checked_abs().map(Int).ok_or_else(too_large),
                _ => {
                    Err(NodeError::type_error(format!("bad operand type for abs(): '{}'", other.type_name())))
                }
            },
            _ => Err(count_error(name, arguments)),
        },
        "round" => round(arguments),
        "pow" => match arguments {
            [base, exponent] => binary("**", base, exponent),
            _ => Err(count_error(name, arguments)),
        },
        "sum" => {
            let items = if let [one] = arguments { elements(one)? } else { arguments };
            items.iter().try_fold(Int(0), |sum, item| binary("+", &sum, item))
        }
        "min" | "max" => {
            let items = if let [one] = arguments { elements(one)? } else { arguments };
            let sign = if name == "min" { "<" } else { ">" };
            let Some((first, others)) = items.split_first() else {
                return Err(NodeError::value_error(format!("{name}() arg is an empty sequence")));
            };
            let mut best = first;
            for item in others {
                if compare(sign, item, best)? {
                    best = item;
                }
            }
            Ok(best.clone())
        }
        _ => Err(NodeError::new(
            "simpleeval.FunctionNotDefined",
            format!("Function '{name}' not defined, for expression '{}'.", scope.source),
        )),
    }
}

fn count_error(name: &str, arguments: &[Computed]) -> NodeError {
    NodeError::type_error(format!("{name}() does not take {} arguments", arguments.len()))
}

fn elements(value: &Computed) -> Result<&[Computed], NodeError> {
    match value {
        Computed::List(items) => Ok(items),
        other => Err(NodeError::type_error(format!("'{}' object is not iterable", other.type_name()))),
    }
}

fn rounded(name: &str, arguments: &[Computed], round: fn(f64) -> f64) -> Result<Computed, NodeError> {
    let [one] = arguments else { return Err(count_error(name, arguments)) };
    match operand(one) {
        Some(Operand::Int(int)) => Ok(Int(int)),
        Some(Operand::Float(number)) if number.is_finite() && number.abs() < 1e38 => {
            Ok(Int(round(number) as i128))
        }
        Some(Operand::Float(_)) => Err(too_large()),
        None => Err(NodeError::type_error(format!("must be real number, not {}", one.type_name()))),
    }
}

/// Halves go to the even neighbour.
fn round(arguments: &[Computed]) -> Result<Computed, NodeError> {
    match arguments {
        [_] => rounded("round", arguments, f64::round_ties_even),
        [number, digits] => {
            let Some(Operand::Int(digits)) = operand(digits) else {
                let kind = digits.type_name();
                return Err(NodeError::type_error(format!(
                    "'{kind}' object cannot be interpreted as an integer"
                )));
            };
            match operand(number) {
                Some(Operand::Float(float)) => Ok(Float(round_digits(float, digits))),
                Some(Operand::Int(int)) if digits >= 0 => Ok(Int(int)),
                Some(Operand::Int(int)) => {
                    let unit = u32::try_from(-digits).ok().and_then(|digits| 10_i128.checked_pow(digits));
                    let Some(unit) = unit else { return Ok(Int(0)) };
                    let rest = int.rem_euclid(unit);
                    let down = int - rest;
                    let is_odd = down / unit % 2 != 0;
                    let up = rest * 2 > unit || rest * 2 == unit && is_odd;
                    Ok(Int(if up { down + unit } else { down }))
                }
                None => Err(NodeError::type_error("type str doesn't define __round__ method")),
            }
        }
        _ => Err(count_error("round", arguments)),
    }
}

fn round_digits(number: f64, digits: i128) -> f64 {
    match usize::try_from(digits) {
        // The decimal digits of a float are exact, so that they can be cut as text.
        Ok(digits) if digits <= 17 => format!("{number:.digits$}").parse().unwrap_or(number),
        Ok(_) => number,
        Err(_) => {
            let unit = 10_f64.powi(i32::try_from(-digits).unwrap_or(i32::MAX));
            if unit.is_finite() { (number / unit).round_ties_even() * unit } else { 0.0 }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::*;

    fn value(source: &str) -> Computed {
        let names = [("a", Int(3)), ("b", Float(2.5))];
        let scope = Scope { source, names: &names };
        evaluate(&parse(source).expect("an expression"), &scope).expect("a value")
    }

    #[test]
    fn quotients_and_remainders_go_down() {
        assert_eq!(value("-7 // 2"), Int(-4));
        assert_eq!(value("7 // -2"), Int(-4));
        assert_eq!(value("-7 % 3"), Int(2));
        assert_eq!(value("7 % -3"), Int(-2));
        assert_eq!(value("-7.5 // 2"), Float(-4.0));
        assert_eq!(value("-6 // -3"), Int(2));
    }

    #[test]
    fn what_grows_too_large_is_an_error() {
        let scope = Scope { source: "x", names: &[] };
        for source in ["2 ** 10000", "1 << 1000", "2.0 ** 10000"] {
            let expression = parse(source).expect("an expression");
            assert_eq!(evaluate(&expression, &scope).expect_err(source).exception_type, "OverflowError");
        }
    }
}
