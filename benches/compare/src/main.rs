//! Compares precast and wasmtime: one process, the same guests, one table.
//!
//! ```text
//! cargo run --release --manifest-path benches/compare/Cargo.toml -- [FILTER] [OPTION]...
//! ```
//!
//! Both runtimes have their default settings. A row is measured in rounds, each of which measures
//! precast and then wasmtime, so that other load of the machine affects both. `--page docs` writes
//! `docs/benchmarks.md` from the rows.

mod bound;
mod clock;
mod command;
mod compare;
mod guests;
mod options;
mod page;
mod quantity;
mod record;
mod rows;
mod series;
mod table;
mod timing;

use compare::Compare;
use options::Options;

/// The result of anything that may fail.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Result<()> {
    let Some(options) = Options::parse(std::env::args().skip(1))? else {
        print!("{}", options::HELP);
        return Ok(());
    };
    let page = options.page.clone();
    let mut compare = Compare::new(options);
    table::print_header(compare.options());
    compare.kind("call", rows::call::measure);
    compare.kind("wasi", rows::wasi::measure);
    compare.kind("instantiate", rows::instantiate::measure);
    compare.kind("load", rows::load::measure);
    compare.kind("cache", rows::cache::measure);
    compare.kind("start", rows::start::measure);
    compare.kind("compile", rows::compile::measure);
    compare.kind("program", rows::program::measure);
    compare.kind("compute", rows::compute::measure);
    compare.kind("bounded", rows::bounded::measure);
    if let Some(folder) = page {
        page::write(&mut compare, &folder)?;
    }
    compare.finish()
}
