//! Expressions with their names resolved, and their evaluation over a row.

use crate::syntax::{Expr, Op};
use crate::value::{Row, Value};
use std::cmp::Ordering;
use std::collections::HashSet;

/// The columns an expression can name: (table alias, column name).
#[derive(Clone, Default)]
pub struct Scope {
    pub columns: Vec<(String, String)>,
}

impl Scope {
    pub fn resolve(&self, table: Option<&str>, name: &str) -> Result<usize, String> {
        let mut matches = (0..self.columns.len()).filter(|&i| {
            let (t, n) = &self.columns[i];
            n == name && table.map_or(true, |wanted| wanted == t)
        });
        let full_name = || table.map_or(name.to_string(), |t| format!("{t}.{name}"));
        let found = matches.next().ok_or_else(|| format!("no column {}", full_name()))?;
        if matches.next().is_some() {
            return Err(format!("column {} is ambiguous", full_name()));
        }
        Ok(found)
    }
}

type Function = fn(&[Value]) -> Result<Value, String>;

pub enum Code {
    Constant(Value),
    Column(usize),
    Aggregate(usize),
    Not(Box<Code>),
    Negate(Box<Code>),
    Binary(Op, Box<Code>, Box<Code>),
    In(Box<Code>, Vec<Code>),
    IsNull(Box<Code>),
    Case(Vec<(Code, Code)>, Box<Code>),
    Call(Function, Vec<Code>),
}

#[derive(Clone, Copy)]
pub enum AggregateKind {
    Count,
    Sum,
    Average,
    Least,
    Greatest,
}

pub struct Aggregate {
    kind: AggregateKind,
    distinct: bool,
    /// `None` for COUNT(*).
    arg: Option<Code>,
}

/// Resolves names, and collects the aggregates where these are allowed.
pub struct Compiler<'a> {
    pub scope: &'a Scope,
    pub aggregates: Option<Vec<Aggregate>>,
}

impl Compiler<'_> {
    pub fn compile(&mut self, expr: &Expr) -> Result<Code, String> {
        Ok(match expr {
            Expr::Literal(v) => Code::Constant(v.clone()),
            Expr::Column { table, name } => Code::Column(self.scope.resolve(table.as_deref(), name)?),
            Expr::Not(e) => Code::Not(self.boxed(e)?),
            Expr::Negate(e) => Code::Negate(self.boxed(e)?),
            Expr::IsNull(e) => Code::IsNull(self.boxed(e)?),
            Expr::Binary(op, a, b) => Code::Binary(*op, self.boxed(a)?, self.boxed(b)?),
            Expr::In { value, list } => Code::In(self.boxed(value)?, self.all(list)?),
            Expr::Case { arms, otherwise } => {
                let mut compiled = Vec::new();
                for (condition, result) in arms {
                    compiled.push((self.compile(condition)?, self.compile(result)?));
                }
                Code::Case(compiled, self.boxed(otherwise)?)
            }
            Expr::Call { name, distinct, args } => match aggregate_kind(name) {
                Some(kind) => self.aggregate(kind, *distinct, args)?,
                None => Code::Call(function(name, args.len())?, self.all(args)?),
            },
        })
    }

    fn boxed(&mut self, expr: &Expr) -> Result<Box<Code>, String> {
        self.compile(expr).map(Box::new)
    }

    fn all(&mut self, exprs: &[Expr]) -> Result<Vec<Code>, String> {
        exprs.iter().map(|e| self.compile(e)).collect()
    }

    fn aggregate(&mut self, kind: AggregateKind, distinct: bool, args: &[Expr]) -> Result<Code, String> {
        // The list is absent while the argument compiles, which forbids nested aggregates.
        let mut aggregates = self.aggregates.take().ok_or("an aggregate is not allowed here")?;
        let arg = match args {
            [] if matches!(kind, AggregateKind::Count) => None,
            [one] => Some(self.compile(one)?),
            _ => return Err("an aggregate takes one argument".to_string()),
        };
        aggregates.push(Aggregate { kind, distinct, arg });
        self.aggregates = Some(aggregates);
        Ok(Code::Aggregate(self.aggregates.as_ref().map_or(0, Vec::len) - 1))
    }
}

fn aggregate_kind(name: &str) -> Option<AggregateKind> {
    Some(match name {
        "count" => AggregateKind::Count,
        "sum" => AggregateKind::Sum,
        "avg" => AggregateKind::Average,
        "min" => AggregateKind::Least,
        "max" => AggregateKind::Greatest,
        _ => return None,
    })
}

