//! Comparison of the simulator with the recordings of real servers.

mod clients;
mod corpus;
mod exchange;
mod frames;
mod json;
mod known;
mod matching;
mod multipart;
mod normal;
mod outcome;
mod pixels;
mod player;
mod prompts;
mod report;
mod scenario;
mod seed;
mod servers;
mod socket;
mod transcripts;
mod validation;

pub(crate) use clients::table as clients;
pub(crate) use corpus::Corpus;
#[allow(unused_imports, reason = "only the test names it")]
pub(crate) use outcome::Outcome;
pub(crate) use pixels::compare as pixels;
pub(crate) use player::Pace;
pub(crate) use report::{Section, differences, known, numbers};
pub(crate) use transcripts::{Target, play_all};
pub(crate) use validation::{answers, runs};
