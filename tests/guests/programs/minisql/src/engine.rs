//! The database: tables, the execution of statements, CSV files and result tables.

use crate::eval::{Aggregate, Code, Compiler, Scope};
use crate::syntax::{Expr, Item, Join, Op, Select, Statement};
use crate::value::{Row, Value};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};

#[derive(Clone)]
struct Table {
    columns: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Default)]
pub struct Database {
    tables: BTreeMap<String, Table>,
}

type Outcome<T> = Result<T, String>;

impl Database {
    /// Runs one statement and returns its output.
    pub fn run(&mut self, statement: Statement) -> Outcome<String> {
        match statement {
            Statement::Create { table, columns } => {
                self.add(table.clone(), Table { columns, rows: Vec::new() })?;
                Ok(format!("created {table}\n"))
            }
            Statement::CreateAs { table, select } => {
                let result = self.select(&select)?;
                let count = result.rows.len();
                self.add(table.clone(), result)?;
                Ok(format!("created {table} with {count} rows\n"))
            }
            Statement::Drop { table } => {
                self.tables.remove(&table).ok_or_else(|| format!("no table {table}"))?;
                Ok(format!("dropped {table}\n"))
            }
            Statement::Insert { table, rows } => self.insert(&table, &rows),
            Statement::Update { table, set, filter } => self.update(&table, &set, filter.as_ref()),
            Statement::Delete { table, filter } => self.delete(&table, filter.as_ref()),
            Statement::Import { table, path } => {
                let imported = read_csv(&path).map_err(|e| format!("cannot import {path}: {e}"))?;
                let count = imported.rows.len();
                self.add(table.clone(), imported)?;
                Ok(format!("imported {count} rows into {table}\n"))
            }
            Statement::Export { table, path } => {
                let exported = self.table(&table)?;
                write_csv(&path, exported).map_err(|e| format!("cannot export {path}: {e}"))?;
                Ok(format!("exported {} rows of {table}\n", exported.rows.len()))
            }
            Statement::Select(select) => Ok(render(&self.select(&select)?)),
            Statement::Explain(select) => self.explain(&select),
        }
    }

    fn table(&self, name: &str) -> Outcome<&Table> {
        self.tables.get(name).ok_or_else(|| format!("no table {name}"))
    }

    fn add(&mut self, name: String, table: Table) -> Outcome<()> {
        if self.tables.contains_key(&name) {
            return Err(format!("table {name} exists"));
        }
        self.tables.insert(name, table);
        Ok(())
    }

    fn insert(&mut self, name: &str, rows: &[Vec<Expr>]) -> Outcome<String> {
        let scope = Scope::default();
        let width = self.table(name)?.columns.len();
        let mut added = Vec::new();
        for row in rows {
            if row.len() != width {
                return Err(format!("{name} has {width} columns, not {}", row.len()));
            }
            let values: Outcome<Row> = row.iter().map(|e| compile(&scope, e)?.eval(&[], &[])).collect();
            added.push(values?);
        }
        let count = added.len();
        if let Some(table) = self.tables.get_mut(name) {
            table.rows.extend(added);
        }
        Ok(format!("inserted {count} rows\n"))
    }

    fn update(&mut self, name: &str, set: &[(String, Expr)], filter: Option<&Expr>) -> Outcome<String> {
        let scope = scope_of(name, self.table(name)?);
        let filter = filter.map(|f| compile(&scope, f)).transpose()?;
        let mut assignments = Vec::new();
        for (column, expr) in set {
            assignments.push((scope.resolve(None, column)?, compile(&scope, expr)?));
        }
        let mut count = 0;
        let mut rows = self.table(name)?.rows.clone(); // a failing row leaves the table as it was
        for row in &mut rows {
            if !passes(filter.as_ref(), row)? {
                continue;
            }
            let values: Outcome<Vec<Value>> = assignments.iter().map(|(_, code)| code.eval(row, &[])).collect();
            for ((column, _), value) in assignments.iter().zip(values?) {
                row[*column] = value;
            }
            count += 1;
        }
        if let Some(table) = self.tables.get_mut(name) {
            table.rows = rows;
        }
        Ok(format!("updated {count} rows\n"))
    }

    fn delete(&mut self, name: &str, filter: Option<&Expr>) -> Outcome<String> {
        let table = self.table(name)?;
        let scope = scope_of(name, table);
        let filter = filter.map(|f| compile(&scope, f)).transpose()?;
        let mut kept = Vec::new();
        for row in &table.rows {
            if !passes(filter.as_ref(), row)? {
                kept.push(row.clone());
            }
        }
        let count = table.rows.len() - kept.len();
        if let Some(table) = self.tables.get_mut(name) {
            table.rows = kept;
        }
        Ok(format!("deleted {count} rows\n"))
    }

