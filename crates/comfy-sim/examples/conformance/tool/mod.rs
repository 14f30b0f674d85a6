//! Comparison of the simulator with the recordings of real servers.

mod corpus;
mod exchange;
mod frames;
mod json;
mod matching;
mod multipart;
mod normal;
mod outcome;
mod player;
mod scenario;
mod servers;
mod socket;
mod transcripts;

pub(crate) use corpus::Corpus;
pub(crate) use outcome::Outcome;
pub(crate) use player::Pace;
pub(crate) use transcripts::{Target, play_all};
