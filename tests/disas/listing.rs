//! Listings of an artifact's text: instructions with labels for jumps, names for other functions
//! and data, and the traps that the artifact's tables declare.
//!
//! No address appears, so a change of one function leaves the listings of others as they are.
//! The listing follows jumps from the starts of functions and handlers: bytes that no jump reaches
//! are data. A listing fails if a table declares a trap or a handler where no instruction is.

use precast_abi::artifact::{Artifact, HandlerDesc, Section};
use precast_abi::trap::TrapCode;
use precast_compiler::Symbol;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::ops::Range;
use std::rc::Rc;

/// Bytes of an entry of a jump table: a distance from the table's start.
const TABLE_ENTRY: u64 = 4;

/// How an instruction goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// With the next one.
    Next,
    /// With the next one, after a call of the target.
    Call,
    /// With the next one or the target.
    Branch,
    /// With the target.
    Jump,
    /// Somewhere else: at an entry of the jump table that follows, if one does.
    IndirectJump,
    /// Not at all.
    End,
}

/// What is known of an instruction before addresses have names.
pub(crate) struct Step {
    pub(crate) len: u64,
    pub(crate) flow: Flow,
    /// The address of a jump or call.
    pub(crate) target: Option<u64>,
    /// The address of data.
    pub(crate) data: Option<u64>,
}

/// A disassembler. Addresses are text offsets.
pub(crate) trait Decoder {
    /// Decodes the instruction at `at`, if there is one.
    fn decode(&self, text: &[u8], at: u64) -> Option<Step>;

    /// The instruction at `at` as text.
    fn format(&self, text: &[u8], at: u64, names: &Names) -> String;
}

/// The names of addresses: labels of one function, functions, and read-only data.
#[derive(Clone)]
pub(crate) struct Names {
    labels: Rc<BTreeMap<u64, String>>,
    functions: Rc<BTreeMap<u64, String>>,
    rodata: u64,
}

impl Names {
    pub(crate) fn name(&self, address: u64) -> Option<String> {
        let known = self.labels.get(&address).or_else(|| self.functions.get(&address));
        let rodata = || address.checked_sub(self.rodata).map(|at| format!("rodata+{at:#x}"));
        known.cloned().or_else(rodata)
    }
}

/// What a listing needs of an artifact.
pub(crate) struct Listing<'a> {
    decoder: &'a dyn Decoder,
    text: &'a [u8],
    traps: BTreeMap<u64, TrapCode>,
    /// Handlers by the return address of their call.
    handlers: BTreeMap<u64, u64>,
    functions: Rc<BTreeMap<u64, String>>,
    /// The address of read-only data.
    rodata: u64,
}

/// A function's instructions, and the jump tables between them.
#[derive(Default)]
struct Code {
    steps: BTreeMap<u64, Step>,
    tables: BTreeMap<u64, Vec<u64>>,
    labelled: BTreeSet<u64>,
}

impl<'a> Listing<'a> {
    pub(crate) fn new(
        decoder: &'a dyn Decoder,
        artifact: &Artifact,
        bytes: &'a [u8],
        symbols: &[Symbol],
    ) -> Self {
        let offsets: &[u32] = artifact.records(bytes, Section::TrapOffsets);
        let codes = artifact.bytes(bytes, Section::TrapCodes).iter();
        let codes = codes.map(|&code| TrapCode::from_raw(code).expect("a trap code"));
        let handlers: &[HandlerDesc] = artifact.records(bytes, Section::Handlers);
        let functions = symbols.iter().map(|symbol| (symbol.start.into(), symbol.name.clone()));
        let distance =
            artifact.entry(Section::Rodata).offset - artifact.entry(Section::Text).offset;
        Listing {
            decoder,
            text: artifact.bytes(bytes, Section::Text),
            traps: offsets.iter().map(|&offset| offset.into()).zip(codes).collect(),
            handlers: handlers.iter().map(|desc| (desc.ret.into(), desc.handler.into())).collect(),
            functions: Rc::new(functions.collect()),
            rodata: distance,
        }
    }

    /// The listing of one function.
    pub(crate) fn function(&self, symbol: &Symbol) -> Result<String, String> {
        let (start, end) = (u64::from(symbol.start), u64::from(symbol.start + symbol.len));
        let code = self.trace(start, end).map_err(|error| format!("{}: {error}", symbol.name))?;
        self.check_tables(&code, start, end)?;
        let numbered = code.labelled.iter().enumerate();
        let labels = numbered.map(|(n, &at)| (at, format!("L{n}"))).collect();
        let names = Names {
            labels: Rc::new(labels),
            functions: Rc::clone(&self.functions),
            rodata: self.rodata,
        };
        let mut listing = format!("{}:\n", symbol.name);
        let mut at = start;
        while at < end {
            if let Some(label) = names.labels.get(&at) {
                writeln!(listing, "  {label}:").expect("memory");
            }
            at = match (code.steps.get(&at), code.tables.get(&at)) {
                (Some(step), _) => {
                    listing += &self.instruction(at, step, &names);
                    at + step.len
                }
                (None, Some(table)) if !table.is_empty() => {
                    listing += &jump_table(table, &names);
                    at + TABLE_ENTRY * table.len() as u64
                }
                _ => {
                    let next = code.next_known(at).unwrap_or(end);
                    let bytes = &self.text[at as usize..next as usize];
                    let is_padding = !code.labelled.contains(&at) && bytes.iter().all(|&b| b == 0);
                    if !is_padding {
                        listing += &data(bytes);
                    }
                    next
                }
            };
        }
        Ok(listing)
    }