impl Aggregate {
    pub fn compute(&self, rows: &[Row]) -> Result<Value, String> {
        let Some(arg) = &self.arg else {
            return Ok(Value::Int(rows.len() as i64));
        };
        let mut values = Vec::with_capacity(rows.len());
        let mut seen = HashSet::new();
        for row in rows {
            let value = arg.eval(row, &[])?;
            if !value.is_null() && (!self.distinct || seen.insert(value.clone())) {
                values.push(value);
            }
        }
        Ok(match self.kind {
            AggregateKind::Count => Value::Int(values.len() as i64),
            AggregateKind::Sum => sum(&values)?,
            AggregateKind::Average => match sum(&values)?.as_real() {
                Some(total) => Value::Real(total / values.len() as f64),
                None => Value::Null,
            },
            AggregateKind::Least => values.into_iter().min().unwrap_or(Value::Null),
            AggregateKind::Greatest => values.into_iter().max().unwrap_or(Value::Null),
        })
    }
}

fn sum(values: &[Value]) -> Result<Value, String> {
    let mut values = values.iter();
    let Some(first) = values.next() else {
        return Ok(Value::Null);
    };
    values.try_fold(first.clone(), |total, v| arithmetic(Op::Add, &total, v))
}

impl Code {
    /// `aggregates` holds the results for the row's group.
    pub fn eval(&self, row: &[Value], aggregates: &[Value]) -> Result<Value, String> {
        Ok(match self {
            Code::Constant(v) => v.clone(),
            Code::Column(i) => row[*i].clone(),
            Code::Aggregate(i) => aggregates[*i].clone(),
            Code::Not(e) => match e.eval(row, aggregates)?.truth() {
                Some(b) => Value::bool(!b),
                None => Value::Null,
            },
            Code::Negate(e) => match e.eval(row, aggregates)? {
                Value::Int(i) => Value::Int(i.checked_neg().ok_or("integer overflow")?),
                Value::Real(r) => Value::Real(-r),
                Value::Null => Value::Null,
                Value::Text(_) => return Err("cannot negate text".to_string()),
            },
            Code::IsNull(e) => Value::bool(e.eval(row, aggregates)?.is_null()),
            Code::Binary(Op::And, a, b) => match a.eval(row, aggregates)?.truth() {
                Some(false) => Value::bool(false),
                left => three_valued(left, b.eval(row, aggregates)?.truth(), false),
            },
            Code::Binary(Op::Or, a, b) => match a.eval(row, aggregates)?.truth() {
                Some(true) => Value::bool(true),
                left => three_valued(left, b.eval(row, aggregates)?.truth(), true),
            },
            Code::Binary(op, a, b) => binary(*op, &a.eval(row, aggregates)?, &b.eval(row, aggregates)?)?,
            Code::In(value, list) => {
                let value = value.eval(row, aggregates)?;
                let mut unknown = value.is_null();
                for candidate in list {
                    match value.compare(&candidate.eval(row, aggregates)?) {
                        Some(Ordering::Equal) => return Ok(Value::bool(true)),
                        Some(_) => {}
                        None => unknown = true,
                    }
                }
                if unknown {
                    Value::Null
                } else {
                    Value::bool(false)
                }
            }
            Code::Case(arms, otherwise) => {
                for (condition, result) in arms {
                    if condition.eval(row, aggregates)?.truth() == Some(true) {
                        return result.eval(row, aggregates);
                    }
                }
                otherwise.eval(row, aggregates)?
            }
            Code::Call(function, args) => {
                let args: Result<Vec<Value>, String> = args.iter().map(|a| a.eval(row, aggregates)).collect();
                function(&args?)?
            }
        })
    }

    pub fn accepts(&self, row: &[Value], aggregates: &[Value]) -> Result<bool, String> {
        Ok(self.eval(row, aggregates)?.truth() == Some(true))
    }
}

/// AND (decided by false) or OR (decided by true), if the left side does not decide.
fn three_valued(left: Option<bool>, right: Option<bool>, deciding: bool) -> Value {
    match (left, right) {
        (_, Some(b)) if b == deciding => Value::bool(deciding),
        (Some(_), Some(_)) => Value::bool(!deciding),
        _ => Value::Null,
    }
}

fn binary(op: Op, a: &Value, b: &Value) -> Result<Value, String> {
    let comparison = |test: fn(Ordering) -> bool| Ok(a.compare(b).map_or(Value::Null, |o| Value::bool(test(o))));
    match op {
        Op::Equal => comparison(Ordering::is_eq),
        Op::NotEqual => comparison(Ordering::is_ne),
        Op::Less => comparison(Ordering::is_lt),
        Op::LessEqual => comparison(Ordering::is_le),
        Op::Greater => comparison(Ordering::is_gt),
        Op::GreaterEqual => comparison(Ordering::is_ge),
        Op::Like => match (a, b) {
            (Value::Text(text), Value::Text(pattern)) => Ok(Value::bool(like(text, pattern))),
            _ => Ok(Value::Null),
        },
        Op::Concat if a.is_null() || b.is_null() => Ok(Value::Null),
        Op::Concat => Ok(Value::text(&format!("{a}{b}"))),
        _ => arithmetic(op, a, b),
    }
}

