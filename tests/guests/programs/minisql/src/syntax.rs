//! The syntax tree: statements and expressions.

use crate::value::Value;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Like,
    Add,
    Sub,
    Concat,
    Mul,
    Div,
    Mod,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    Literal(Value),
    Column { table: Option<String>, name: String },
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Binary(Op, Box<Expr>, Box<Expr>),
    In { value: Box<Expr>, list: Vec<Expr> },
    IsNull(Box<Expr>),
    /// `CASE WHEN condition THEN result ... ELSE result END`
    Case { arms: Vec<(Expr, Expr)>, otherwise: Box<Expr> },
    /// A function or an aggregate; `COUNT(*)` has no arguments.
    Call { name: String, distinct: bool, args: Vec<Expr> },
}

#[derive(Debug)]
pub struct Join {
    pub table: String,
    pub alias: String,
    pub on: Expr,
    /// LEFT JOIN: rows without a partner stay, with nulls.
    pub keep_left: bool,
}

#[derive(Debug)]
pub enum Item {
    All,
    Expr { expr: Expr, name: String },
}

#[derive(Debug)]
pub struct Select {
    pub distinct: bool,
    pub items: Vec<Item>,
    pub table: String,
    pub alias: String,
    pub joins: Vec<Join>,
    pub filter: Option<Expr>,
    pub group_by: Vec<Expr>,
    pub having: Option<Expr>,
    pub order_by: Vec<(Expr, bool)>,
    pub limit: Option<usize>,
    pub offset: usize,
}

#[derive(Debug)]
pub enum Statement {
    Create { table: String, columns: Vec<String> },
    CreateAs { table: String, select: Select },
    Drop { table: String },
    Insert { table: String, rows: Vec<Vec<Expr>> },
    Update { table: String, set: Vec<(String, Expr)>, filter: Option<Expr> },
    Delete { table: String, filter: Option<Expr> },
    Import { table: String, path: String },
    Export { table: String, path: String },
    Select(Select),
    Explain(Select),
}
