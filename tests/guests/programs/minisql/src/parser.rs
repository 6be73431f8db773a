//! Recursive descent for statements, precedence climbing for expressions.

use crate::lexer::Token;
use crate::syntax::{Expr, Item, Join, Op, Select, Statement};
use crate::value::Value;
use crate::Error;

pub struct Parser {
    tokens: Vec<(Token, usize)>,
    at: usize,
}

type Parse<T> = Result<T, Error>;

/// Words that end an item or a table, so they cannot be an alias without AS.
const CLAUSES: [&str; 13] = [
    "from", "where", "group", "having", "order", "limit", "offset", "join", "left", "inner", "on", "set", "as",
];

impl Parser {
    pub fn new(tokens: Vec<(Token, usize)>) -> Parser {
        Parser { tokens, at: 0 }
    }

    pub fn line(&self) -> usize {
        self.tokens[self.at].1
    }

    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn error<T>(&self, expected: &str) -> Parse<T> {
        let found = match self.peek() {
            Token::Word(w) => format!("`{w}`"),
            Token::Symbol(s) => format!("`{s}`"),
            Token::Int(i) => i.to_string(),
            Token::Real(r) => r.to_string(),
            Token::Text(t) => format!("'{t}'"),
            Token::End => "the end of the script".to_string(),
        };
        Err(Error { line: self.line(), message: format!("expected {expected}, found {found}") })
    }

    fn next(&mut self) -> Token {
        let token = self.tokens[self.at].0.clone();
        if token != Token::End {
            self.at += 1;
        }
        token
    }

