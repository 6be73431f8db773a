//! Compares precast and wasmtime: one process, the same guests, one table.
//!
//! ```text
//! cargo run --release --manifest-path benches/compare/Cargo.toml -- [FILTER] [OPTION]...
//! ```
//!
//! Both runtimes have their default settings. A row is measured in rounds, each of which measures
//! precast and then wasmtime, so that other load of the machine affects both.

mod clock;
mod command;
mod compare;
mod guests;
mod options;
mod rows;
mod series;
mod table;
mod timing;

use compare::Compare;
use options::Options;

/// Any failure ends the comparison, because an incomplete table compares nothing.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Result<()> {
    let Some(options) = Options::parse(std::env::args().skip(1))? else {
        print!("{}", options::HELP);
        return Ok(());
    };
    let mut compare = Compare::new(options);
    table::print_header(compare.options());
    rows::call::measure(&mut compare)?;
    rows::wasi::measure(&mut compare)?;
    rows::instantiate::measure(&mut compare)?;
    rows::load::measure(&mut compare)?;
    rows::cache::measure(&mut compare)?;
    rows::start::measure(&mut compare)?;
    rows::compile::measure(&mut compare)?;
    rows::program::measure(&mut compare)?;
    rows::compute::measure(&mut compare)?;
    compare.finish()
}
