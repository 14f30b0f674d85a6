//! The colours of a picture, reduced by median cut, and the nearest of them.

use std::collections::HashMap;

use super::frequencies;

/// Red, green and blue.
pub(super) type Color = [u8; 3];

/// A few colours.
#[derive(Debug)]
pub(super) struct Palette {
    colors: Vec<Color>,
    /// Nearest colours that were asked for.
    known: HashMap<Color, Color>,
}

/// A box of colours: how often each occurs.
type Colors = Vec<(Color, usize)>;

/// Boxes as a tree: the leaves are the palette's colours in their order.
struct Split {
    count: usize,
    colors: Colors,
    parts: Option<(usize, usize)>,
}

impl Palette {
    /// At most `wanted` colours.
    pub(super) fn median_cut(pixels: &[Color], wanted: usize) -> Self {
        let mut boxes = vec![Split { count: pixels.len(), colors: frequencies(pixels), parts: None }];
        let mut heap = Heap::default();
        heap.push(0, &boxes);
        let mut leaves = 1;
        while leaves < wanted {
            let Some(largest) = heap.pop(&boxes) else { break };
            let Some((first, second)) = cut(&boxes[largest].colors, boxes[largest].count) else { continue };
            let at = boxes.len();
            for colors in [first, second] {
                let count = colors.iter().map(|(_, count)| count).sum();
                boxes.push(Split { count, colors, parts: None });
            }
            boxes[largest].parts = Some((at, at + 1));
            heap.push(at, &boxes);
            heap.push(at + 1, &boxes);
            leaves += 1;
        }
        let mut colors = Vec::with_capacity(leaves);
        let mut ahead = vec![0];
        while let Some(index) = ahead.pop() {
            match boxes[index].parts {
                Some((first, second)) => ahead.extend([second, first]),
                None => colors.push(mean(&boxes[index])),
            }
        }
        Self { colors, known: HashMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.colors.len()
    }

    /// The nearest colour. The lowest two bits do not count.
    pub(super) fn nearest(&mut self, color: Color) -> Color {
        let key = color.map(|channel| channel & !3);
        let colors = &self.colors;
        *self.known.entry(key).or_insert_with(|| {
            let distance = |other: &&Color| -> u32 {
                key.iter().zip(*other).map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2)).sum()
            };
            colors.iter().min_by_key(distance).copied().unwrap_or(key)
        })
    }
}

fn mean(part: &Split) -> Color {
    let mut sums = [0_usize; 3];
    for (color, count) in &part.colors {
        for (sum, channel) in sums.iter_mut().zip(color) {
            *sum += usize::from(*channel) * count;
        }
    }
    sums.map(|sum| (0.5 + sum as f64 / part.count.max(1) as f64) as u8)
}

/// Two boxes with about half of the pixels each, the brighter one first; none when there is one colour only.
fn cut(colors: &[(Color, usize)], count: usize) -> Option<(Colors, Colors)> {
    let range = |axis: usize| {
        let channel = || colors.iter().map(|(color, _)| usize::from(color[axis]));
        channel().max().unwrap_or(0) - channel().min().unwrap_or(0)
    };
    // How much each channel adds to what an eye sees, of 256.
    let lengths = [range(0) * 77, range(1) * 150, range(2) * 29];
    let mut axis = 0;
    for other in 1..3 {
        if lengths[other] > lengths[axis] {
            axis = other;
        }
    }
    if lengths[axis] == 0 {
        return None;
    }
    let mut order: Vec<_> = colors.to_vec();
    order.sort_by_key(|(color, _)| std::cmp::Reverse(color[axis]));
    let mut sum = 0;
    let past = order.iter().position(|(_, count_of_one)| {
        sum += count_of_one;
        sum * 2 > count
    });
    // Colours that are equal on this side stay together.
    let last = order[past.unwrap_or(order.len() - 1)].0[axis];
    let mut end = order.partition_point(|(color, _)| color[axis] >= last);
    if end == order.len() {
        end = order.partition_point(|(color, _)| color[axis] > last);
    }
    let second = order.split_off(end);
    Some((order, second))
}

/// Boxes by their number of pixels. Which of two equal ones comes first decides about colours, so that this heap
/// works exactly as Pillow's does.
#[derive(Default)]
struct Heap(Vec<usize>);

impl Heap {
    fn push(&mut self, index: usize, boxes: &[Split]) {
        let mut at = self.0.len();
        self.0.push(index);
        while at > 0 {
            let parent = (at - 1) / 2;
            if boxes[index].count <= boxes[self.0[parent]].count {
                break;
            }
            self.0.swap(at, parent);
            at = parent;
        }
    }

    fn pop(&mut self, boxes: &[Split]) -> Option<usize> {
        let last = self.0.pop()?;
        let Some(top) = self.0.first().copied() else { return Some(last) };
        let count = |index: usize| boxes[index].count;
        let mut at = 0;
        loop {
            let mut child = 2 * at + 1;
            if child >= self.0.len() {
                break;
            }
            if child + 1 < self.0.len() && count(self.0[child]) < count(self.0[child + 1]) {
                child += 1;
            }
            if count(last) > count(self.0[child]) {
                break;
            }
            self.0[at] = self.0[child];
            at = child;
        }
        self.0[at] = last;
        Some(top)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_colours_are_kept_as_they_are() {
        let pixels = [[10, 0, 0], [10, 0, 0], [0, 200, 0], [0, 0, 90]];
        let mut palette = Palette::median_cut(&pixels, 256);
        assert_eq!(palette.len(), 3);
        assert_eq!(palette.nearest([9, 1, 1]), [10, 0, 0]);
        assert_eq!(Palette::median_cut(&pixels, 1).len(), 1);
    }
}
