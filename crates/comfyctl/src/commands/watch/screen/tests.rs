//! What is on the screen for what is known.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

use super::draw::{Over, Scene, draw};
use super::panel::{Ended, Job, Meter, Node, Panel, Place, Progress, State};
use crate::commands::watch::names::clean;
use crate::render::picture::Picture;

const GIB: u64 = 1 << 30;

/// The screen as text.
fn shown(scene: &Scene, width: u16, height: u16) -> String {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    draw(scene, area, &mut buffer);
    let mut text = String::new();
    for y in 0..height {
        let mut line = String::new();
        let mut x = 0;
        while x < width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(unicode_width::UnicodeWidthStr::width(symbol)).unwrap().max(1);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn scene(panels: Vec<Panel>) -> Scene {
    Scene { panels, ..Scene::default() }
}

fn meters() -> Vec<Meter> {
    vec![
        Meter { label: "RAM".into(), used: 12 * GIB, total: 64 * GIB },
        Meter { label: "VRAM".into(), used: 23 * GIB, total: 24 * GIB },
    ]
}

fn job(number: usize, title: &str, place: Place) -> Job {
    Job {
        id: format!("{number:08x}-0000-4000-8000-000000000000"),
        title: clean(title),
        nodes: number + 6,
        place,
    }
}

fn node(title: &str, share: f64, steps: &str) -> Node {
    Node { title: clean(title), runs: share < 1.0, share, steps: steps.into() }
}

fn ended(word: &'static str, title: &str, detail: &str) -> Ended {
    Ended { word, title: clean(title), took: "12 s".into(), detail: clean(detail), picture: None }
}

fn busy() -> Panel {
    let waiting = ["Landscape", "人物のポートレート、長い題名", "Upscale", "Inpainting", "Video"];
    let mut jobs = vec![job(1, "Portrait", Place::Running { seconds: 83, at_least: false })];
    jobs.extend(
        waiting.iter().zip(1..).map(|(title, position)| job(position + 1, title, Place::Waiting(position))),
    );
    Panel {
        name: "gpu1".into(),
        url: "http://gpu1:8188".into(),
        version: "0.30.0".into(),
        state: State::Live,
        meters: meters(),
        jobs,
        progress: Progress {
            overall: Some(0.43),
            nodes_done: 3,
            nodes: vec![
                node("Load Checkpoint", 1.0, ""),
                node("Positive prompt", 1.0, ""),
                node("Negative prompt", 1.0, ""),
                node("KSampler", 0.6, "12/20"),
            ],
            ..Progress::default()
        },
        ended: vec![
            ended("done", "Landscape", "landscape_00012_.png"),
            ended("failed", "Portrait", "KSampler: CUDA out of memory. Tried to allocate 20.00 MiB"),
            ended("interrupted", "Video", "at KSampler"),
            ended("done", "Portrait", "portrait_00011_.png"),
        ],
    }
}

fn idle(name: &str) -> Panel {
    Panel { version: "0.8.0".into(), meters: meters(), ..Panel::new(name, name, State::Asking) }
}

fn down() -> Panel {
    let state =
        State::Down { reason: "cannot connect to http://gpu2:8188: connection refused".into(), seconds: 71 };
    Panel::new("gpu2", "http://gpu2:8188", state)
}

#[test]
fn an_idle_server() {
    insta::assert_snapshot!(shown(&scene(vec![idle("http://gpu1:8188")]), 60, 20), @"
    ╭ http://gpu1:8188 · ComfyUI 0.8.0 ○ asking ───────────────╮
    │ RAM  █████░░░░░░░░░░░░░░░░░░░░ 12.00 GiB of 64.00 GiB    │
    │ VRAM ████████████████████████░ 23.00 GiB of 24.00 GiB    │
    │ nothing runs, nothing waits                              │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    ╰──────────────────────────────────────────────────────────╯
     q quit · ? help · ↑↓ choose · c cancel
    ");
}

#[test]
fn a_busy_server_on_a_small_screen() {
    insta::assert_snapshot!(shown(&scene(vec![busy()]), 60, 20), @"
    ╭ gpu1 · http://gpu1:8188 · ComfyUI 0.30.0 ● live ─────────╮
    │ RAM  █████░░░░░░░░░░░░░░░░░░░░ 12.00 GiB of 64.00 GiB    │
    │ VRAM ████████████████████████░ 23.00 GiB of 24.00 GiB    │
    │ › ▶ 1:23  Portrait                     7 nodes  00000001 │
    │   ████████░░░░░░░░░░ 43 %  3 of 7 nodes                  │
    │     ✓ Load Checkpoint                                    │
    │     ✓ Positive prompt                                    │
    │     ✓ Negative prompt                                    │
    │     ▸ KSampler                        ███████░░░░░ 12/20 │
    │ ── waiting 5 ─────────────────────────────────────────── │
    │   1  Landscape                         8 nodes  00000002 │
    │   2  人物のポートレート、長い題名      9 nodes  00000003 │
    │   3  Upscale                          10 nodes  00000004 │
    │   4  Inpainting                       11 nodes  00000005 │
    │ ── ended ─────────────────────────────────────────────── │
    │   ✓ done         Landscape  landscape_00012_.png    12 s │
    │   ✗ failed       Portrait  KSampler: CUDA out of m… 12 s │
    │   ■ interrupted  Video  at KSampler                 12 s │
    ╰──────────────────────────────────────────────────────────╯
     q quit · ? help · ↑↓ choose · c cancel
    ");
}

#[test]
fn a_busy_server_on_a_large_screen() {
    insta::assert_snapshot!(shown(&scene(vec![busy()]), 120, 40), @"
    ╭ gpu1 · http://gpu1:8188 · ComfyUI 0.30.0 ● live ─────────────────────────────────────────────────────────────────────╮
    │ RAM  █████░░░░░░░░░░░░░░░░░░░░░░ 12.00 GiB of 64.00 GiB   VRAM ██████████████████████████░ 23.00 GiB of 24.00 GiB    │
    │                                                                                                                      │
    │ › ▶ 1:23  Portrait                                                                                 7 nodes  00000001 │
    │   ████████████████░░░░░░░░░░░░░░░░░░░░░░ 43 %  3 of 7 nodes                                                          │
    │     ✓ Load Checkpoint                                                                                                │
    │     ✓ Positive prompt                                                                                                │
    │     ✓ Negative prompt                                                                                                │
    │     ▸ KSampler                                                                                    ███████░░░░░ 12/20 │
    │                                                                                                                      │
    │ ── waiting 5 ─────────────────────────────────────────────────────────────────────────────────────────────────────── │
    │   1  Landscape                                                                                     8 nodes  00000002 │
    │   2  人物のポートレート、長い題名                                                                  9 nodes  00000003 │
    │   3  Upscale                                                                                      10 nodes  00000004 │
    │   4  Inpainting                                                                                   11 nodes  00000005 │
    │   5  Video                                                                                        12 nodes  00000006 │
    │                                                                                                                      │
    │ ── ended ─────────────────────────────────────────────────────────────────────────────────────────────────────────── │
    │   ✓ done         Landscape  landscape_00012_.png                                                                12 s │
    │   ✗ failed       Portrait  KSampler: CUDA out of memory. Tried to allocate 20.00 MiB                            12 s │
    │   ■ interrupted  Video  at KSampler                                                                             12 s │
    │   ✓ done         Portrait  portrait_00011_.png                                                                  12 s │
    │                                                                                                                      │
    │                                                                                                                      │
    │                                                                                                                      │
    │                                                                                                                      │
    │                                                                                                                      │
    │                                                                                                                      │
    │                                                                                                                      │
    │                                                                                                                      │
    │                                                                                                                      │
    │                                                                                                                      │
    │                                                                                                                      │
    │                                                                                                                      │
    │                                                                                                                      │
    │                                                                                                                      │
    │                                                                                                                      │
    │                                                                                                                      │
    ╰──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────╯
     q quit · ? help · ↑↓ choose · c cancel
    ");
}

#[test]
fn a_server_that_is_down() {
    insta::assert_snapshot!(shown(&scene(vec![down()]), 60, 20), @"
    ╭ gpu2 · http://gpu2:8188 ✗ down ──────────────────────────╮
    │ ✗ down for 1:11; it is tried again                       │
    │ cannot connect to http://gpu2:8188: connection refused   │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    ╰──────────────────────────────────────────────────────────╯
     q quit · ? help · ↑↓ choose · c cancel
    ");
}

#[test]
fn two_servers_on_a_small_and_on_a_large_screen() {
    let mut scene = scene(vec![busy(), down()]);
    scene.chosen = (1, 0);
    insta::assert_snapshot!(shown(&scene, 60, 20), @"
    ╭ gpu1 · http://gpu1:8188 · ComfyUI 0.30.0 ● live ─────────╮
    │ RAM  █████░░░░░░░░░░░░░░░░░░░░ 12.00 GiB of 64.00 GiB    │
    │   ▶ 1:23  Portrait                     7 nodes  00000001 │
    │   ████████░░░░░░░░░░ 43 %  3 of 7 nodes                  │
    │ ── waiting 5 ─────────────────────────────────────────── │
    │   1  Landscape                         8 nodes  00000002 │
    │   2  人物のポートレート、長い題名      9 nodes  00000003 │
    │   3  Upscale                          10 nodes  00000004 │
    ╰──────────────────────────────────────────────────────────╯
    ┏ gpu2 · http://gpu2:8188 ✗ down ━━━━━━━━━━━━━━━━━━━━━━━━━━┓
    ┃ ✗ down for 1:11; it is tried again                       ┃
    ┃ cannot connect to http://gpu2:8188: connection refused   ┃
    ┃                                                          ┃
    ┃                                                          ┃
    ┃                                                          ┃
    ┃                                                          ┃
    ┃                                                          ┃
    ┃                                                          ┃
    ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛
     q quit · ? help · ↑↓ choose · tab server · c cancel
    ");
    insta::assert_snapshot!(shown(&scene, 120, 40), @"
    ╭ gpu1 · http://gpu1:8188 · ComfyUI 0.30.0 ● live ─────────╮┏ gpu2 · http://gpu2:8188 ✗ down ━━━━━━━━━━━━━━━━━━━━━━━━━━┓
    │ RAM  █████░░░░░░░░░░░░░░░░░░░░ 12.00 GiB of 64.00 GiB    │┃ ✗ down for 1:11; it is tried again                       ┃
    │ VRAM ████████████████████████░ 23.00 GiB of 24.00 GiB    │┃ cannot connect to http://gpu2:8188: connection refused   ┃
    │                                                          │┃                                                          ┃
    │   ▶ 1:23  Portrait                     7 nodes  00000001 │┃                                                          ┃
    │   ████████░░░░░░░░░░ 43 %  3 of 7 nodes                  │┃                                                          ┃
    │     ✓ Load Checkpoint                                    │┃                                                          ┃
    │     ✓ Positive prompt                                    │┃                                                          ┃
    │     ✓ Negative prompt                                    │┃                                                          ┃
    │     ▸ KSampler                        ███████░░░░░ 12/20 │┃                                                          ┃
    │                                                          │┃                                                          ┃
    │ ── waiting 5 ─────────────────────────────────────────── │┃                                                          ┃
    │   1  Landscape                         8 nodes  00000002 │┃                                                          ┃
    │   2  人物のポートレート、長い題名      9 nodes  00000003 │┃                                                          ┃
    │   3  Upscale                          10 nodes  00000004 │┃                                                          ┃
    │   4  Inpainting                       11 nodes  00000005 │┃                                                          ┃
    │   5  Video                            12 nodes  00000006 │┃                                                          ┃
    │                                                          │┃                                                          ┃
    │ ── ended ─────────────────────────────────────────────── │┃                                                          ┃
    │   ✓ done         Landscape  landscape_00012_.png    12 s │┃                                                          ┃
    │   ✗ failed       Portrait  KSampler: CUDA out of m… 12 s │┃                                                          ┃
    │   ■ interrupted  Video  at KSampler                 12 s │┃                                                          ┃
    │   ✓ done         Portrait  portrait_00011_.png      12 s │┃                                                          ┃
    │                                                          │┃                                                          ┃
    │                                                          │┃                                                          ┃
    │                                                          │┃                                                          ┃
    │                                                          │┃                                                          ┃
    │                                                          │┃                                                          ┃
    │                                                          │┃                                                          ┃
    │                                                          │┃                                                          ┃
    │                                                          │┃                                                          ┃
    │                                                          │┃                                                          ┃
    │                                                          │┃                                                          ┃
    │                                                          │┃                                                          ┃
    │                                                          │┃                                                          ┃
    │                                                          │┃                                                          ┃
    │                                                          │┃                                                          ┃
    │                                                          │┃                                                          ┃
    ╰──────────────────────────────────────────────────────────╯┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛
     q quit · ? help · ↑↓ choose · tab server · c cancel
    ");
}

#[test]
fn more_servers_than_have_room_are_counted() {
    let names = ["a", "b", "c", "d", "e"];
    let mut scene = scene(names.map(idle).into());
    scene.chosen = (3, 0);
    insta::assert_snapshot!(shown(&scene, 60, 20), @"
    ╭ c · ComfyUI 0.8.0 ○ asking ──────────────────────────────╮
    │ RAM  █████░░░░░░░░░░░░░░░░░░░░ 12.00 GiB of 64.00 GiB    │
    │ nothing runs, nothing waits                              │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    │                                                          │
    ╰──────────────────────────────────────────────────────────╯
    ┏ d · ComfyUI 0.8.0 ○ asking ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┓
    ┃ RAM  █████░░░░░░░░░░░░░░░░░░░░ 12.00 GiB of 64.00 GiB    ┃
    ┃ nothing runs, nothing waits                              ┃
    ┃                                                          ┃
    ┃                                                          ┃
    ┃                                                          ┃
    ┃                                                          ┃
    ┃                                                          ┃
    ┃                                                          ┃
    ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛
     3 more: tab · q quit · ? help · ↑↓ choose · c cancel
    ");
}

#[test]
fn what_is_asked_lies_over_the_rest() {
    let mut scene = scene(vec![busy()]);
    scene.chosen = (0, 5);
    scene.over = Over::Question(format!("{} (8f14e45f)", "very ".repeat(30)));
    scene.note = Some("interrupted; it stops at its next node or step".into());
    insta::assert_snapshot!(shown(&scene, 60, 20), @"
    ╭ gpu1 · http://gpu1:8188 · ComfyUI 0.30.0 ● live ─────────╮
    │ RAM  █████░░░░░░░░░░░░░░░░░░░░ 12.00 GiB of 64.00 GiB    │
    │ VRAM ████████████████████████░ 23.00 GiB of 24.00 GiB    │
    │   ▶ 1:23  Portrait                     7 nodes  00000001 │
    │   ████████░░░░░░░░░░ 43 %  3 of 7 nodes                  │
    │     ✓ Load Checkpoint                                    │
    │     ✓ Positive prompt                                    │
    ╔ cancel ══════════════════════════════════════════════════╗
    ║ cancel very very very very very very very very very ve…? ║
    ║ y yes · n no                                             ║
    ╚══════════════════════════════════════════════════════════╝
    │   3  Upscale                          10 nodes  00000004 │
    │   4  Inpainting                       11 nodes  00000005 │
    │ › 5  Video                            12 nodes  00000006 │
    │ ── ended ─────────────────────────────────────────────── │
    │   ✓ done         Landscape  landscape_00012_.png    12 s │
    │   ✗ failed       Portrait  KSampler: CUDA out of m… 12 s │
    │   ■ interrupted  Video  at KSampler                 12 s │
    ╰──────────────────────────────────────────────────────────╯
     interrupted; it stops at its next node or step
    ");
    scene.over = Over::Help;
    insta::assert_snapshot!(shown(&scene, 60, 20), @"
    ╭ gpu1 · http://gpu1:8188 · ComfyUI 0.30.0 ● live ─────────╮
    │ RAM  █████░░░░░░░░░░░░░░░░░░░░ 12.00 GiB of 64.00 GiB    │
    │ VRAM ████████████████████████░ 23.00 GiB of 24.00 GiB    │
    │   ▶ 1:23  Portrait                     7 nodes  00000001 │
    │  ╔ keys ═════════════════════════════════════════════╗   │
    │  ║ q, Esc, Ctrl-C   leave                            ║   │
    │  ║ ↑ ↓              choose a job                     ║   │
    │  ║ Tab ← →          choose a server                  ║   │
    │  ║ c                cancel the job, after a question ║20 │
    │ ─║ ?                close this                       ║── │
    │  ║                                                   ║03 │
    │  ║ Servers tell of nodes only to whoever             ║04 │
    │  ║ submitted a job; of others, steps of              ║05 │
    │ ›║ samplers come from the server's log.              ║06 │
    │ ─╚═══════════════════════════════════════════════════╝── │
    │   ✓ done         Landscape  landscape_00012_.png    12 s │
    │   ✗ failed       Portrait  KSampler: CUDA out of m… 12 s │
    │   ■ interrupted  Video  at KSampler                 12 s │
    ╰──────────────────────────────────────────────────────────╯
     interrupted; it stops at its next node or step
    ");
}

#[test]
fn steps_of_other_peoples_jobs_and_texts_of_nodes_are_shown() {
    let mut panel = busy();
    panel.jobs.truncate(1);
    panel.jobs[0].place = Place::Running { seconds: 83, at_least: true };
    panel.ended.clear();
    panel.progress = Progress {
        steps: Some((7, 20, "3.31it/s".into())),
        text: Some("Ask the cloud: waiting".into()),
        ..Progress::default()
    };
    let with_steps = shown(&scene(vec![panel]), 60, 10);
    insta::assert_snapshot!(with_steps, @"
    ╭ gpu1 · http://gpu1:8188 · ComfyUI 0.30.0 ● live ─────────╮
    │ RAM  █████░░░░░░░░░░░░░░░░░░░░ 12.00 GiB of 64.00 GiB    │
    │ › ▶ over 1:23  Portrait                7 nodes  00000001 │
    │   ██████░░░░░░░░░░░░ step 7/20  3.31it/s                 │
    │   Ask the cloud: waiting                                 │
    │                                                          │
    │                                                          │
    │                                                          │
    ╰──────────────────────────────────────────────────────────╯
     q quit · ? help · ↑↓ choose · c cancel
    ");
    let mut panel = busy();
    panel.progress = Progress::default();
    assert!(shown(&scene(vec![panel]), 60, 10).contains("its nodes are told only to whoever submitted it"));
}

/// Texts of a server that would break the frame or act on the terminal.
#[test]
fn hostile_names_stay_in_their_places() {
    let hostile = "\u{1b}[2J\u{7}\r\n\t\u{202e}evil\u{200b} 漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字";
    let mut panel = busy();
    panel.name = clean(hostile);
    panel.version = clean(hostile);
    panel.jobs.iter_mut().for_each(|job| job.title = clean(hostile));
    panel.progress.nodes.iter_mut().for_each(|node| node.title = clean(hostile));
    panel.progress.text = Some(clean(hostile));
    panel.ended.iter_mut().for_each(|job| job.detail = clean(hostile));
    for (width, height) in [(60, 20), (61, 20), (120, 40), (30, 6), (20, 3), (10, 2), (200, 60)] {
        let text = shown(&scene(vec![panel_of(&panel), panel_of(&panel)]), width, height);
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text}");
        let widest = text.lines().map(unicode_width::UnicodeWidthStr::width).max().unwrap();
        assert!(widest <= usize::from(width), "{widest} in {width}\n{text}");
        assert_eq!(text.lines().count(), usize::from(height));
        if height >= 6 {
            for line in text.lines().take(usize::from(height) - 1) {
                assert!(line.ends_with(['│', '┃', '╮', '┓', '╯', '┛', '║', '╗', '╝']), "{line}\n{text}");
            }
        }
    }
}

fn panel_of(panel: &Panel) -> Panel {
    let mut copy = busy();
    copy.name.clone_from(&panel.name);
    copy.version.clone_from(&panel.version);
    for (copy, job) in copy.jobs.iter_mut().zip(&panel.jobs) {
        copy.title.clone_from(&job.title);
    }
    for (copy, node) in copy.progress.nodes.iter_mut().zip(&panel.progress.nodes) {
        copy.title.clone_from(&node.title);
    }
    copy.progress.text.clone_from(&panel.progress.text);
    for (copy, job) in copy.ended.iter_mut().zip(&panel.ended) {
        copy.detail.clone_from(&job.detail);
    }
    copy
}

#[test]
fn the_chosen_job_of_a_long_queue_can_be_seen() {
    let mut panel = busy();
    panel.jobs.extend((6..200).map(|position| job(position + 1, "Batch", Place::Waiting(position))));
    let mut scene = scene(vec![panel]);
    scene.chosen = (0, 150);
    let text = shown(&scene, 60, 20);
    assert!(text.contains("› 150  Batch"), "{text}");
}

#[test]
fn pictures_are_drawn_where_there_is_colour_and_room() {
    let mut png = std::io::Cursor::new(Vec::new());
    let red = image::RgbImage::from_pixel(64, 48, image::Rgb([200, 30, 30]));
    image::DynamicImage::from(red).write_to(&mut png, image::ImageFormat::Png).unwrap();
    let picture = Arc::new(Picture::decode(png.get_ref()).unwrap());
    let mut panel = busy();
    panel.ended[0].picture = Some(Arc::clone(&picture));
    panel.ended[3].picture = Some(picture);
    let mut scene = scene(vec![panel]);
    assert_eq!(shown(&scene, 120, 40).matches("Landscape").count(), 2, "without colour there are names only");
    scene.colored = true;
    let area = Rect::new(0, 0, 120, 40);
    let mut buffer = Buffer::empty(area);
    draw(&scene, area, &mut buffer);
    let filled = buffer.content().iter().filter(|cell| cell.bg != ratatui::style::Color::Reset).count();
    assert!(filled > 200, "{filled}");
    assert_eq!(shown(&scene, 120, 40).matches("Landscape").count(), 3);
}
