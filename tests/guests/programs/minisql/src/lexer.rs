//! Turns a script into tokens, each with its line for error messages.

use crate::Error;

#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// A name or a keyword, in lower case; keywords are not reserved.
    Word(String),
    Int(i64),
    Real(f64),
    Text(String),
    Symbol(&'static str),
    End,
}

const SYMBOLS: [&str; 18] = [
    "<=", ">=", "<>", "!=", "||", "(", ")", ",", ";", ".", "+", "-", "*", "/", "%", "<", ">", "=",
];

pub fn tokenize(source: &str) -> Result<Vec<(Token, usize)>, Error> {
    let mut tokens = Vec::new();
    let mut rest = source;
    let mut line = 1;
    while let Some(c) = rest.chars().next() {
        if c == '\n' {
            line += 1;
        }
        if c.is_whitespace() {
            rest = &rest[c.len_utf8()..];
        } else if rest.starts_with("--") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        } else if c.is_ascii_digit() {
            let (token, len) = number(rest).map_err(|message| Error { line, message })?;
            tokens.push((token, line));
            rest = &rest[len..];
        } else if c == '\'' {
            let (text, len) = quoted(rest).map_err(|message| Error { line, message })?;
            tokens.push((Token::Text(text), line));
            line += rest[..len].matches('\n').count();
            rest = &rest[len..];
        } else if c.is_alphabetic() || c == '_' {
            let len = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push((Token::Word(rest[..len].to_lowercase()), line));
            rest = &rest[len..];
        } else if let Some(symbol) = SYMBOLS.iter().find(|s| rest.starts_with(**s)) {
            tokens.push((Token::Symbol(symbol), line));
            rest = &rest[symbol.len()..];
        } else {
            return Err(Error { line, message: format!("unexpected character {c:?}") });
        }
    }
    tokens.push((Token::End, line));
    Ok(tokens)
}

fn number(s: &str) -> Result<(Token, usize), String> {
    let digits = |s: &str| s.find(|c: char| !c.is_ascii_digit()).unwrap_or(s.len());
    let mut len = digits(s);
    if !s[len..].starts_with('.') {
        let value = s[..len].parse().map_err(|_| format!("integer {} is too big", &s[..len]))?;
        return Ok((Token::Int(value), len));
    }
    len += 1 + digits(&s[len + 1..]);
    let value = s[..len].parse().map_err(|_| format!("bad number {}", &s[..len]))?;
    Ok((Token::Real(value), len))
}

/// A quoted string, in which two quotes stand for one. Returns it with its length in the source.
fn quoted(s: &str) -> Result<(String, usize), String> {
    let mut text = String::new();
    let mut at = 1;
    loop {
        let end = at + s[at..].find('\'').ok_or("unterminated string")?;
        text.push_str(&s[at..end]);
        if !s[end + 1..].starts_with('\'') {
            return Ok((text, end + 1));
        }
        text.push('\'');
        at = end + 2;
    }
}
