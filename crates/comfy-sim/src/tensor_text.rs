//! Pictures and masks as the server prints them: the text of a torch tensor.

use crate::version::ServerVersion;

/// Tensors with more numbers than this are shown in part.
const SHOWN_WHOLE: usize = 1000;
const LINE: usize = 80;
const START: &str = "tensor(";

/// Items shown at each end of a dimension that is shown in part.
fn edge(version: ServerVersion) -> usize {
    if version >= ServerVersion::V0_30_0 { 6 } else { 3 }
}

/// The text of a tensor of floats on a server of this version.
pub(crate) fn tensor_text(shape: &[usize], data: &[f32], version: ServerVersion) -> String {
    if data.is_empty() {
        let sides: Vec<_> = shape.iter().map(usize::to_string).collect();
        return format!("{START}[], size=({}))", sides.join(", "));
    }
    let partly = (data.len() > SHOWN_WHOLE).then(|| edge(version));
    let mut shown = Vec::new();
    collect(shape, data, partly, &mut shown);
    let format = Format::of(&shown);
    let mut text = String::from(START);
    write(shape, data, partly, &format, START.len(), &mut text);
    text.push(')');
    text
}

/// The positions of a dimension that are shown, all or so many at each end; `None` is the gap.
fn positions(length: usize, partly: Option<usize>) -> impl Iterator<Item = Option<usize>> {
    let edge = partly.filter(|edge| length > 2 * edge);
    let head = 0..edge.unwrap_or(length);
    let tail = edge.map_or(0..0, |edge| length - edge..length);
    let gap = edge.is_some();
    head.map(Some).chain(gap.then_some(None)).chain(tail.map(Some))
}

/// The part of `data` that belongs to one position of the first dimension.
fn inner<'a>(shape: &[usize], data: &'a [f32], position: usize) -> &'a [f32] {
    let step = shape[1..].iter().product::<usize>();
    data.get(position * step..(position + 1) * step).unwrap_or_default()
}

fn collect(shape: &[usize], data: &[f32], partly: Option<usize>, shown: &mut Vec<f32>) {
    let Some(&length) = shape.first() else {
        shown.extend(data.first());
        return;
    };
    for position in positions(length, partly).flatten() {
        collect(&shape[1..], inner(shape, data, position), partly, shown);
    }
}

fn write(
    shape: &[usize],
    data: &[f32],
    partly: Option<usize>,
    format: &Format,
    indent: usize,
    text: &mut String,
) {
    let Some(&length) = shape.first() else {
        text.push_str(&data.first().map(|&number| format.number(number)).unwrap_or_default());
        return;
    };
    text.push('[');
    if shape.len() == 1 {
        let room = LINE.saturating_sub(indent + 1);
        let per_line = (room / (format.width + 2)).max(1);
        for (at, position) in positions(length, partly).enumerate() {
            if at > 0 {
                text.push(',');
                if at % per_line == 0 { new_line(1, indent, text) } else { text.push(' ') }
            }
            match position {
                Some(position) => text.push_str(&format.number(data.get(position).copied().unwrap_or(0.0))),
                None => text.push_str(" ..."),
            }
        }
    } else {
        for (at, position) in positions(length, partly).enumerate() {
            if at > 0 {
                text.push(',');
                new_line(shape.len() - 1, indent, text);
            }
            match position {
                Some(position) => {
                    write(&shape[1..], inner(shape, data, position), partly, format, indent + 1, text);
                }
                None => text.push_str("..."),
            }
        }
    }
    text.push(']');
}

fn new_line(lines: usize, indent: usize, text: &mut String) {
    text.extend(std::iter::repeat_n('\n', lines));
    text.extend(std::iter::repeat_n(' ', indent + 1));
}

/// How all numbers of one tensor are written.
struct Format {
    whole: bool,
    scientific: bool,
    width: usize,
}

impl Format {
    fn of(shown: &[f32]) -> Self {
        let counted = || shown.iter().copied().filter(|number| number.is_finite() && *number != 0.0);
        if counted().next().is_none() {
            // Without a number to measure, the width stays 1 although "0." takes two places.
            return Self { whole: true, scientific: false, width: 1 };
        }
        let whole = counted().all(|number| number.fract() == 0.0);
        let sizes = counted().map(|number| f64::from(number.abs()));
        let (smallest, largest) =
            sizes.fold((f64::INFINITY, 0.0_f64), |(low, high), size| (low.min(size), high.max(size)));
        let scientific = largest / smallest > 1000.0 || largest > 1e8 || (!whole && smallest < 1e-4);
        let mut format = Self { whole, scientific, width: 1 };
        format.width = counted().map(|number| format.number(number).len()).max().unwrap_or(1);
        format
    }

