//! minisql - runs an SQL script over CSV files and prints the results.
//!
//! Usage: minisql.wasm SCRIPT.sql     (file names in the script are relative to the mounted folder)
//!
//! Statements: CREATE TABLE t (column, ...) | CREATE TABLE t AS SELECT ... | DROP TABLE,
//! INSERT INTO t VALUES, UPDATE, DELETE, IMPORT t FROM 'file.csv', EXPORT t TO 'file.csv',
//! SELECT [DISTINCT] with [LEFT] JOIN, WHERE, GROUP BY, HAVING, ORDER BY, LIMIT and OFFSET, and
//! EXPLAIN SELECT. Joins on an equality use a hash table.
//!
//! Exit status: 0 done, 1 an error in the script (nothing after it runs), 2 wrong usage.

mod engine;
mod eval;
mod lexer;
mod parser;
mod syntax;
mod value;

use std::io::Write;
use std::process::ExitCode;

pub struct Error {
    pub line: usize,
    pub message: String,
}

fn run(source: &str, out: &mut impl Write) -> Result<(), Error> {
    let mut parser = parser::Parser::new(lexer::tokenize(source)?);
    let mut database = engine::Database::default();
    loop {
        parser.skip_separators();
        let line = parser.line();
        let Some(statement) = parser.statement()? else {
            return Ok(());
        };
        let text = database.run(statement).map_err(|message| Error { line, message })?;
        out.write_all(text.as_bytes())
            .and_then(|()| out.write_all(b"\n"))
            .map_err(|e| Error { line, message: e.to_string() })?;
    }
}

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: minisql SCRIPT.sql");
        return ExitCode::from(2);
    };
    let source = match std::fs::read_to_string(&path) {
        Ok(source) => source,
        Err(error) => {
            eprintln!("minisql: cannot read {path}: {}", error.kind());
            return ExitCode::from(1);
        }
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let result = run(&source, &mut out);
    if let Err(error) = out.flush() {
        eprintln!("minisql: {error}");
        return ExitCode::from(1);
    }
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("minisql: {path}:{}: {}", error.line, error.message);
            ExitCode::from(1)
        }
    }
}
