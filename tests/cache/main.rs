//! Tests of the cache under hostile conditions: damage, many processes, crashes, full disks,
//! folders of other users.

mod artifacts;
#[path = "../support/binary.rs"]
mod binary;
mod bounds;
mod commands;
mod damage;
mod flight;
mod folders;
mod functions;
mod hits;
mod hostile;
mod modules;
mod scratch;
mod unseen_changes;

use modules::{assert_answers, module, open, runtime};
