use super::*;

fn files() -> (tempfile::TempDir, Files) {
    let directory = tempfile::tempdir().expect("temporary directory");
    let files = Files::new(directory.path().join("base"));
    (directory, files)
}

fn store(files: &Files, subfolder: &str, name: &str, bytes: &[u8]) -> Result<StoredName, FilesError> {
    files.store_upload(Folder::Input, subfolder, name, &Upload::of(bytes, false))
}

#[test]
fn folders_are_known_by_their_exact_names() {
    for folder in Folder::ALL {
        assert_eq!(Folder::parse(folder.as_str()), Some(folder));
    }
    for name in ["", "INPUT", "models", "input "] {
        assert_eq!(Folder::parse(name), None);
    }
}

#[test]
fn paths_that_leave_their_folder_are_refused() {
    let (_directory, files) = files();
    for path in [
        "..",
        "../..",
        "../../etc/passwd",
        "a/../..",
        "a/../../output/x",
        "/etc/passwd",
        "//x",
        "../output/x",
    ] {
        assert!(matches!(files.resolve(Folder::Input, path), Err(FilesError::Outside)), "{path}");
    }
    assert!(matches!(files.resolve(Folder::Input, "a\0b"), Err(FilesError::BadName)));
}

#[test]
fn paths_that_come_back_are_accepted() {
    let (_directory, files) = files();
    let root = files.root(Folder::Input);
    for path in ["a.png", "./a.png", "x/../a.png", "../input/a.png", "x/./..//a.png", "a.png/"] {
        assert_eq!(files.resolve(Folder::Input, path).expect(path), root.join("a.png"), "{path}");
    }
    assert_eq!(files.resolve(Folder::Input, "").expect("the folder"), root);
}

