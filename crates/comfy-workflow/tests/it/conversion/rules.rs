//! The rules of the conversion one by one, on small graphs.

mod bypass;
mod dynamic;
mod graph;
mod inputs;
mod primitive;
mod subgraph;
mod text;
mod unknown;
mod values;
mod widgets;