    /// Finds a function's instructions.
    fn trace(&self, start: u64, end: u64) -> Result<Code, String> {
        let mut code = Code::default();
        let handlers = self.handlers.range(start..end).map(|(_, &handler)| handler);
        code.labelled.extend(handlers.clone());
        let mut queue: Vec<u64> = handlers.chain([start]).collect();
        let mut indirect = Vec::new();
        // A table ends where code starts, which its entries lead to: one entry after the other.
        while let Some(at) =
            queue.pop().or_else(|| self.next_entry(&mut code, &indirect, start..end))
        {
            if code.steps.contains_key(&at) {
                continue;
            }
            let step = self.decoder.decode(&self.text[..end as usize], at);
            let step = step.ok_or_else(|| format!("no instruction at {:#x}", at - start))?;
            let next = at + step.len;
            let inside = |address: &u64| (start..end).contains(address);
            let is_recursive = step.flow == Flow::Call && step.target == Some(start);
            code.labelled.extend(step.target.filter(inside).filter(|_| !is_recursive));
            code.labelled.extend(step.data.filter(inside));
            match step.flow {
                Flow::Next | Flow::Call => queue.push(next),
                Flow::Branch => queue.extend(step.target.into_iter().chain([next])),
                Flow::Jump => queue.extend(step.target.filter(inside)),
                Flow::IndirectJump => indirect.push(next),
                Flow::End => {}
            }
            code.steps.insert(at, step);
        }
        Ok(code)
    }

    /// Takes one more entry of a jump table behind one of the indirect jumps; what it leads to.
    fn next_entry(&self, code: &mut Code, indirect: &[u64], function: Range<u64>) -> Option<u64> {
        for &table in indirect {
            let targets = code.tables.entry(table).or_default();
            let at = table + TABLE_ENTRY * targets.len() as u64;
            let limit = code.steps.range(table..).next().map_or(function.end, |(&at, _)| at);
            // What refers to a table stands before the jump.
            if !code.labelled.contains(&table) || at + TABLE_ENTRY > limit {
                continue;
            }
            let entry = self.text[at as usize..].first_chunk().expect("an entry");
            let target = table.wrapping_add_signed(i32::from_le_bytes(*entry).into());
            // Otherwise it is code that nothing reaches.
            if function.contains(&target) {
                targets.push(target);
                code.labelled.insert(target);
                return Some(target);
            }
        }
        None
    }

    /// Whether every trap and handler of the artifact's tables is at an instruction.
    fn check_tables(&self, code: &Code, start: u64, end: u64) -> Result<(), String> {
        let traps = self.traps.range(start..end).map(|(at, _)| at);
        let returns = self.handlers.range(start..end).map(|(at, _)| at);
        let stray = traps.chain(returns).find(|at| !code.steps.contains_key(at));
        match stray {
            Some(at) => Err(format!("a table names {:#x}, where no instruction is", at - start)),
            None => Ok(()),
        }
    }

    fn instruction(&self, at: u64, step: &Step, names: &Names) -> String {
        let mut line = format!("    {}", self.decoder.format(self.text, at, names));
        if let Some(trap) = self.traps.get(&at) {
            write!(line, "  ; trap: {trap}").expect("memory");
        }
        let handler = self.handlers.get(&(at + step.len));
        if let Some(label) = handler.and_then(|handler| names.name(*handler)) {
            write!(line, "  ; handler: {label}").expect("memory");
        }
        line + "\n"
    }
}

impl Code {
    /// The first instruction, table or label behind `at`.
    fn next_known(&self, at: u64) -> Option<u64> {
        let steps = self.steps.range(at + 1..).map(|(&at, _)| at).next();
        let tables = self.tables.range(at + 1..).map(|(&at, _)| at).next();
        let labels = self.labelled.range(at + 1..).copied().next();
        [steps, tables, labels].into_iter().flatten().min()
    }
}

fn jump_table(targets: &[u64], names: &Names) -> String {
    let label = |target: &u64| names.name(*target).unwrap_or_default();
    let lines = targets.chunks(8).map(|targets| {
        let labels: Vec<_> = targets.iter().map(label).collect();
        format!("    .table {}\n", labels.join(", "))
    });
    lines.collect()
}

/// Bytes that are no code, or code that nothing reaches.
fn data(bytes: &[u8]) -> String {
    let lines = bytes.chunks(16).map(|bytes| {
        let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("    .byte {}\n", bytes.join(" "))
    });
    lines.collect()
}
