//! The command line of precast. Its commands live in `cli`, one file each.

#![forbid(unsafe_code)]

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
