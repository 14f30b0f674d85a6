//! `man`: manual pages, made of the help.

use std::io;
use std::path::Path;

use clap::Command;
use clap_mangen::roff::{Roff, roman};
use serde_json::json;

use crate::args::{self, Man};
use crate::commands::output_file;
use crate::commands::request::ended;
use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;

/// Prints a page, or writes all of them.
pub(crate) fn man(printer: &Printer, args: &Man) -> Exit {
    let mut root = args::command().disable_help_subcommand(true);
    root.build();
    let result = match &args.output {
        Some(folder) => write_all(printer, &root, folder),
        None => find(&root, &args.command).and_then(|command| print(printer, command)),
    };
    ended(printer, result)
}

fn find<'a>(root: &'a Command, names: &[String]) -> Result<&'a Command, Failure> {
    // `comfyctl man comfyctl` is what people try.
    let names = names.strip_prefix(&["comfyctl".to_owned()]).unwrap_or(names);
    names.iter().try_fold(root, |command, name| {
        command.find_subcommand(name).ok_or_else(|| {
            let message = format!(
                "`{}` has no command `{}`",
                command.get_bin_name().unwrap_or_default(),
                one_line(name)
            );
            Failure::usage("usage", message).with_hint("see `comfyctl --help`")
        })
    })
}

fn print(printer: &Printer, command: &Command) -> Result<(), Failure> {
    let page = page(command)?;
    if printer.is_json() {
        printer.json(&json!({
            "type": "page", "command": command.get_bin_name(), "page": String::from_utf8_lossy(&page),
        }));
    } else {
        printer.bytes(&page);
    }
    Ok(())
}

fn write_all(printer: &Printer, root: &Command, folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| {
        let shown = one_line(&folder.display().to_string());
        Failure::of_file("io", &format!("cannot make the folder {shown}"), &error)
    })?;
    write(printer, root, folder)
}

fn write(printer: &Printer, command: &Command, folder: &Path) -> Result<(), Failure> {
    let path = folder.join(clap_mangen::Man::new(command.clone()).get_filename());
    output_file::write(&path, &page(command)?)?;
    let shown = path.display().to_string();
    printer.json(&json!({"type": "page", "command": command.get_bin_name(), "path": shown}));
    if !printer.is_json() {
        printer.line(&shown);
    }
    command.get_subcommands().try_for_each(|inner| write(printer, inner, folder))
}

fn page(command: &Command) -> Result<Vec<u8>, Failure> {
    let page = || {
        // Options that every command has would drown the others.
        let usage = command.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage:").trim().to_owned();
        let man = clap_mangen::Man::new(command.clone().override_usage(usage))
            .source(concat!("comfyctl ", env!("CARGO_PKG_VERSION")))
            .manual("comfyctl");
        let mut page = Vec::new();
        man.render_title(&mut page)?;
        man.render_name_section(&mut page)?;
        man.render_synopsis_section(&mut page)?;
        man.render_description_section(&mut page)?;
        if command.has_subcommands() {
            man.render_subcommands_section(&mut page)?;
        }
        man.render_options_section(&mut page)?;
        after_help(command).to_writer(&mut page)?;
        Ok(plain(&String::from_utf8_lossy(&page)))
    };
    page().map_err(|error: io::Error| Failure::of_file("io", "cannot make the page", &error))
}

/// A page that every roff reads: what is not ASCII is written out, and the head that each part brings stands there once.
fn plain(page: &str) -> Vec<u8> {
    let mut plain = String::new();
    let mut has_head = false;
    for line in page.lines() {
        let is_head = line.starts_with(".ie ") || line.starts_with(".el ");
        if is_head && has_head {
            continue;
        }
        has_head |= line.starts_with(".el ");
        for c in line.chars() {
            match c {
                c if c.is_ascii() => plain.push(c),
                c => plain.push_str(&format!("\\[u{:04X}]", u32::from(c))),
            }
        }
        plain.push('\n');
    }
    plain.into_bytes()
}

/// A part of the help that stands below the options.
enum Block<'a> {
    Text(Vec<&'a str>),
    /// Lines that stay as they are.
    Lines(Vec<&'a str>),
}

/// Examples, exit codes and notes: indented lines below a line with a colon are a section.
fn after_help(command: &Command) -> Roff {
    let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let mut sections: Vec<(String, Vec<Block<'_>>)> = Vec::new();
    let mut add = |title: &str, block| match sections.iter_mut().find(|(other, _)| other == title) {
        Some((_, blocks)) => blocks.push(block),
        None => sections.push((title.to_owned(), vec![block])),
    };
    let mut last = "NOTES".to_owned();
    for paragraph in help.split("\n\n") {
        let lines: Vec<&str> = paragraph.lines().collect();
        let Some((head, rest)) = lines.split_first() else { continue };
        let is_indented = |line: &&str| line.starts_with(' ');
        match head.strip_suffix(':') {
            Some(title) if !rest.is_empty() && rest.iter().all(is_indented) => {
                last = match title.split(',').next().unwrap_or(title) {
                    "Exit codes" => "EXIT STATUS".to_owned(),
                    title => title.to_uppercase(),
                };
                add(&last, Block::Lines(rest.to_vec()));
            }
            // What is indented belongs to what is above.
            _ if lines.iter().all(is_indented) => add(&last, Block::Lines(lines)),
            _ => {
                last = "NOTES".to_owned();
                for lines in lines.chunk_by(|a, b| is_indented(a) == is_indented(b)) {
                    match is_indented(&lines[0]) {
                        true => add(&last, Block::Lines(lines.to_vec())),
                        false => add(&last, Block::Text(lines.to_vec())),
                    }
                }
            }
        }
    }
    let mut roff = Roff::new();
    for (title, blocks) in &sections {
        roff.control("SH", [title.as_str()]);
        for (place, block) in blocks.iter().enumerate() {
            if place > 0 {
                roff.control("PP", []);
            }
            match block {
                Block::Text(lines) => {
                    roff.text([roman(lines.join(" "))]);
                }
                Block::Lines(lines) => {
                    roff.control("nf", []);
                    for line in lines {
                        roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
                    }
                    roff.control("fi", []);
                }
            }
        }
    }
    roff
}
