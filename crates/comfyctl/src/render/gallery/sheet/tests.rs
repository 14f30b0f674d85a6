use serde_json::json;

use super::super::tests::{file, picture, row};
use super::*;

/// Where the sheet has this colour.
fn has(sheet: &RgbImage, color: [u8; 3]) -> bool {
    sheet.pixels().any(|pixel| pixel.0 == color)
}

#[test]
fn pictures_of_all_shapes_fit_into_cells_of_one_size() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = Vec::new();
    for (place, (width, height)) in [(150, 300), (300, 150), (40, 40)].into_iter().enumerate() {
        let mut run = row(&[("Node.seed", json!(place))]);
        let color = [[255, 0, 0], [0, 255, 0], [0, 0, 255]][place];
        run.files.push(picture(folder.path(), &format!("{place}.png"), (width, height), color));
        rows.push(run);
    }
    let plan = Plan::of(&rows, &Axes::of(&rows));
    let measures = Measures::of(&plan, &rows).unwrap();
    assert_eq!(measures.cell, (300, 300));
    let sheet = drawn(&rows).unwrap();
    assert_eq!(sheet.dimensions(), (measures.width, measures.height));
    let middle = |place: usize, x: u32, y: u32| {
        let (left, top) = measures.corner(place, 0);
        sheet.get_pixel(left + x, top + y).0
    };
    assert_eq!([middle(0, 150, 3), middle(0, 3, 150)], [[255, 0, 0], PAPER.0]);
    assert_eq!([middle(1, 150, 3), middle(1, 3, 150)], [PAPER.0, [0, 255, 0]]);
    // A small picture stays small.
    assert_eq!([middle(2, 150, 150), middle(2, 120, 150)], [[0, 0, 255], PAPER.0]);
}

#[test]
fn what_is_no_picture_is_said_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let mut failed = row(&[("Node.seed", json!(1))]);
    failed.error = Some("out of memory: 猫 \u{1b}[31m".repeat(100));
    let mut sound = row(&[("Node.seed", json!(2))]);
    sound.files.push(file(folder.path(), "sound.flac", "audio", b"fLaC"));
    let mut broken = row(&[("Node.seed", json!(3))]);
    broken.files.push(file(folder.path(), "broken.png", "image", b"\x89PNG"));
    let mut gone = row(&[("Node.seed", json!(4))]);
    gone.files.push(file(folder.path(), "gone.png", "image", b""));
    std::fs::remove_file(&gone.files[0].path).unwrap();
    let sheet = drawn(&[failed, sound, broken, gone, row(&[("Node.seed", json!(5))])]).unwrap();
    assert!(has(&sheet, [255, 240, 239]) && has(&sheet, [246, 248, 250]));
}

#[test]
fn several_pictures_of_a_run_share_its_cell() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = row(&[]);
    for place in 0..6_u8 {
        let color = [place * 40, 10, 200];
        run.files.push(picture(folder.path(), &format!("{place}.png"), (64, 64), color));
    }
    let mut run = [run];
    let sheet = drawn(&run).unwrap();
    assert!((0..3).all(|place| has(&sheet, [place * 40, 10, 200])));
    assert!(!has(&sheet, [120, 10, 200]));
    run[0].files.truncate(4);
    assert!(has(&drawn(&run).unwrap(), [120, 10, 200]));
}

#[test]
fn a_thousand_runs_stay_within_bounds_and_too_many_are_refused() {
    let rows: Vec<Row> = (0..1000).map(|seed| row(&[("K.seed", json!(seed))])).collect();
    let measures = Measures::of(&Plan::of(&rows, &Axes::of(&rows)), &rows).unwrap();
    assert!(measures.width.max(measures.height) <= 16_000);
    assert!(u64::from(measures.width) * u64::from(measures.height) <= 48_000_000);
    let rows: Vec<Row> = (0..21_000).map(|seed| row(&[("K.seed", json!(seed))])).collect();
    let failure = drawn(&rows).unwrap_err();
    assert_eq!(failure.report.message, "a contact sheet has no room for 21000 runs");
}

#[test]
fn a_sheet_without_runs_is_a_small_one() {
    let sheet = drawn(&[]).unwrap();
    assert!(sheet.width() < 600);
}

#[test]
fn a_sheet_is_written_as_its_name_says() {
    let rows = [row(&[("K.seed", json!(1))])];
    for (name, format) in
        [("a.png", ImageFormat::Png), ("a.JPG", ImageFormat::Jpeg), ("a.webp", ImageFormat::WebP)]
    {
        assert_eq!(format_of(Path::new(name)).unwrap(), format);
        let content = encoded(&rows, format).unwrap();
        assert_eq!(image::guess_format(&content).unwrap(), format);
    }
    let failure = format_of(Path::new("a.gif")).unwrap_err();
    assert_eq!(failure.report.message, "a contact sheet cannot be written as a.gif");
    assert!(format_of(Path::new("grid")).is_err());
}

#[test]
fn long_labels_are_clipped_and_all_of_them_have_room() {
    let one =
        vec![(None, "a very long prompt that goes on and on and never seems to find its end".to_owned())];
    assert_eq!(
        label_lines(&one, 140, 3, Style::for_width(140)),
        [
            (String::new(), "a very long prompt".to_owned()),
            (String::new(), "that goes on and on".to_owned()),
            (String::new(), "and never seems to…".to_owned())
        ]
    );
    let many: Label = (0..9).map(|place| (Some(format!("name{place}")), "v".repeat(50))).collect();
    let lines = label_lines(&many, 140, 5, Style::for_width(140));
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[0], ("name0".to_owned(), format!("{}…", "v".repeat(13))));
    assert_eq!(lines[4].1, "…");
}