    fn select(&self, select: &Select) -> Outcome<Table> {
        let (scope, mut rows) = self.joined(select)?;
        if let Some(filter) = &select.filter {
            let filter = compile(&scope, filter)?;
            let mut kept = Vec::new();
            for row in rows {
                if filter.accepts(&row, &[])? {
                    kept.push(row);
                }
            }
            rows = kept;
        }
        let plan = Projection::new(&scope, select)?;
        let mut output = Vec::new();
        if plan.grouped {
            for group in group_rows(&scope, &select.group_by, rows)? {
                let aggregates: Outcome<Row> = plan.aggregates.iter().map(|a| a.compute(&group)).collect();
                // An empty table has one group without rows; its columns are null.
                let empty = vec![Value::Null; scope.columns.len()];
                plan.emit(group.first().unwrap_or(&empty), &aggregates?, &mut output)?;
            }
        } else {
            for row in &rows {
                plan.emit(row, &[], &mut output)?;
            }
        }
        if select.distinct {
            let mut seen = HashSet::new();
            output.retain(|(row, _)| seen.insert(row.clone()));
        }
        output.sort_by(|(_, a), (_, b)| {
            let keys = a.iter().zip(b).zip(&select.order_by);
            keys.map(|((a, b), (_, descending))| if *descending { b.cmp(a) } else { a.cmp(b) })
                .find(|order| order.is_ne())
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        let limit = select.limit.unwrap_or(usize::MAX);
        let rows = output.into_iter().skip(select.offset).take(limit).map(|(row, _)| row).collect();
        Ok(Table { columns: plan.names, rows })
    }

    /// The rows of FROM with all its joins.
    fn joined(&self, select: &Select) -> Outcome<(Scope, Vec<Row>)> {
        let first = self.table(&select.table)?;
        let mut scope = scope_of(&select.alias, first);
        let mut rows = first.rows.clone();
        for join in &select.joins {
            let right = self.table(&join.table)?;
            let width = scope.columns.len();
            scope.columns.extend(scope_of(&join.alias, right).columns);
            rows = match equality(&scope, width, join) {
                Some((left_key, right_key)) => hash_join(&rows, right, left_key, right_key, join, &scope)?,
                None => loop_join(&rows, right, join, &scope)?,
            };
        }
        Ok((scope, rows))
    }

    fn explain(&self, select: &Select) -> Outcome<String> {
        let first = self.table(&select.table)?;
        let mut scope = scope_of(&select.alias, first);
        let mut text = format!("scan {} ({} rows)\n", select.table, first.rows.len());
        for join in &select.joins {
            let right = self.table(&join.table)?;
            let width = scope.columns.len();
            scope.columns.extend(scope_of(&join.alias, right).columns);
            let how = if equality(&scope, width, join).is_some() { "hash" } else { "loop" };
            let kind = if join.keep_left { "left join" } else { "join" };
            let _ = writeln!(text, "{how} {kind} {} ({} rows)", join.table, right.rows.len());
        }
        let plan = Projection::new(&scope, select)?;
        if select.filter.is_some() {
            text += "filter\n";
        }
        if plan.grouped {
            let _ = writeln!(text, "group by {} keys, {} aggregates", select.group_by.len(), plan.aggregates.len());
        }
        if !select.order_by.is_empty() {
            let _ = writeln!(text, "sort by {} keys", select.order_by.len());
        }
        let _ = writeln!(text, "emit {} columns", plan.names.len());
        Ok(text)
    }
}

fn scope_of(alias: &str, table: &Table) -> Scope {
    Scope { columns: table.columns.iter().map(|c| (alias.to_string(), c.clone())).collect() }
}

fn compile(scope: &Scope, expr: &Expr) -> Outcome<Code> {
    Compiler { scope, aggregates: None }.compile(expr)
}

fn passes(filter: Option<&Code>, row: &[Value]) -> Outcome<bool> {
    filter.map_or(Ok(true), |f| f.accepts(row, &[]))
}

/// The two columns, if the condition is `left column = right column`, possibly with AND.
fn equality(scope: &Scope, width: usize, join: &Join) -> Option<(usize, usize)> {
    fn find(scope: &Scope, width: usize, expr: &Expr) -> Option<(usize, usize)> {
        let Expr::Binary(op, a, b) = expr else {
            return None;
        };
        if *op == Op::And {
            return find(scope, width, a).or_else(|| find(scope, width, b));
        }
        let column = |e: &Expr| match e {
            Expr::Column { table, name } => scope.resolve(table.as_deref(), name).ok(),
            _ => None,
        };
        match (op, column(a)?, column(b)?) {
            (Op::Equal, x, y) if x < width && y >= width => Some((x, y - width)),
            (Op::Equal, x, y) if y < width && x >= width => Some((y, x - width)),
            _ => None,
        }
    }
    find(scope, width, &join.on)
}

fn hash_join(
    left: &[Row],
    right: &Table,
    left_key: usize,
    right_key: usize,
    join: &Join,
    scope: &Scope,
) -> Outcome<Vec<Row>> {
    let mut index: HashMap<&Value, Vec<&Row>> = HashMap::new();
    for row in right.rows.iter().filter(|row| !row[right_key].is_null()) {
        index.entry(&row[right_key]).or_default().push(row);
    }
    let on = compile(scope, &join.on)?;
    let mut rows = Vec::new();
    for row in left {
        let partners = index.get(&row[left_key]).map_or(&[][..], Vec::as_slice);
        pair(row, partners.iter().copied(), right.columns.len(), &on, join.keep_left, &mut rows)?;
    }
    Ok(rows)
}

fn loop_join(left: &[Row], right: &Table, join: &Join, scope: &Scope) -> Outcome<Vec<Row>> {
    let on = compile(scope, &join.on)?;
    let mut rows = Vec::new();
    for row in left {
        pair(row, right.rows.iter(), right.columns.len(), &on, join.keep_left, &mut rows)?;
    }
    Ok(rows)
}

/// Adds `left` joined with each partner that satisfies the condition.
fn pair<'a>(
    left: &Row,
    partners: impl Iterator<Item = &'a Row>,
    width: usize,
    on: &Code,
    keep_left: bool,
    rows: &mut Vec<Row>,
) -> Outcome<()> {
    let before = rows.len();
    for partner in partners {
        let combined: Row = left.iter().chain(partner).cloned().collect();
        if on.accepts(&combined, &[])? {
            rows.push(combined);
        }
    }
    if keep_left && rows.len() == before {
        let nulls = std::iter::repeat(Value::Null).take(width);
        rows.push(left.iter().cloned().chain(nulls).collect());
    }
    Ok(())
}

/// Groups in the order of their first row. Without keys everything is one group.
fn group_rows(scope: &Scope, keys: &[Expr], rows: Vec<Row>) -> Outcome<Vec<Vec<Row>>> {
    if keys.is_empty() {
        return Ok(vec![rows]);
    }
    let codes: Outcome<Vec<Code>> = keys.iter().map(|k| compile(scope, k)).collect();
    let codes = codes?;
    let mut numbers: HashMap<Row, usize> = HashMap::new();
    let mut groups: Vec<Vec<Row>> = Vec::new();
    for row in rows {
        let key: Outcome<Row> = codes.iter().map(|c| c.eval(&row, &[])).collect();
        let number = *numbers.entry(key?).or_insert(groups.len());
        if number == groups.len() {
            groups.push(Vec::new());
        }
        groups[number].push(row);
    }
    Ok(groups)
}

/// The evaluation of SELECT for a row or a group: output columns, HAVING and the sort keys.
struct Projection {
    names: Vec<String>,
    outputs: Vec<Code>,
    having: Option<Code>,
    sort_keys: Vec<SortKey>,
    aggregates: Vec<Aggregate>,
    grouped: bool,
}

enum SortKey {
    Output(usize),
    Computed(Code),
}

impl Projection {
    fn new(scope: &Scope, select: &Select) -> Outcome<Projection> {
        let mut compiler = Compiler { scope, aggregates: Some(Vec::new()) };
        let (mut names, mut outputs) = (Vec::new(), Vec::new());
        for item in &select.items {
            match item {
                Item::All => {
                    names.extend(scope.columns.iter().map(|(_, name)| name.clone()));
                    outputs.extend((0..scope.columns.len()).map(Code::Column));
                }
                Item::Expr { expr, name } => {
                    names.push(name.clone());
                    outputs.push(compiler.compile(expr)?);
                }
            }
        }
        let having = select.having.as_ref().map(|h| compiler.compile(h)).transpose()?;
        let mut sort_keys = Vec::new();
        for (key, _) in &select.order_by {
            sort_keys.push(match key {
                Expr::Literal(Value::Int(n)) if *n >= 1 && *n as usize <= names.len() => SortKey::Output(*n as usize - 1),
                Expr::Literal(_) => return Err("ORDER BY needs a column or an expression".to_string()),
                Expr::Column { table: None, name } if names.contains(name) => {
                    SortKey::Output(names.iter().position(|n| n == name).unwrap_or(0))
                }
                expr => SortKey::Computed(compiler.compile(expr)?),
            });
        }
        let aggregates = compiler.aggregates.take().unwrap_or_default();
        let grouped = !select.group_by.is_empty() || !aggregates.is_empty();
        if having.is_some() && !grouped {
            return Err("HAVING needs GROUP BY or an aggregate".to_string());
        }
        Ok(Projection { names, outputs, having, sort_keys, aggregates, grouped })
    }

