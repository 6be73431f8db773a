//! Programs that read files: WASI and machine code together.

use crate::Result;
use crate::bound::Bound;
use crate::command::Command;
use crate::compare::Compare;
use crate::guests;
use crate::rows::compute::sides;

/// Measures the rows: a compiled program, from the call of its start function to its end.
pub(crate) fn measure(compare: &mut Compare) -> Result<()> {
    let programs: [(&str, &[&str]); 4] = [
        ("demo.wasm", &["access.log"]),
        ("programs/gz/gz.wasm", &["report", "access.log", "orders.csv", "notes.md", "sample.gz"]),
        ("programs/minisql/minisql.wasm", &["shop.sql"]),
        ("programs/logstat/logstat.wasm", &["access.log"]),
    ];
    for (guest, args) in programs {
        let command = Command::new(&guests::path(guest));
        let command = Command { args: args.to_vec(), root: Some("data"), ..command };
        let row = format!("program/{}", guests::stem(&command.path));
        compare.times(&row, |clock| sides(clock, &command, Bound::None));
    }
    Ok(())
}
