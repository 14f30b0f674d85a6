//! Every route of the servers, by area: on the simulator or on what real servers said, and on a real server.

mod assets;
mod control;
mod coverage;
mod frontend;
mod jobs;
mod models;
mod nodes;
mod raw;
mod system;
mod tasks;
mod userdata;
mod users;