fn arithmetic(op: Op, a: &Value, b: &Value) -> Result<Value, String> {
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
        (Value::Int(a), Value::Int(b)) => {
            let result = match op {
                Op::Add => a.checked_add(*b),
                Op::Sub => a.checked_sub(*b),
                Op::Mul => a.checked_mul(*b),
                _ if *b == 0 => return Ok(Value::Null),
                Op::Div => a.checked_div(*b),
                _ => a.checked_rem(*b),
            };
            result.map(Value::Int).ok_or_else(|| "integer overflow".to_string())
        }
        _ => {
            let (Some(a), Some(b)) = (a.as_real(), b.as_real()) else {
                return Err("arithmetic needs numbers".to_string());
            };
            Ok(match op {
                Op::Add => Value::Real(a + b),
                Op::Sub => Value::Real(a - b),
                Op::Mul => Value::Real(a * b),
                _ if b == 0.0 => Value::Null,
                Op::Div => Value::Real(a / b),
                _ => Value::Real(a % b),
            })
        }
    }
}

/// SQL patterns: `%` is any text, `_` any character. Case does not matter.
fn like(text: &str, pattern: &str) -> bool {
    fn go(text: &[char], pattern: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('%', rest)) => (0..=text.len()).any(|skip| go(&text[skip..], rest)),
            Some(('_', rest)) => !text.is_empty() && go(&text[1..], rest),
            Some((c, rest)) => text.first() == Some(c) && go(&text[1..], rest),
        }
    }
    let chars = |s: &str| s.to_lowercase().chars().collect::<Vec<char>>();
    go(&chars(text), &chars(pattern))
}

fn function(name: &str, count: usize) -> Result<Function, String> {
    let (function, least, most): (Function, usize, usize) = match name {
        "upper" => (|a| text_function(&a[0], |t| t.to_uppercase()), 1, 1),
        "lower" => (|a| text_function(&a[0], |t| t.to_lowercase()), 1, 1),
        "trim" => (|a| text_function(&a[0], |t| t.trim().to_string()), 1, 1),
        "length" => (length, 1, 1),
        "substr" => (substr, 2, 3),
        "replace" => (replace, 3, 3),
        "abs" => (abs, 1, 1),
        "round" => (round, 1, 2),
        "coalesce" => (|a| Ok(a.iter().find(|v| !v.is_null()).cloned().unwrap_or(Value::Null)), 1, 99),
        _ => return Err(format!("no function {name}")),
    };
    if count < least || count > most {
        return Err(format!("wrong number of arguments for {name}"));
    }
    Ok(function)
}

fn text_function(value: &Value, apply: fn(&str) -> String) -> Result<Value, String> {
    Ok(match value {
        Value::Null => Value::Null,
        Value::Text(t) => Value::text(&apply(t)),
        number => Value::text(&apply(&number.to_string())),
    })
}

fn length(args: &[Value]) -> Result<Value, String> {
    Ok(match &args[0] {
        Value::Null => Value::Null,
        value => Value::Int(value.to_string().chars().count() as i64),
    })
}

/// `substr(text, start [, length])`; the first character is number 1.
fn substr(args: &[Value]) -> Result<Value, String> {
    let (Value::Text(text), Value::Int(start)) = (&args[0], &args[1]) else {
        return Ok(Value::Null);
    };
    let length = match args.get(2) {
        Some(Value::Int(n)) => (*n).max(0) as usize,
        _ => usize::MAX,
    };
    let skip = (*start - 1).max(0) as usize;
    Ok(Value::text(&text.chars().skip(skip).take(length).collect::<String>()))
}

fn replace(args: &[Value]) -> Result<Value, String> {
    Ok(match (&args[0], &args[1], &args[2]) {
        (Value::Text(text), Value::Text(from), Value::Text(to)) => Value::text(&text.replace(&**from, to)),
        _ => Value::Null,
    })
}

fn abs(args: &[Value]) -> Result<Value, String> {
    Ok(match &args[0] {
        Value::Int(i) => Value::Int(i.checked_abs().ok_or("integer overflow")?),
        Value::Real(r) => Value::Real(r.abs()),
        _ => Value::Null,
    })
}

fn round(args: &[Value]) -> Result<Value, String> {
    let digits = match args.get(1) {
        Some(Value::Int(n)) => (*n).clamp(0, 15) as i32,
        _ => 0,
    };
    let scale = 10f64.powi(digits);
    Ok(args[0].as_real().map_or(Value::Null, |r| Value::Real((r * scale).round() / scale)))
}
