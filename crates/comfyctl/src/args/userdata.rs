//! The command line of `userdata`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueHint};

const USERDATA_HELP: &str = "\
Examples:
  comfyctl userdata
  comfyctl userdata ls workflows
  comfyctl userdata get workflows/portrait.json -o portrait.json
  comfyctl userdata get workflows/portrait.json | comfyctl run -
  comfyctl userdata put portrait.json workflows/ --overwrite
  comfyctl userdata --header 'comfy-user: anna_0b1c…' ls

These are the files that the server keeps for its user: the editor's saved workflows are in
`workflows`. Paths have `/` between their parts. On a server that was started with --multi-user,
the header `comfy-user` says whose files; it holds the user's id, which is not the name.

Exit codes:
  0    it is done
  1    there is no such file, or one is in the way
  2    wrong usage, or a file here cannot be read or written
  3    the server cannot be reached, answered nonsense, or does not know the user
  5    the time limit was reached";

/// List, get and store the files of the user
#[derive(Debug, ClapArgs)]
#[command(after_long_help = USERDATA_HELP)]
pub(crate) struct Userdata {
    #[command(subcommand)]
    pub(crate) action: Option<UserdataAction>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserdataAction {
    /// List files and folders, all the way down; this is what happens without a subcommand
    #[command(visible_alias = "list", after_long_help = LS_HELP)]
    Ls {
        /// The folder; without it everything is listed
        #[arg(value_name = "DIR")]
        folder: Option<String>,
    },
    /// Print a file, or write it into one here
    #[command(after_long_help = GET_HELP)]
    Get {
        /// The file on the server
        path: String,
        /// Write to a file, or under its own name into a folder, in place of stdout
        #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        output: Option<PathBuf>,
        /// Write over a file that is there
        #[arg(long, requires = "output")]
        force: bool,
    },
    /// Store a file
    #[command(after_long_help = PUT_HELP)]
    Put {
        /// The file here; `-` reads stdin
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Where to store it; under its own name where this ends in `/`
        path: String,
        /// Replace a file that is there
        #[arg(long)]
        overwrite: bool,
    },
    /// Move a file, or give it another name
    #[command(after_long_help = MV_HELP)]
    Mv {
        /// The file
        #[arg(value_name = "A")]
        from: String,
        /// Its new path; under its old name where this ends in `/`
        #[arg(value_name = "B")]
        to: String,
        /// Replace a file that is there
        #[arg(long)]
        overwrite: bool,
    },
    /// Delete files
    #[command(after_long_help = RM_HELP)]
    Rm {
        /// The files
        #[arg(value_name = "PATH", required = true)]
        paths: Vec<String>,
    },
}

const LS_HELP: &str = "\
Examples:
  comfyctl userdata ls
  comfyctl userdata ls workflows --json | jq -r 'select(.kind == \"file\").path'

With --json there is one line of type `userdata` for each, with kind (file or folder), path, name,
size in bytes and modified, in seconds since 1970.

Exit codes:
  0    it is printed, also when there is nothing
  1    there is no such folder
  3    the server cannot be reached, answered nonsense, or does not know the user
  5    the time limit was reached";

const GET_HELP: &str = "\
Examples:
  comfyctl userdata get workflows/portrait.json | jq '.nodes | length'
  comfyctl userdata get workflows/portrait.json -o .

A file here is replaced only with --force, and appears only when it is complete.

With --json and -o there is one line of type `saved`, with path and bytes.

Exit codes:
  0    it is printed or written
  1    there is no such file
  2    wrong usage, or the file here cannot be written
  3    the server cannot be reached, answered nonsense, or does not know the user
  5    the time limit was reached";

const PUT_HELP: &str = "\
Examples:
  comfyctl userdata put portrait.json workflows/portrait.json
  comfyctl userdata put portrait.json workflows/ --overwrite
  comfyctl extract picture.png --ui | comfyctl userdata put - workflows/picture.json

Prints the path that the file has now. With --json there is one line of type `stored`, with path
and size.

Exit codes:
  0    it is stored
  1    a file of that name is there
  2    wrong usage, or the file here cannot be read
  3    the server cannot be reached, answered nonsense, or does not know the user
  5    the time limit was reached";

const MV_HELP: &str = "\
Examples:
  comfyctl userdata mv workflows/a.json workflows/b.json
  comfyctl userdata mv workflows/a.json workflows/old/

Prints the path that the file has now. With --json there is one line of type `moved`, with path
and size.

Exit codes:
  0    it is moved
  1    there is no such file, or one of the new name is there
  3    the server cannot be reached, answered nonsense, or does not know the user
  5    the time limit was reached";

const RM_HELP: &str = "\
Examples:
  comfyctl userdata rm workflows/a.json workflows/b.json

What cannot be deleted is told, and the others are deleted all the same. With --json there is one
line of type `deleted` for each that is gone.

Exit codes:
  0    all are deleted
  1    a file is not there
  3    the server cannot be reached, answered nonsense, or does not know the user
  5    the time limit was reached";
