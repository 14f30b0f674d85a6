//! What the editor's documents become, beside what the editor itself made of them.

mod compare;
mod drawing;
mod fixtures;
mod pairs;
mod rules;
