//! What a proof reports.

use std::fmt;

/// Why code is not proven.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct VerifyError {
    /// The function, counted with imports.
    pub function: u32,
    /// The text offset of the instruction.
    pub offset: u64,
    /// The bytes of the instruction.
    pub code: Vec<u8>,
    /// What was to be shown.
    pub goal: &'static str,
    /// What is known there.
    pub known: String,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "function {}, text offset {:#x}, instruction", self.function, self.offset)?;
        for byte in &self.code {
            write!(f, " {byte:02x}")?;
        }
        write!(f, ": not shown: {}", self.goal)?;
        if self.known.is_empty() { Ok(()) } else { write!(f, "; known: {}", self.known) }
    }
}

impl std::error::Error for VerifyError {}

/// An obligation that cannot be shown.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) goal: &'static str,
    pub(crate) known: String,
}

/// Fails to show `goal`.
pub(crate) fn fail<T>(goal: &'static str) -> Result<T, Failure> {
    Err(Failure { goal, known: String::new() })
}

/// Shows `goal` if `holds`.
pub(crate) fn show(holds: bool, goal: &'static str) -> Result<(), Failure> {
    if holds { Ok(()) } else { fail(goal) }
}