    /// Adds the output row with its sort keys, unless HAVING rejects it.
    fn emit(&self, row: &[Value], aggregates: &[Value], output: &mut Vec<(Row, Row)>) -> Outcome<()> {
        if let Some(having) = &self.having {
            if !having.accepts(row, aggregates)? {
                return Ok(());
            }
        }
        let values: Outcome<Row> = self.outputs.iter().map(|code| code.eval(row, aggregates)).collect();
        let values = values?;
        let keys: Outcome<Row> = self
            .sort_keys
            .iter()
            .map(|key| match key {
                SortKey::Output(i) => Ok(values[*i].clone()),
                SortKey::Computed(code) => code.eval(row, aggregates),
            })
            .collect();
        output.push((values, keys?));
        Ok(())
    }
}

/// An aligned text table: numbers to the right, everything else to the left.
fn render(table: &Table) -> String {
    let cells: Vec<Vec<String>> = table.rows.iter().map(|r| r.iter().map(Value::to_string).collect()).collect();
    let mut widths: Vec<usize> = table.columns.iter().map(|c| c.chars().count()).collect();
    let mut numeric = vec![!table.rows.is_empty(); widths.len()];
    for (row, texts) in table.rows.iter().zip(&cells) {
        for (i, text) in texts.iter().enumerate() {
            widths[i] = widths[i].max(text.chars().count());
            numeric[i] &= !matches!(row[i], Value::Text(_));
        }
    }
    let mut out = String::new();
    let mut line = |texts: &[String]| {
        let padded: Vec<String> = (0..texts.len())
            .map(|i| {
                if numeric[i] {
                    format!("{:>width$}", texts[i], width = widths[i])
                } else {
                    format!("{:<width$}", texts[i], width = widths[i])
                }
            })
            .collect();
        out.push_str(padded.join("  ").trim_end());
        out.push('\n');
    };
    line(&table.columns);
    line(&widths.iter().map(|w| "-".repeat(*w)).collect::<Vec<String>>());
    for row in &cells {
        line(row);
    }
    let plural = if table.rows.len() == 1 { "" } else { "s" };
    let _ = writeln!(out, "({} row{plural})", table.rows.len());
    out
}

// ---- CSV (RFC 4180): fields with commas, quotes or line breaks are quoted. ----

fn read_csv(path: &str) -> Outcome<Table> {
    let file = File::open(path).map_err(|e| e.kind().to_string())?;
    let mut lines = BufReader::new(file).lines();
    let mut record = || -> Outcome<Option<Vec<String>>> {
        let Some(line) = lines.next() else {
            return Ok(None);
        };
        let mut text = line.map_err(|e| e.to_string())?;
        while text.matches('"').count() % 2 == 1 {
            let more = lines.next().ok_or("unterminated quote")?.map_err(|e| e.to_string())?;
            text.push('\n');
            text.push_str(&more);
        }
        Ok(Some(split_fields(&text)))
    };
    let columns = record()?.ok_or("empty file")?;
    let columns: Vec<String> = columns.iter().map(|c| c.to_lowercase()).collect();
    let mut rows = Vec::new();
    while let Some(fields) = record()? {
        if fields.len() != columns.len() {
            return Err(format!("record {} has {} fields, not {}", rows.len() + 1, fields.len(), columns.len()));
        }
        rows.push(fields.iter().map(|f| Value::from_field(f)).collect());
    }
    Ok(Table { columns, rows })
}

fn split_fields(record: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut chars = record.chars().peekable();
    while let Some(c) = chars.next() {
        let field = fields.last_mut().expect("there is always a field");
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                field.push('"');
                chars.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            _ => field.push(c),
        }
    }
    fields
}

fn write_csv(path: &str, table: &Table) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    writeln!(out, "{}", table.columns.join(","))?;
    for row in &table.rows {
        let fields: Vec<String> = row
            .iter()
            .map(|value| match value {
                Value::Null => String::new(),
                Value::Text(t) if t.contains([',', '"', '\n']) => format!("\"{}\"", t.replace('"', "\"\"")),
                other => other.to_string(),
            })
            .collect();
        writeln!(out, "{}", fields.join(","))?;
    }
    out.flush()
}