#[test]
fn a_name_may_leave_its_subfolder_but_not_its_folder() {
    let (_directory, files) = files();
    let root = files.root(Folder::Output);
    let resolve = |name| files.resolve_in(Folder::Output, "sub", name);
    assert_eq!(resolve("a.png").expect("plain"), root.join("sub").join("a.png"));
    assert_eq!(resolve("../a.png").expect("beside"), root.join("a.png"));
    assert_eq!(resolve("../../output/a.png").expect("out and in again"), root.join("a.png"));
    for name in ["../../a.png", "/a.png", "../../input/a.png"] {
        assert!(matches!(resolve(name), Err(FilesError::Outside)), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn symbolic_links_do_not_lead_outside() {
    let (directory, files) = files();
    let root = files.resolve(Folder::Input, "").expect("the folder");
    let elsewhere = directory.path().join("elsewhere");
    fs::create_dir_all(&elsewhere).expect("create");
    fs::write(elsewhere.join("secret.png"), b"x").expect("write");
    std::os::unix::fs::symlink(&elsewhere, root.join("link")).expect("link");
    std::os::unix::fs::symlink(elsewhere.join("missing"), root.join("dangling")).expect("link");
    for path in ["link", "link/secret.png", "link/new.png", "link/new/deep.png", "dangling", "dangling/x"] {
        assert!(matches!(files.resolve(Folder::Input, path), Err(FilesError::Outside)), "{path}");
    }
    assert!(store(&files, "link", "a.png", b"x").is_err());
    fs::create_dir_all(files.root(Folder::Output)).expect("create");
    std::os::unix::fs::symlink(&elsewhere, files.root(Folder::Output).join("out")).expect("link");
    assert!(matches!(files.save_target(Folder::Output, "out/x", 1, 1), Err(FilesError::SaveOutside { .. })));

    fs::create_dir_all(root.join("real")).expect("create");
    std::os::unix::fs::symlink(root.join("real"), root.join("inner")).expect("link");
    assert!(files.resolve(Folder::Input, "inner/a.png").is_ok(), "a link within the folder is fine");
}

#[test]
fn names_may_carry_their_folder() {
    let split = |name| Files::split_annotation(name, Folder::Input);
    assert_eq!(split("a.png"), ("a.png", Folder::Input));
    assert_eq!(split("a b.png [output]"), ("a b.png", Folder::Output));
    assert_eq!(split("sub/a.png [temp]"), ("sub/a.png", Folder::Temp));
    assert_eq!(split("a.png [input]"), ("a.png", Folder::Input));
    assert_eq!(split("a.png[output]"), ("a.png[output]", Folder::Input));
    assert_eq!(split("a.png [models]"), ("a.png [models]", Folder::Input));
}

#[test]
fn uploads_with_a_taken_name_are_numbered_unless_they_are_the_same() {
    let (_directory, files) = files();
    let name = |bytes: &[u8]| store(&files, "", "a.png", bytes).expect("stored").name;
    assert_eq!(name(b"one"), "a.png");
    assert_eq!(name(b"one"), "a.png");
    assert_eq!(name(b"two"), "a (1).png");
    assert_eq!(name(b"two"), "a (1).png");
    assert_eq!(name(b"six"), "a (2).png");
    assert_eq!(files.list(Folder::Input), ["a (1).png", "a (2).png", "a.png"]);
    let stored = files.store_upload(Folder::Input, "", "a.png", &Upload::of(b"two", true)).expect("stored");
    assert_eq!(stored.name, "a.png");
    assert_eq!(fs::read(files.root(Folder::Input).join("a.png")).expect("read"), b"two");
}

#[test]
fn numbers_stand_before_the_extension() {
    let (_directory, files) = files();
    store(&files, "sub.d", "x", b"1").expect("stored");
    for (name, numbered) in [
        ("a.tar.gz", "a.tar (1).gz"),
        ("noext", "noext (1)"),
        (".hidden", ".hidden (1)"),
        ("sub.d/noext", "sub.d/noext (1)"),
        ("ünï画.png", "ünï画 (1).png"),
    ] {
        assert_eq!(store(&files, "", name, b"1").expect("stored").name, name);
        assert_eq!(store(&files, "", name, b"2").expect("stored").name, numbered);
    }
}

#[test]
fn uploads_go_where_they_are_sent_and_nowhere_else() {
    let (directory, files) = files();
    let stored = store(&files, "./x/../y", "s.png", b"x").expect("stored");
    assert_eq!(stored.subfolder, "./x/../y");
    assert!(files.root(Folder::Input).join("y").join("s.png").is_file());
    assert_eq!(store(&files, "", "/abs.png", b"x").expect("stored").name, "abs.png");
    // A folder is made for the subfolder, not for a name with a slash.
    assert!(matches!(store(&files, "sub", "in/deep.png", b"x"), Err(FilesError::Io { .. })));
    store(&files, "sub/in", "s.png", b"x").expect("stored");
    assert_eq!(store(&files, "sub", "in/deep.png", b"x").expect("stored").name, "in/deep.png");
    for (subfolder, name) in [
        ("..", "s.png"),
        ("../..", "s.png"),
        ("/tmp/x", "s.png"),
        ("a/../../output", "s.png"),
        ("", "../up.png"),
        ("", ".."),
    ] {
        assert!(
            matches!(store(&files, subfolder, name, b"x"), Err(FilesError::Outside)),
            "{subfolder} {name}"
        );
    }
    for name in ["", ".", "/", "a\0.png"] {
        assert!(matches!(store(&files, "", name, b"x"), Err(FilesError::BadName)), "{name:?}");
    }
    assert!(matches!(store(&files, "", &"x".repeat(300), b"x"), Err(FilesError::Io { .. })));
    let entries: Vec<_> = fs::read_dir(directory.path())
        .expect("read")
        .map(|entry| entry.expect("entry").file_name())
        .collect();
    assert_eq!(entries, ["base"]);
}

fn next(files: &Files, prefix: &str) -> (String, String) {
    let mut target = files.save_target(Folder::Output, prefix, 3, 2).expect(prefix);
    let name = target.next_name(0);
    fs::write(target.directory.join(&name), b"x").expect("write");
    (target.subfolder.clone(), name)
}

fn pair(subfolder: &str, name: &str) -> (String, String) {
    (subfolder.to_owned(), name.to_owned())
}

#[test]
fn pictures_are_counted_per_prefix_and_folder() {
    let (_directory, files) = files();
    assert_eq!(next(&files, "a"), pair("", "a_00001_.png"));
    assert_eq!(next(&files, "a"), pair("", "a_00002_.png"));
    assert_eq!(next(&files, "b"), pair("", "b_00001_.png"));
    assert_eq!(next(&files, "sub/a"), pair("sub", "a_00001_.png"));
    fs::write(files.root(Folder::Output).join("a_00041_.txt"), b"x").expect("write");
    fs::write(files.root(Folder::Output).join("a_x_.png"), b"x").expect("write");
    fs::write(files.root(Folder::Output).join("aa_00099_.png"), b"x").expect("write");
    assert_eq!(next(&files, "a"), pair("", "a_00042_.png"));
    fs::remove_file(files.root(Folder::Output).join("a_00042_.png")).expect("remove");
    assert_eq!(next(&files, "a"), pair("", "a_00042_.png"));
    let mut batch = files.save_target(Folder::Temp, "a", 1, 1).expect("target");
    assert_eq!(
        [batch.next_name(0), batch.next_name(1)],
        ["a_00001_.png".to_owned(), "a_00002_.png".to_owned()]
    );
}

#[test]
fn prefixes_are_tidied_up() {
    let (_directory, files) = files();
    for (prefix, subfolder, name) in [
        ("za/../zc", "", "zc_00001_.png"),
        ("zd//e", "zd", "e_00001_.png"),
        ("zf/", "", "zf_00001_.png"),
        ("", "", "._00001_.png"),
        ("..", "", ".._00001_.png"),
        ("zi/./j", "zi", "j_00001_.png"),
        ("./zk", "", "zk_00001_.png"),
        ("%date:yyyy%zl", "", "%date:yyyy%zl_00001_.png"),
        ("zé_1", "", "zé_1_00001_.png"),
        ("z/%width%x%height%", "z", "3x2_00001_.png"),
    ] {
        assert_eq!(next(&files, prefix), pair(subfolder, name), "{prefix}");
    }
}

#[test]
fn prefixes_that_lead_outside_fail_in_the_servers_words() {
    let (_directory, files) = files();
    let root = files.root(Folder::Output);
    let base = root.parent().expect("base").to_owned();
    for (prefix, left) in [
        ("../zx", base.clone()),
        ("zh/../../x", base.clone()),
        ("../y/zx", base.join("y")),
        ("/zabs", PathBuf::from("/")),
        ("/a/b", PathBuf::from("/a")),
    ] {
        let error = files.save_target(Folder::Output, prefix, 1, 1).expect_err(prefix);
        let expected = format!(
            "**** ERROR: Saving image outside the output folder is not allowed.\n full_output_folder: {}\n         output_dir: {}",
            left.display(),
            root.display()
        );
        assert_eq!(error.to_string(), expected);
    }
    assert!(matches!(files.save_target(Folder::Output, "z\0b", 1, 1), Err(FilesError::BadName)));
}

#[test]
fn dates_are_filled_in_with_leading_zeros() {
    let (_directory, files) = files();
    let (_, name) = next(&files, "%year%-%month%-%day% %hour%.%minute%.%second%");
    let digits: String = name.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(digits, "0000-00-00 00.00.00_00000_.png");
}

#[test]
fn the_place_in_the_batch_is_filled_in_last() {
    let (_directory, files) = files();
    for _ in 0..2 {
        let mut target = files.save_target(Folder::Output, "b%batch_num%", 1, 1).expect("target");
        for (position, expected) in ["b0_00001_.png", "b1_00002_.png"].into_iter().enumerate() {
            let name = target.next_name(position);
            assert_eq!(name, expected);
            fs::write(target.directory.join(name), b"x").expect("write");
        }
    }
}

#[test]
fn temporary_files_are_removed_at_the_start_and_others_kept() {
    let (_directory, files) = files();
    files.prepare().expect("nothing to remove");
    for folder in Folder::ALL {
        files.store_upload(folder, "", "a.png", &Upload::of(b"x", false)).expect("stored");
    }
    files.prepare().expect("removed");
    assert_eq!(Folder::ALL.map(|folder| files.list(folder).len()), [1, 1, 0]);
}

#[test]
fn numbers_are_right_also_when_others_add_and_remove_files() {
    let (_folder, files) = files();
    files.prepare().expect("folders");
    let save = |prefix: &str| {
        let mut target = files.save_target(Folder::Output, prefix, 1, 1).expect("target");
        let name = target.next_name(0);
        fs::write(target.directory.join(&name), "x").expect("written");
        name
    };
    let others = |change: &dyn Fn(PathBuf)| {
        // Until the clock of the file system has moved on: what is changed in the same moment is not seen.
        let probe = files.root(Folder::Temp).join("probe");
        let moment = || {
            fs::write(&probe, "x").expect("written");
            fs::metadata(&probe).and_then(|data| data.modified()).expect("time")
        };
        let begin = moment();
        while moment() == begin {}
        change(files.root(Folder::Output));
    };
    assert_eq!(
        (save("a"), save("b"), save("a")),
        ("a_00001_.png".into(), "b_00001_.png".into(), "a_00002_.png".into())
    );
    others(&|folder| fs::write(folder.join("a_00041_.jpg"), "x").expect("written"));
    assert_eq!((save("b"), save("a")), ("b_00002_.png".into(), "a_00042_.png".into()));
    others(&|folder| fs::remove_file(folder.join("a_00042_.png")).expect("removed"));
    assert_eq!(save("a"), "a_00042_.png");
    others(&|folder| fs::remove_dir_all(folder).expect("removed"));
    assert_eq!(save("a"), "a_00001_.png");
}

#[cfg(unix)]
#[test]
fn a_known_folder_that_becomes_a_way_out_is_seen() {
    let (directory, files) = files();
    assert_eq!(next(&files, "sub/a"), pair("sub", "a_00001_.png"));
    assert_eq!(next(&files, "sub/a"), pair("sub", "a_00002_.png"));
    let folder = files.root(Folder::Output).join("sub");
    let elsewhere = directory.path().join("elsewhere");
    fs::create_dir_all(&elsewhere).expect("create");
    fs::rename(&folder, directory.path().join("away")).expect("rename");
    std::os::unix::fs::symlink(&elsewhere, &folder).expect("link");
    assert!(matches!(files.save_target(Folder::Output, "sub/a", 1, 1), Err(FilesError::SaveOutside { .. })));
}
