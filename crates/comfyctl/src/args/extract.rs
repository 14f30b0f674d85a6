//! The command line of `extract`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueHint};

const EXTRACT_HELP: &str = "\
Examples:
  comfyctl extract ComfyUI_00001_.png
  comfyctl extract video.mp4 --ui -o workflow.json
  curl -s https://example.com/picture.webp | comfyctl extract - --api | jq keys

Reads PNG, WebP, JPEG, AVIF, HEIF, EXR, SVG, MP4, MOV, WebM, MKV, FLAC, MP3, Ogg, WAV, GLB,
safetensors and latents, and JSON such as the body of a request or an entry of a history. Of large
files only the parts with texts are read.

With --json it prints one object, also when it fails:
  {\"type\":\"result\",\"status\":…,\"file\":…,\"container\":\"PNG\",
   \"format\":\"api\"|\"ui\",\"also\":\"ui\"|\"api\"|null,
   \"workflow\":{…},\"texts\":{…},\"problems\":[…],\"path\":…,\"error\":null}
texts are what else the file carries, and path is where -o has put the workflow.

Exit codes:
  0    the workflow is printed or written
  2    wrong usage, or the file carries no workflow, or not in the format that was asked for";

/// Print the workflow that a picture carries
///
/// Also that of a video, a sound or another file.
#[derive(Debug, ClapArgs)]
#[command(after_long_help = EXTRACT_HELP)]
pub(crate) struct Extract {
    /// File that ComfyUI saved; `-` reads stdin
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) media: PathBuf,
    /// Take the workflow in the API format, as it ran; without --api and --ui, this one if it is there
    #[arg(long, conflicts_with = "ui")]
    pub(crate) api: bool,
    /// Take the workflow as the editor saved it
    #[arg(long)]
    pub(crate) ui: bool,
    /// Write it into this file, replacing what was there
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}
