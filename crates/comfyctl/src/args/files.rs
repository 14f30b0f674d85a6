//! The command lines of `upload` and `download`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use comfy_api_client::PictureFormat;

const UPLOAD_HELP: &str = "\
Examples:
  comfyctl upload photo.jpg
  comfyctl upload *.png --subfolder faces
  comfyctl run thumbnail.json --set LoadImage.image=\"$(comfyctl upload photo.jpg)\"
  comfyctl upload mask.png --mask-of photo.png
  ffmpeg -i clip.mov -f matroska - | comfyctl upload - --name clip.mkv

Prints for each file the value to put into an input, such as `faces/photo.png`. The server may give
another name: where a different file of that name is there, it appends a number unless told to
overwrite.

With --json there is one line of type `uploaded` for each file, with `value`, `file` (filename,
subfolder, type), `bytes`, and `existed` where the same content was there already.

Exit codes:
  0    all files are on the server
  1    a file could not be read, or is too large for the server
  2    wrong usage, or a file is not there
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached
  130  stopped by Ctrl-C";

/// Send files to the server
///
/// Prints the values that name them in a workflow.
#[derive(Debug, ClapArgs)]
#[command(after_long_help = UPLOAD_HELP)]
pub(crate) struct Upload {
    /// Files; `-` reads stdin and wants `--name`
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Name on the server, in place of the file's own
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Folder below that of the type; made if it does not exist
    #[arg(long, value_name = "FOLDER", default_value = "", hide_default_value = true)]
    pub(crate) subfolder: String,
    /// Which of the server's folders
    #[arg(long = "type", value_name = "TYPE", value_enum, default_value_t = WhereMode::Input)]
    pub(crate) folder: WhereMode,
    /// Replace a different file of the same name
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Put the transparency of FILE on this picture of the server, such as `photo.png` or `photo.png [output]`
    #[arg(long, value_name = "NAME")]
    pub(crate) mask_of: Option<String>,
}

const DOWNLOAD_HELP: &str = "\
Examples:
  comfyctl download hello_00001_.png
  comfyctl download 'clips/a_00001_.mp4' -o videos/
  comfyctl download 'photo.png [input]' -o copy.png
  comfyctl download hello_00001_.png -o - | convert - hello.gif
  comfyctl download hello_00001_.png --preview 'webp;80'

A NAME is what `comfyctl history show ID` prints: a name, with its subfolder before and its type
behind where it has them. Prints the path of each file. A file appears only when it is complete,
and a transfer that breaks goes on where it was. Below a folder nothing is overwritten without
--force: a number is appended; a FILE given with -o is replaced.

With --json there is one line of type `downloaded` for each file, with `path`, `file` (filename,
subfolder, type) and `bytes`.

Exit codes:
  0    all files are there
  1    the server does not have a file, or it could not be written
  2    wrong usage
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached
  130  stopped by Ctrl-C";

/// Download files of the server by their names
#[derive(Debug, ClapArgs)]
#[command(after_long_help = DOWNLOAD_HELP)]
pub(crate) struct Download {
    /// Names of files, such as `a.png`, `sub/a.png` or `a.png [input]`
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<String>,
    /// Write to this file, into this folder (which ends with `/` or exists), or with `-` to stdout
    #[arg(short, long, value_name = "FILE|DIR/|-")]
    pub(crate) output: Option<PathBuf>,
    /// Folder below that of the type
    #[arg(long, value_name = "FOLDER")]
    pub(crate) subfolder: Option<String>,
    /// Which of the server's folders, for names that do not say it
    #[arg(long = "type", value_name = "TYPE", value_enum, default_value_t = WhereMode::Output)]
    pub(crate) folder: WhereMode,
    /// Overwrite files that exist, instead of appending a number
    #[arg(long)]
    pub(crate) force: bool,
    /// Have the server make a smaller file of a picture: `webp` or `jpeg`, and a quality as in `webp;80`
    #[arg(long, value_name = "FORMAT[;QUALITY]", value_parser = picture)]
    pub(crate) preview: Option<Picture>,
}

/// The folders of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhereMode {
    /// What workflows read
    Input,
    /// What goes when the server restarts
    Temp,
    /// What workflows save
    Output,
}

impl WhereMode {
    pub(crate) const ALL: [Self; 3] = [Self::Input, Self::Temp, Self::Output];

    /// As it stands on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Temp => "temp",
            Self::Output => "output",
        }
    }
}

/// A form of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) format: PictureFormat,
    pub(crate) quality: u8,
}

fn picture(text: &str) -> Result<Picture, String> {
    // A semicolon wants quotes in a shell, a colon does not.
    let (format, quality) = text.split_once([';', ':']).unwrap_or((text, "90"));
    let format = match format {
        "webp" => PictureFormat::Webp,
        "jpeg" | "jpg" => PictureFormat::Jpeg,
        _ => return Err("the format is `webp` or `jpeg`".into()),
    };
    match quality.parse() {
        Ok(quality @ 1..=100) => Ok(Picture { format, quality }),
        _ => Err("the quality is a number from 1 to 100".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_have_a_format_and_a_quality() {
        let is = |format, quality| Ok(Picture { format, quality });
        assert_eq!(picture("webp"), is(PictureFormat::Webp, 90));
        assert_eq!(picture("webp;50"), is(PictureFormat::Webp, 50));
        assert_eq!(picture("jpeg:1"), is(PictureFormat::Jpeg, 1));
        for wrong in ["", "png", "webp;", "webp;0", "webp;101", "jpeg;x"] {
            assert!(picture(wrong).is_err(), "{wrong}");
        }
    }
}