    fn accept(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(s) if *s == symbol);
        self.at += found as usize;
        found
    }

    fn expect(&mut self, symbol: &str) -> Parse<()> {
        if self.accept(symbol) {
            return Ok(());
        }
        self.error(&format!("`{symbol}`"))
    }

    fn at_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(w) if w == word)
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        self.at += found as usize;
        found
    }

    fn expect_word(&mut self, word: &str) -> Parse<()> {
        if self.accept_word(word) {
            return Ok(());
        }
        self.error(&word.to_uppercase())
    }

    fn name(&mut self) -> Parse<String> {
        match self.next() {
            Token::Word(w) => Ok(w),
            _ => {
                self.at -= 1;
                self.error("a name")
            }
        }
    }

    fn text(&mut self) -> Parse<String> {
        match self.next() {
            Token::Text(t) => Ok(t),
            _ => {
                self.at -= 1;
                self.error("a quoted string")
            }
        }
    }

    fn count(&mut self) -> Parse<usize> {
        match *self.peek() {
            Token::Int(i) if i >= 0 => {
                self.at += 1;
                Ok(i as usize)
            }
            _ => self.error("a row count"),
        }
    }

    fn list<T>(&mut self, mut one: impl FnMut(&mut Parser) -> Parse<T>) -> Parse<Vec<T>> {
        let mut items = vec![one(self)?];
        while self.accept(",") {
            items.push(one(self)?);
        }
        Ok(items)
    }

    /// Moves past empty statements, so that `line` is the next statement's.
    pub fn skip_separators(&mut self) {
        while self.accept(";") {}
    }

    /// The next statement, or `None` at the end of the script.
    pub fn statement(&mut self) -> Parse<Option<Statement>> {
        self.skip_separators();
        let Token::Word(word) = self.peek().clone() else {
            return if *self.peek() == Token::End { Ok(None) } else { self.error("a statement") };
        };
        self.at += 1;
        let statement = match word.as_str() {
            "create" => self.create()?,
            "drop" => {
                self.expect_word("table")?;
                Statement::Drop { table: self.name()? }
            }
            "insert" => self.insert()?,
            "update" => self.update()?,
            "delete" => {
                self.expect_word("from")?;
                Statement::Delete { table: self.name()?, filter: self.clause("where")? }
            }
            "import" => {
                let table = self.name()?;
                self.expect_word("from")?;
                Statement::Import { table, path: self.text()? }
            }
            "export" => {
                let table = self.name()?;
                self.expect_word("to")?;
                Statement::Export { table, path: self.text()? }
            }
            "select" => Statement::Select(self.select()?),
            "explain" => {
                self.expect_word("select")?;
                Statement::Explain(self.select()?)
            }
            _ => {
                self.at -= 1;
                return self.error("a statement");
            }
        };
        if *self.peek() != Token::End {
            self.expect(";")?;
        }
        Ok(Some(statement))
    }

    fn create(&mut self) -> Parse<Statement> {
        self.expect_word("table")?;
        let table = self.name()?;
        if self.accept_word("as") {
            self.expect_word("select")?;
            return Ok(Statement::CreateAs { table, select: self.select()? });
        }
        self.expect("(")?;
        let columns = self.list(|p| {
            let name = p.name()?;
            if matches!(p.peek(), Token::Word(_)) {
                p.at += 1; // types are documentation: every column holds any value
            }
            Ok(name)
        })?;
        self.expect(")")?;
        Ok(Statement::Create { table, columns })
    }

    fn insert(&mut self) -> Parse<Statement> {
        self.expect_word("into")?;
        let table = self.name()?;
        self.expect_word("values")?;
        let rows = self.list(|p| {
            p.expect("(")?;
            let row = p.list(Parser::expr)?;
            p.expect(")")?;
            Ok(row)
        })?;
        Ok(Statement::Insert { table, rows })
    }

    fn update(&mut self) -> Parse<Statement> {
        let table = self.name()?;
        self.expect_word("set")?;
        let set = self.list(|p| {
            let column = p.name()?;
            p.expect("=")?;
            Ok((column, p.expr()?))
        })?;
        Ok(Statement::Update { table, set, filter: self.clause("where")? })
    }

    fn clause(&mut self, word: &str) -> Parse<Option<Expr>> {
        if self.accept_word(word) {
            return Ok(Some(self.expr()?));
        }
        Ok(None)
    }

    fn alias(&mut self) -> Parse<Option<String>> {
        if self.accept_word("as") {
            return Ok(Some(self.name()?));
        }
        match self.peek() {
            Token::Word(w) if !CLAUSES.contains(&w.as_str()) => Ok(Some(self.name()?)),
            _ => Ok(None),
        }
    }

    fn table(&mut self) -> Parse<(String, String)> {
        let table = self.name()?;
        let alias = self.alias()?.unwrap_or_else(|| table.clone());
        Ok((table, alias))
    }

    fn select(&mut self) -> Parse<Select> {
        let distinct = self.accept_word("distinct");
        let items = self.list(|p| {
            if p.accept("*") {
                return Ok(Item::All);
            }
            let expr = p.expr()?;
            let default = match &expr {
                Expr::Column { name, .. } | Expr::Call { name, .. } => name.clone(),
                _ => "expr".to_string(),
            };
            Ok(Item::Expr { expr, name: p.alias()?.unwrap_or(default) })
        })?;
        self.expect_word("from")?;
        let (table, alias) = self.table()?;
        let mut joins = Vec::new();
        loop {
            let keep_left = self.accept_word("left");
            let inner = !keep_left && self.accept_word("inner");
            if !self.accept_word("join") {
                if keep_left || inner {
                    return self.error("JOIN");
                }
                break;
            }
            let (table, alias) = self.table()?;
            self.expect_word("on")?;
            joins.push(Join { table, alias, on: self.expr()?, keep_left });
        }
        let filter = self.clause("where")?;
        let mut group_by = Vec::new();
        if self.accept_word("group") {
            self.expect_word("by")?;
            group_by = self.list(Parser::expr)?;
        }
        let having = self.clause("having")?;
        let mut order_by = Vec::new();
        if self.accept_word("order") {
            self.expect_word("by")?;
            order_by = self.list(|p| {
                let key = p.expr()?;
                let descending = p.accept_word("desc");
                if !descending {
                    p.accept_word("asc");
                }
                Ok((key, descending))
            })?;
        }
        let limit = if self.accept_word("limit") { Some(self.count()?) } else { None };
        let offset = if self.accept_word("offset") { self.count()? } else { 0 };
        Ok(Select { distinct, items, table, alias, joins, filter, group_by, having, order_by, limit, offset })
    }

    pub fn expr(&mut self) -> Parse<Expr> {
        self.binary(0)
    }

    /// The binary operator at the current token, with its precedence.
    fn operator(&self) -> Option<(Op, u8)> {
        Some(match self.peek() {
            Token::Word(w) => match w.as_str() {
                "or" => (Op::Or, 1),
                "and" => (Op::And, 2),
                "like" => (Op::Like, 4),
                _ => return None,
            },
            Token::Symbol(s) => match *s {
                "=" => (Op::Equal, 4),
                "<>" | "!=" => (Op::NotEqual, 4),
                "<" => (Op::Less, 4),
                "<=" => (Op::LessEqual, 4),
                ">" => (Op::Greater, 4),
                ">=" => (Op::GreaterEqual, 4),
                "+" => (Op::Add, 5),
                "-" => (Op::Sub, 5),
                "||" => (Op::Concat, 5),
                "*" => (Op::Mul, 6),
                "/" => (Op::Div, 6),
                "%" => (Op::Mod, 6),
                _ => return None,
            },
            _ => return None,
        })
    }

    fn binary(&mut self, least: u8) -> Parse<Expr> {
        const NOT: u8 = 3;
        const COMPARISON: u8 = 4;
        let mut left = if least <= NOT && self.accept_word("not") {
            Expr::Not(Box::new(self.binary(NOT)?))
        } else {
            self.unary()?
        };
        loop {
            if let Some((op, precedence)) = self.operator() {
                if precedence < least {
                    return Ok(left);
                }
                self.at += 1;
                let right = self.binary(precedence + 1)?;
                left = Expr::Binary(op, Box::new(left), Box::new(right));
            } else if COMPARISON >= least && ["is", "in", "not", "between"].iter().any(|w| self.at_word(w)) {
                left = self.predicate(left)?;
            } else {
                return Ok(left);
            }
        }
    }

    /// `IS [NOT] NULL` and `[NOT] IN | LIKE | BETWEEN`, after their left side.
    fn predicate(&mut self, left: Expr) -> Parse<Expr> {
        if self.accept_word("is") {
            let negated = self.accept_word("not");
            self.expect_word("null")?;
            return Ok(negate_if(negated, Expr::IsNull(Box::new(left))));
        }
        let negated = self.accept_word("not");
        if self.accept_word("in") {
            self.expect("(")?;
            let list = self.list(Parser::expr)?;
            self.expect(")")?;
            return Ok(negate_if(negated, Expr::In { value: Box::new(left), list }));
        }
        if self.accept_word("like") {
            let pattern = self.binary(5)?;
            return Ok(negate_if(negated, Expr::Binary(Op::Like, Box::new(left), Box::new(pattern))));
        }
        self.expect_word("between")?;
        let low = self.binary(5)?;
        self.expect_word("and")?;
        let high = self.binary(5)?;
        let above = Expr::Binary(Op::GreaterEqual, Box::new(left.clone()), Box::new(low));
        let below = Expr::Binary(Op::LessEqual, Box::new(left), Box::new(high));
        Ok(negate_if(negated, Expr::Binary(Op::And, Box::new(above), Box::new(below))))
    }

    fn unary(&mut self) -> Parse<Expr> {
        if self.accept("-") {
            return Ok(Expr::Negate(Box::new(self.unary()?)));
        }
        if self.accept("(") {
            let inner = self.expr()?;
            self.expect(")")?;
            return Ok(inner);
        }
        match self.next() {
            Token::Int(i) => Ok(Expr::Literal(Value::Int(i))),
            Token::Real(r) => Ok(Expr::Literal(Value::Real(r))),
            Token::Text(t) => Ok(Expr::Literal(Value::text(&t))),
            Token::Word(w) if w == "null" => Ok(Expr::Literal(Value::Null)),
            Token::Word(w) if w == "case" => self.case(),
            Token::Word(w) if self.accept("(") => self.call(w),
            Token::Word(w) if self.accept(".") => Ok(Expr::Column { table: Some(w), name: self.name()? }),
            Token::Word(w) => Ok(Expr::Column { table: None, name: w }),
            Token::End => self.error("an expression"),
            Token::Symbol(_) => {
                self.at -= 1;
                self.error("an expression")
            }
        }
    }

    fn case(&mut self) -> Parse<Expr> {
        let mut arms = Vec::new();
        while self.accept_word("when") {
            let condition = self.expr()?;
            self.expect_word("then")?;
            arms.push((condition, self.expr()?));
        }
        let otherwise = self.clause("else")?.unwrap_or(Expr::Literal(Value::Null));
        self.expect_word("end")?;
        Ok(Expr::Case { arms, otherwise: Box::new(otherwise) })
    }

    fn call(&mut self, name: String) -> Parse<Expr> {
        let distinct = self.accept_word("distinct");
        let args = if self.accept("*") || matches!(self.peek(), Token::Symbol(")")) {
            Vec::new()
        } else {
            self.list(Parser::expr)?
        };
        self.expect(")")?;
        Ok(Expr::Call { name, distinct, args })
    }
}

fn negate_if(negated: bool, expr: Expr) -> Expr {
    if negated {
        Expr::Not(Box::new(expr))
    } else {
        expr
    }
}
