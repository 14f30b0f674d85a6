//! The rules of the conversion one by one, on small graphs.

mod bypass;
mod dynamic;
mod graph;
mod inputs;
mod text;
mod values;
mod widgets;
