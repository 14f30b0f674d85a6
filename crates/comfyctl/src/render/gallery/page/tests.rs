use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::super::tests::{file, picture, row};
use super::super::{RowFile, write_gallery};
use super::media::Shown;
use super::*;

const HOSTILE: &str = "</script><script>alert(1)</script><!-- \"'><img src=x onerror=alert(2)>";

/// A batch with a run of every sort.
fn varied(folder: &Path) -> Vec<Row> {
    let mut rows = Vec::new();
    for (seed, cfg) in [(18_446_744_073_709_551_615_u64, 4), (7, 4), (7, 8)] {
        let mut run = row(&[
            ("KSampler.seed", json!(seed)),
            ("KSampler.cfg", json!(cfg)),
            ("KSampler.steps", json!(20)),
        ]);
        run.label = format!("seed={seed} cfg={cfg}");
        run.workflow = json!({"3": {"class_type": "KSampler", "inputs": {"seed": seed, "text": HOSTILE}}});
        run.editor = Some(json!({"nodes": [], "note": "\\u003c"}));
        run.prompt_id = Some("4e1f1a0c-0000".into());
        run.elapsed = Some(Duration::from_millis(1234));
        run.files.push(picture(folder, &format!("a {seed}-{cfg}.png"), (64, 48), [200, 30, 60]));
        rows.push(run);
    }
    rows[0].texts.push(HOSTILE.into());
    rows[1].files.push(file(folder, "sound.flac", "audio", b"fLaC...."));
    rows[1].files.push(file(folder, "clip.mp4", "video", b"\0\0\0\x18ftypisom"));
    rows[1].files.push(file(folder, "mesh.glb", "3d", b"glTF"));
    rows[2].files.clear();
    rows[2].label = HOSTILE.into();
    rows[2].error = Some(HOSTILE.into());
    rows
}

fn page(path: &Path, rows: &[Row]) -> String {
    write_gallery(path, &format!("Batch {HOSTILE}"), rows).unwrap();
    std::fs::read_to_string(path).unwrap()
}

/// What is in the JSON of that name.
fn block<'a>(page: &'a str, id: &str) -> &'a str {
    let begin = format!("<script type=\"application/json\" id=\"{id}\">");
    page.split_once(&begin).unwrap().1.split_once("</script>").unwrap().0
}

#[test]
fn everything_of_a_run_is_in_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let rows = varied(folder.path());
    let page = page(&folder.path().join("index.html"), &rows);
    let picture = STANDARD.encode(std::fs::read(&rows[0].files[0].path).unwrap());
    assert!(page.contains(&format!("width=\"64\" height=\"48\" loading=\"lazy\" decoding=\"async\" src=\"data:image/png;base64,{picture}\"")));
    assert!(page.contains("src=\"data:audio/flac;base64,") && page.contains("src=\"data:video/mp4;base64,"));
    assert!(page.contains("<span class=\"kind\">3d</span> <a href=\"./mesh.glb\""));
    assert!(page.contains("href=\"./a%207-4.png\""));
    assert!(page.contains("<dt>KSampler.steps</dt><dd>20</dd>"));
    assert!(page.contains("<dt title=\"KSampler.seed\">seed</dt><dd>18446744073709551615</dd>"));
    assert!(page.contains("1.2 s") && page.contains("4e1f1a0c-0000") && page.contains("3 runs, 1 failed"));
    assert_eq!(page.matches("data-state=\"failed\"").count(), 1);
}

#[test]
fn workflows_are_whole_and_those_that_are_equal_are_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = varied(folder.path());
    rows[2].workflow = rows[1].workflow.clone();
    let page = page(&folder.path().join("index.html"), &rows);
    assert_eq!(serde_json::from_str::<Value>(block(&page, "workflow-1")).unwrap(), rows[0].workflow);
    assert_eq!(
        serde_json::from_str::<Value>(block(&page, "workflow-2")).unwrap(),
        rows[0].editor.clone().unwrap()
    );
    assert_eq!(serde_json::from_str::<Value>(block(&page, "workflow-3")).unwrap(), rows[1].workflow);
    assert!(!page.contains("id=\"workflow-4\""));
    assert!(page.contains("data-places=\"1 1\" data-workflow=\"workflow-3\""));
    assert!(block(&page, "workflow-1").contains("18446744073709551615"));
}

#[test]
fn what_others_have_written_is_no_part_of_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = varied(folder.path());
    if cfg!(unix) {
        rows[0].files.push(file(folder.path(), "javascript:alert(1)\"'<b>.bin", "other", b"x"));
        let folder = folder.path().join("</script> #?%");
        std::fs::create_dir_all(&folder).unwrap();
        rows[0].files.push(file(&folder, "x.bin", "other", b"x"));
    }
    let page = page(&folder.path().join("index.html"), &rows);
    // The script, the axes, and the workflows that differ.
    assert_eq!(page.matches("<script").count(), 2 + 3);
    assert_eq!(page.matches("</script").count(), 2 + 3);
    assert!(!page.contains("<img src=x") && !page.contains("<!--") && !page.contains("<b>."));
    if cfg!(unix) {
        assert!(page.contains("href=\"./javascript%3Aalert%281%29%22%27%3Cb%3E.bin\""));
        assert!(page.contains("href=\"./%3C/script%3E%20%23%3F%25/x.bin\""));
    }
}

