//! The values of a table: null, integers, reals and text, with SQL's comparison rules.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Int(i64),
    Real(f64),
    Text(Rc<str>),
}

pub type Row = Vec<Value>;

impl Value {
    pub fn text(s: &str) -> Value {
        Value::Text(s.into())
    }

    pub fn bool(b: bool) -> Value {
        Value::Int(b as i64)
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The truth value, or `None` if it is unknown.
    pub fn truth(&self) -> Option<bool> {
        match self {
            Value::Null => None,
            Value::Int(i) => Some(*i != 0),
            Value::Real(r) => Some(*r != 0.0),
            Value::Text(t) => Some(!t.is_empty()),
        }
    }

    pub fn as_real(&self) -> Option<f64> {
        match self {
            Value::Int(i) => Some(*i as f64),
            Value::Real(r) => Some(*r),
            _ => None,
        }
    }

    /// Comparison for `<` and `=`: unknown if either side is null.
    pub fn compare(&self, other: &Value) -> Option<Ordering> {
        if self.is_null() || other.is_null() {
            return None;
        }
        Some(self.cmp(other))
    }

    /// Reads a CSV field: empty is null, numbers become numbers.
    pub fn from_field(field: &str) -> Value {
        if field.is_empty() {
            return Value::Null;
        }
        if let Ok(i) = field.parse() {
            return Value::Int(i);
        }
        let numeric = field.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        match field.parse::<f64>() {
            Ok(r) if numeric => Value::Real(r),
            _ => Value::text(field),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Value::Null => 0,
            Value::Int(_) | Value::Real(_) => 1,
            Value::Text(_) => 2,
        }
    }
}

/// The order of ORDER BY and MIN/MAX: null, then numbers, then text.
impl Ord for Value {
    fn cmp(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Int(a), Value::Int(b)) => a.cmp(b),
            (Value::Text(a), Value::Text(b)) => a.cmp(b),
            _ => match (self.as_real(), other.as_real()) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                _ => self.rank().cmp(&other.rank()),
            },
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Value) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Value::Null => state.write_u8(0),
            Value::Text(t) => t.hash(state),
            // 2 and 2.0 are equal, so they must hash alike.
            Value::Int(i) => state.write_u64((*i as f64).to_bits()),
            Value::Real(r) => state.write_u64(r.to_bits()),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Value::Null => f.pad("NULL"),
            Value::Int(i) => f.pad(&i.to_string()),
            Value::Real(r) => f.pad(&format!("{r:?}")),
            Value::Text(t) => f.pad(t),
        }
    }
}