    fn number(&self, number: f32) -> String {
        let text = if number.is_nan() {
            "nan".to_owned()
        } else if number.is_infinite() {
            if number > 0.0 { "inf".to_owned() } else { "-inf".to_owned() }
        } else if self.scientific {
            scientific(number)
        } else if self.whole {
            format!("{number:.0}.")
        } else {
            format!("{number:.4}")
        };
        let width = self.width;
        format!("{text:>width$}")
    }
}

/// Four decimals and an exponent of at least two digits.
fn scientific(number: f32) -> String {
    let text = format!("{number:.4e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
    format!("{digits}e{sign}{exponent:0>2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_picture_is_printed_whole() {
        let bytes = [255_u8, 0, 0, 0, 255, 0, 0, 0, 255, 1, 2, 3, 40, 50, 60, 70, 80, 90];
        let data: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect();
        let expected = "tensor([[[[1.0000, 0.0000, 0.0000],
          [0.0000, 1.0000, 0.0000],
          [0.0000, 0.0000, 1.0000]],

         [[0.0039, 0.0078, 0.0118],
          [0.1569, 0.1961, 0.2353],
          [0.2745, 0.3137, 0.3529]]]])";
        assert_eq!(tensor_text(&[1, 2, 3, 3], &data, ServerVersion::default()), expected);
    }

    #[test]
    fn an_empty_tensor_is_told_by_its_sides() {
        assert_eq!(
            tensor_text(&[1, 6, 0, 3], &[], ServerVersion::default()),
            "tensor([], size=(1, 6, 0, 3))"
        );
    }

    #[test]
    fn a_batch_is_parted_by_two_empty_lines() {
        let expected = "tensor([[[[1.0000, 0.0000, 0.5000]]],\n\n\n        [[[1.0000, 0.0000, 0.5000]]]])";
        assert_eq!(
            tensor_text(&[2, 1, 1, 3], &[1.0, 0.0, 0.5, 1.0, 0.0, 0.5], ServerVersion::default()),
            expected
        );
    }

    #[test]
    fn whole_numbers_lose_their_decimals() {
        assert_eq!(tensor_text(&[1, 1, 2], &[1.0, 0.0], ServerVersion::default()), "tensor([[[1., 0.]]])");
    }

    #[test]
    fn small_numbers_are_printed_with_an_exponent() {
        assert_eq!(
            tensor_text(&[1, 1, 2], &[1e-5, 1e-5], ServerVersion::default()),
            "tensor([[[1.0000e-05, 1.0000e-05]]])"
        );
        assert_eq!(tensor_text(&[1, 1, 1], &[0.000_12], ServerVersion::default()), "tensor([[[0.0001]]])");
    }

    #[test]
    fn long_rows_are_broken_at_eighty_characters() {
        let row = "0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000";
        let expected = format!("tensor([[[{row},\n          0.5000]]])");
        assert_eq!(tensor_text(&[1, 1, 9], &[0.5; 9], ServerVersion::default()), expected);
        let zeros = tensor_text(&[1, 1, 60], &[0.0; 60], ServerVersion::default());
        let lines: Vec<usize> = zeros.lines().map(|line| line.matches("0.").count()).collect();
        assert_eq!(lines, [23, 23, 14]);
    }

    #[test]
    fn a_large_tensor_shows_six_items_at_each_edge() {
        let row = "[0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000,  ..., 0.5000,\n          0.5000, 0.5000, 0.5000, 0.5000, 0.5000]";
        let six = [row; 6].join(",\n         ");
        let expected = format!("tensor([[{six},\n         ...,\n         {six}]])");
        assert_eq!(tensor_text(&[1, 30, 40], &[0.5; 1200], ServerVersion::default()), expected);
        let zeros = "[0., 0., 0., 0., 0., 0.,  ..., 0., 0., 0., 0., 0., 0.]";
        assert!(
            tensor_text(&[1, 64, 64], &[0.0; 4096], ServerVersion::default())
                .starts_with(&format!("tensor([[{zeros},"))
        );
    }
}
