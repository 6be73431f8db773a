//! precast and wasmtime side by side: one process, the same guests, one table.
//!
//! ```text
//! cargo run --release --manifest-path benches/compare/Cargo.toml -- [FILTER] [OPTION]...
//! ```
//!
//! Both runtimes have the settings a program gets that asks for none. A row is measured in rounds,
//! each of which measures precast and then wasmtime, so that whatever else the machine does falls
//! on both.

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

/// Any failure ends the comparison: a table with holes compares nothing.
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
