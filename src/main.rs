//! The command line of precast. Its commands live in `cli`, one file each.

// One file of it may run what the user vouches for: `cli/consent.rs`.
#![deny(unsafe_code)]

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
