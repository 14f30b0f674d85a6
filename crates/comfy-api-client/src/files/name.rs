//! Names that a server gives, made safe for this side.

use std::path::{Path, PathBuf};

use comfy_protocol::FileRef;

use crate::text::is_invisible;

/// Bytes that a name may have on every usual file system, with room for a number.
const LONGEST_NAME: usize = 240;

/// Where a file of the server belongs below a folder: its subfolder and name, every part of them made safe.
pub(crate) fn local_path(file: &FileRef) -> PathBuf {
    let mut path: PathBuf = parts(&file.subfolder).collect();
    // A name with a separator is a name on some other system; only its last part is one here.
    path.push(parts(&file.filename).last().unwrap_or_else(|| "output".into()));
    path
}

/// Where a file with a name of somebody's choice belongs below a folder: `/` leads into subfolders, and every part is made
/// safe.
pub(crate) fn chosen_path(name: &str) -> PathBuf {
    let path: PathBuf = parts(name).collect();
    if path.as_os_str().is_empty() { "output".into() } else { path }
}

/// `path` for 0, else with the number before its extension: `a-1.png`.
pub(crate) fn numbered(path: &Path, number: u32) -> PathBuf {
    if number == 0 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension =
        path.extension().map(|extension| format!(".{}", extension.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}-{number}{extension}"))
}

fn parts(path: &str) -> impl Iterator<Item = String> {
    path.split(['/', '\\']).map(safe_part).filter(|part| !part.is_empty())
}

/// One part of a path, without what leads elsewhere, cannot be written, or plays tricks on a terminal.
fn safe_part(part: &str) -> String {
    let replaced =
        |c: char| matches!(c, ':' | '*' | '?' | '"' | '<' | '>' | '|') || c.is_control() || is_invisible(c);
    let safe: String = part.chars().map(|c| if replaced(c) { '_' } else { c }).collect();
    // Windows drops dots and blanks at the end, so that `..` and `.. ` are the same to it.
    let safe = safe.trim().trim_end_matches(['.', ' ']);
    if safe.trim_start_matches('.').is_empty() {
        return String::new();
    }
    let device = safe.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let safe = if is_device(&device) { format!("_{safe}") } else { safe.to_owned() };
    shortened(safe)
}

fn is_device(name: &str) -> bool {
    let numbered = |prefix: &str| {
        name.strip_prefix(prefix)
            .is_some_and(|digit| digit.len() == 1 && digit.bytes().all(|byte| byte.is_ascii_digit()))
    };
    matches!(name, "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

/// A name of at most [`LONGEST_NAME`] bytes, which keeps its extension.
fn shortened(name: String) -> String {
    if name.len() <= LONGEST_NAME {
        return name;
    }
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| format!(".{extension}"))
        .filter(|extension| extension.len() < 20);
    let extension = extension.unwrap_or_default();
    let mut end = LONGEST_NAME - extension.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{extension}", &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(subfolder: &str, filename: &str) -> String {
        let file = FileRef { subfolder: subfolder.into(), ..FileRef::new(filename) };
        local_path(&file).to_str().unwrap().to_owned()
    }

    #[test]
    fn ordinary_names_stay_as_they_are() {
        assert_eq!(local("a/b", "ü t_00001_.png"), "a/b/ü t_00001_.png");
        assert_eq!(local("", "a (1).tar.gz"), "a (1).tar.gz");
        assert_eq!(local("", ".hidden"), ".hidden");
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        assert_eq!(local("../../etc", "passwd"), "etc/passwd");
        assert_eq!(local("/etc", "/home/x"), "etc/x");
        assert_eq!(local("", "..\\..\\x.png"), "x.png");
        assert_eq!(local("C:\\a", "C:x"), "C_/a/C_x");
        for nothing in ["", "..", "/", ".. ", "...", "\\"] {
            assert_eq!(local(nothing, nothing), "output", "{nothing:?}");
        }
    }

    #[test]
    fn no_chosen_name_leads_out_of_the_folder_either() {
        let chosen = |name: &str| chosen_path(name).to_str().unwrap().to_owned();
        assert_eq!(chosen("cats/ü 1.png"), "cats/ü 1.png");
        assert_eq!(chosen("../../etc//./passwd"), "etc/passwd");
        assert_eq!(chosen("/etc/NUL"), "etc/_NUL");
        assert_eq!(chosen("C:\\x\n"), "C_/x_");
        assert_eq!(chosen("../"), "output");
    }

    #[test]
    fn names_that_systems_or_terminals_misread_are_changed() {
        assert_eq!(local("", "a\x1b[31m\n\u{202e}gnp.exe"), "a_[31m__gnp.exe");
        assert_eq!(local("", "NUL.png"), "_NUL.png");
        assert_eq!(local("", "com1"), "_com1");
        assert_eq!(local("", "a?b*c"), "a_b_c");
    }

    #[test]
    fn long_names_are_cut_between_characters_and_keep_their_extension() {
        let name = local("", &format!("{}.png", "ü".repeat(300)));
        assert!(name.len() <= LONGEST_NAME && name.ends_with("ü.png"), "{name}");
    }

    #[test]
    fn a_number_goes_before_the_extension() {
        assert_eq!(numbered(Path::new("d/a.b.png"), 2), Path::new("d/a.b-2.png"));
        assert_eq!(numbered(Path::new("a"), 1), Path::new("a-1"));
    }
}
