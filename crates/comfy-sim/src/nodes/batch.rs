//! Nodes that make batches of pictures and masks, take them apart, or make lists of them.

use super::inputs::FirstUse;
use super::resample::Method;
use super::resize::{fit, part};
use super::{Context, Inputs, NodeClass, NodeError, Ran};
use crate::value::{Image, Value, room_for};

pub(super) static CLASSES: [NodeClass; 9] = [
    NodeClass::new("ImageBatch", batch),
    NodeClass::new("BatchImagesNode", batch_all),
    NodeClass::new("BatchMasksNode", batch_masks),
    NodeClass::new("RepeatImageBatch", repeat),
    NodeClass::new("ImageFromBatch", take),
    NodeClass::new("RebatchImages", rebatch),
    NodeClass::new("CreateList", create_list),
    NodeClass::new("SplitImageToTileList", split_into_tiles),
    NodeClass::new("MergeImageLists", |inputs, _| {
        Ok(Ran::output(Value::List(inputs.list("images")?.to_vec())))
    }),
];

/// ImageBatch: one after the other; the second takes the size of the first, and both the larger number of channels.
fn batch(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let (first, second) = (inputs.image("image1")?, inputs.image("image2")?);
    Ok(Ran::output(Value::image(joined(&[first, second])?)))
}

/// BatchImagesNode: as many as are connected.
fn batch_all(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut images: Vec<&Image> = Vec::new();
    for (_, value) in row(inputs, "BatchImagesNode", "images")? {
        match value {
            Value::Image(image) => images.push(image),
            other => return Err(FirstUse::Attribute("shape").error(other)),
        }
    }
    Ok(Ran::output(Value::image(joined(&images)?)))
}

/// The values of a growing row, with the server's words for a row that is missing or something else.
fn row<'a>(inputs: &'a Inputs, class: &str, name: &str) -> Result<Vec<(&'a str, &'a Value)>, NodeError> {
    let row = inputs.group(name);
    if !row.is_empty() {
        return Ok(row);
    }
    Err(match inputs.0.get(name) {
        None => {
            let message = format!("{class}.execute() missing 1 required positional argument: '{name}'");
            NodeError::type_error(message)
        }
        Some(Value::Image(_) | Value::Mask(_)) => {
            NodeError::runtime_error("values expected sparse tensor layout but got Strided")
        }
        Some(other) => FirstUse::Attribute("values").error(other),
    })
}

/// Pictures one after the other: they take the size of the first and the largest number of channels.
fn joined(images: &[&Image]) -> Result<Image, NodeError> {
    let Some(first) = images.first() else {
        return Err(NodeError::index_error("list index out of range"));
    };
    let channels = images.iter().map(|image| image.channels).max().unwrap_or(first.channels);
    let batch = images.iter().map(|image| image.batch).sum();
    room_for([batch, first.height, first.width, channels])?;
    let mut result = first.with_channels(channels)?;
    for image in &images[1..] {
        let mut image = image.with_channels(channels)?;
        if (image.width, image.height) != (result.width, result.height) {
            image = fit(&image, result.width, result.height, Method::Bilinear, true)?;
        }
        result.data.extend_from_slice(&image.data);
    }
    result.batch = batch;
    Ok(result)
}

/// BatchMasksNode: as many as are connected, at the size of the first.
fn batch_masks(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut masks: Vec<Image> = Vec::new();
    for (_, value) in row(inputs, "BatchMasksNode", "masks")? {
        match value {
            Value::Mask(mask) => masks.push(super::composite::as_image(mask)),
            other => return Err(FirstUse::Attribute("shape").error(other)),
        }
    }
    let joined = joined(&masks.iter().collect::<Vec<_>>())?;
    Ok(Ran::output(Value::mask(super::composite::as_mask(joined))))
}

/// RepeatImageBatch: the whole batch over and over.
fn repeat(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image_for("image", FirstUse::Attribute("repeat"))?;
    let amount = inputs.size("amount")?;
    room_for([image.batch.saturating_mul(amount), image.height, image.width, image.channels])?;
    let result = Image { batch: image.batch * amount, data: image.data.repeat(amount), ..**image };
    Ok(Ran::output(Value::image(result)))
}

/// ImageFromBatch: some pictures in a row. Below 0 counts from the end.
fn take(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image("image")?;
    let last = image.batch.saturating_sub(1);
    let index = inputs.int("batch_index")?;
    let index = if index < 0 { index + image.batch as i64 } else { index };
    let start = usize::try_from(index.max(0)).unwrap_or(usize::MAX).min(last);
    let count = inputs.size("length")?.min(image.batch - start);
    Ok(Ran::output(Value::image(pictures(image, start, count))))
}

/// Some pictures of a batch.
fn pictures(image: &Image, start: usize, count: usize) -> Image {
    let len = image.picture_len();
    Image { batch: count, data: image.data[start * len..(start + count) * len].to_vec(), ..*image }
}

/// RebatchImages: all pictures of all batches, in batches of another length.
fn rebatch(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let size = inputs.of_list("batch_size")?.size("batch_size")?.max(1);
    let mut batches = Vec::new();
    for value in inputs.list("images")? {
        let Value::Image(image) = value else { return Err(FirstUse::Attribute("shape").error(value)) };
        for start in (0..image.batch).step_by(size) {
            batches.push(Value::image(pictures(image, start, size.min(image.batch - start))));
        }
    }
    Ok(Ran::output(Value::List(batches)))
}

/// SplitImageToTileList: tiles that overlap, row by row. The last ones end where the picture ends.
fn split_into_tiles(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image("image")?;
    let (width, height) = (inputs.size("tile_width")?, inputs.size("tile_height")?);
    let overlap = inputs.size("overlap")?;
    let (columns, rows) = (starts(image.width, width, overlap), starts(image.height, height, overlap));
    // Every tile counts with all its pixels, so that many small steps cannot fill the memory.
    room_for([
        columns.len() * rows.len(),
        image.batch,
        width.min(image.width) * height.min(image.height),
        4,
    ])?;
    let mut tiles = Vec::with_capacity(columns.len() * rows.len());
    for &top in &rows {
        for &left in &columns {
            tiles.push(Value::image(part(image, left, top, width, height)?));
        }
    }
    Ok(Ran::output(Value::List(tiles)))
}

/// Where tiles of a length begin along a side.
fn starts(side: usize, tile: usize, overlap: usize) -> Vec<usize> {
    let last = side.saturating_sub(tile);
    let step = tile.saturating_sub(overlap).max(1);
    let mut starts: Vec<usize> = (0..last).step_by(step).collect();
    starts.push(last);
    starts
}

/// CreateList: everything that is connected, one after the other.
fn create_list(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut values = Vec::new();
    for (_, value) in inputs.group("inputs") {
        match value {
            Value::List(list) => values.extend(list.iter().cloned()),
            one => values.push(one.clone()),
        }
    }
    Ok(Ran::output(Value::List(values)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_tile_ends_with_the_picture() {
        assert_eq!(starts(200, 64, 16), [0, 48, 96, 136]);
        assert_eq!(starts(200, 100, 0), [0, 100]);
        assert_eq!(starts(150, 512, 128), [0]);
        assert_eq!(starts(4, 2, 9), [0, 1, 2]);
    }
}