#[test]
fn the_page_loads_nothing_and_runs_its_own_script_only() {
    let folder = tempfile::tempdir().unwrap();
    let page = page(&folder.path().join("index.html"), &varied(folder.path()));
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("url("));
    assert!(!page.contains(" style=") && !page.contains(" onclick="));
    let policy = page.split_once("Security-Policy\" content=\"").unwrap().1.split_once('"').unwrap().0;
    assert!(policy.starts_with("default-src 'none'; img-src data:; media-src data:; style-src 'sha256-"));
    let script = page.rsplit_once("<script>").unwrap().1.split_once("</script>").unwrap().0;
    assert!(policy.contains(&format!("script-src 'sha256-{}'", STANDARD.encode(Sha256::digest(script)))));
    assert!(!policy.contains("unsafe"));
}

#[test]
fn a_large_picture_is_reduced_and_other_large_files_stay_beside() {
    let folder = tempfile::tempdir().unwrap();
    let small = Limits { picture: 10, media: 10 };
    let large = picture(folder.path(), "large.png", (1100, 10), [1, 2, 3]);
    let Shown::Picture { kind, content, size, whole } = Shown::of(&large, small) else { panic!() };
    assert_eq!((kind, size, whole), ("image/jpeg", Some((1100, 10)), false));
    assert_eq!(image::load_from_memory(&content).unwrap().width(), 1024);
    image::RgbaImage::new(8, 8).save(&large.path).unwrap();
    assert!(matches!(Shown::of(&large, small), Shown::Picture { kind: "image/png", whole: false, .. }));

    let mut run = row(&[]);
    run.files.push(RowFile { title: Some("Save".into()), ..large });
    let clip = file(folder.path(), "clip.mp4", "video", b"\0\0\0\x18ftypisom");
    std::fs::File::options().write(true).open(&clip.path).unwrap().set_len(17 << 20).unwrap();
    run.files.push(clip);
    let page = page(&folder.path().join("index.html"), &[run]);
    assert!(page.contains("<img alt=\"a run: Save, 1 of 2\" width=\"8\" height=\"8\""));
    assert!(page.contains("<span class=\"kind\">video</span> <a href=\"./clip.mp4\""));
    assert!(page.contains("17.00 MiB") && !page.contains("<video"));
}

#[test]
fn the_more_bytes_there_are_the_smaller_each_file_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = row(&[]);
    for place in 0..64 {
        let file = file(folder.path(), &format!("{place}.bin"), "other", b"");
        std::fs::File::options().write(true).open(&file.path).unwrap().set_len(5 << 20).unwrap();
        run.files.push(file);
    }
    assert_eq!(Limits::of(&[run.clone()]).picture, 4 << 20);
    run.files.truncate(2);
    assert_eq!(Limits::of(&[run]).picture, 8 << 20);
}

#[test]
fn files_elsewhere_are_linked_from_where_the_page_is() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("pages/one")).unwrap();
    std::fs::create_dir(folder.path().join("out")).unwrap();
    let mut run = row(&[]);
    run.files.push(file(&folder.path().join("out"), "mesh.glb", "3d", b"glTF"));
    run.files.push(RowFile { path: folder.path().join("out/gone.png"), ..run.files[0].clone() });
    run.files.push(RowFile { path: folder.path().join("nowhere/x.png"), ..run.files[0].clone() });
    let page = page(&folder.path().join("pages/one/index.html"), &[run]);
    assert!(page.contains("href=\"./../../out/mesh.glb\""));
    assert!(page.contains(">gone.png</a> missing") && page.contains("<span>x.png</span> missing"));
}

#[test]
fn a_page_without_runs_says_so() {
    let folder = tempfile::tempdir().unwrap();
    assert!(page(&folder.path().join("index.html"), &[]).contains("role=\"status\">0 runs"));
}

#[test]
fn a_folder_is_no_page_and_names_of_downloads_are_plain() {
    let folder = tempfile::tempdir().unwrap();
    let failure = write_gallery(folder.path(), "title", &[]).unwrap_err();
    assert!(failure.report.message.contains("it is a folder"), "{}", failure.report.message);
    assert_eq!(failure.report.hint.as_deref(), Some("choose another file with `--gallery FILE`"));
    assert_eq!(stem("../a b/ç.json"), "a-b-json");
    assert_eq!(stem("猫"), "workflow");
}

/// Opens the page in a browser that has a window of its own nowhere. `None` if there is no such browser.
fn in_a_browser(page: &Path) -> Option<String> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = std::env::split_paths(&std::env::var_os("PATH")?)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|path: &PathBuf| path.is_file())?;
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(found)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "--enable-logging=stderr"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let (dom, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    // Refused loads and errors of the script are said there.
    assert!(!log.contains("CONSOLE"), "{log}");
    Some(dom.into_owned())
}

#[test]
fn a_browser_runs_the_script_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.html");
    page(&path, &varied(folder.path()));
    let Some(dom) = in_a_browser(&path) else {
        println!("skipped: there is no Chromium at hand");
        return;
    };
    assert!(dom.contains("<html lang=\"en\" class=\"js\">"));
    // Filters for both axes, and for the state.
    assert_eq!(dom.matches("<select>").count(), 3);
    assert!(dom.contains("<option value=\"0\">18446744073709551615</option>"));
    assert!(!dom.contains("<script>alert") && !dom.contains("<img src=\"x\""));
}
