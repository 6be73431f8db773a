//! The cache as an enemy meets it: damage, crowds, crashes, full disks, folders of others.

mod artifacts;
mod bounds;
#[path = "../support/command.rs"]
mod command;
mod commands;
mod damage;
mod flight;
mod folders;
mod functions;
mod hits;
mod hostile;
mod modules;
mod place;
mod yesterday;

use modules::{assert_answers, module, open, runtime};
