//! The function bodies of compilation bombs: repeated and nested constructs.
//!
//! Code is in one of two states: with nothing on the stack, or with the values of the wide type.
//! Every motif keeps the state, so motifs can follow each other in any order.

use super::encode::Bytes;
use super::rng::Rng;
use super::{Shape, constant};

/// The writer of one body.
pub(crate) struct Body<'a> {
    pub(crate) rng: &'a mut Rng,
    pub(crate) shape: &'a Shape,
    pub(crate) code: Bytes,
    /// Number of locals, all of 32 bits; at least one.
    pub(crate) locals: u32,
    /// Length at which the code should end.
    pub(crate) end: usize,
    /// Per open label, whether it takes the wide values.
    labels: Vec<bool>,
    next_local: u32,
}

const BLOCK: u8 = 0x02;
const LOOP: u8 = 0x03;
const IF: u8 = 0x04;
const ELSE: u8 = 0x05;
const END: u8 = 0x0b;
const BR: u8 = 0x0c;
const BR_IF: u8 = 0x0d;
const BR_TABLE: u8 = 0x0e;
const CALL: u8 = 0x10;
const CALL_INDIRECT: u8 = 0x11;
const DROP: u8 = 0x1a;
const LOCAL_GET: u8 = 0x20;
const LOCAL_SET: u8 = 0x21;
const LOCAL_TEE: u8 = 0x22;
const I32_CONST: u8 = 0x41;
const EMPTY: u8 = 0x40;

impl<'a> Body<'a> {
    pub(crate) fn new(rng: &'a mut Rng, shape: &'a Shape, locals: u32, len: usize) -> Self {
        let code = Bytes::default();
        Body { rng, shape, code, locals, end: len, labels: vec![false], next_local: 0 }
    }

    /// Writes code in the empty state until the body is full.
    pub(crate) fn fill(&mut self) {
        while self.room() > 0 {
            self.part(0);
        }
    }

    fn room(&self) -> usize {
        self.end.saturating_sub(self.code.len())
    }

    /// A repeated or nested construct.
    fn part(&mut self, depth: u32) {
        let wide = self.labels.last() == Some(&true);
        let most = self.room().max(1) as u64;
        let count = match self.rng.below(4) {
            0 => 1 + self.rng.below(4),
            1 => 1 + self.rng.below(most.min(100)),
            _ => 1 + self.rng.below(most),
        };
        match self.rng.below(if depth < 4 { 4 } else { 2 }) {
            0 if !wide => self.in_wide_state(depth),
            0 | 1 => self.repeat(count),
            2 => self.nest(count as usize, depth),
            _ => {
                for _ in 0..self.rng.below(4) {
                    self.part(depth + 1);
                }
            }
        }
    }

    /// One or two motifs, repeated.
    fn repeat(&mut self, count: u64) {
        let kinds = [self.rng.below(MOTIFS), self.rng.below(MOTIFS)];
        let two = self.rng.one_in(3);
        for n in 0..count {
            if self.room() == 0 {
                break;
            }
            self.motif(kinds[usize::from(two && n % 2 == 1)]);
        }
    }

    /// Opens `count` constructs, writes code inside, and closes them, sometimes with code after
    /// each.
    fn nest(&mut self, count: usize, depth: u32) {
        let opener = self.rng.pick(&[BLOCK, LOOP, IF, ELSE, 0]);
        let wide = self.labels.last() == Some(&true);
        let before = self.rng.one_in(4).then(|| self.rng.below(MOTIFS));
        let behind = self.rng.one_in(3).then(|| self.rng.below(MOTIFS));
        let mut opened = Vec::new();
        for _ in 0..count {
            // The ends take room too.
            if self.room() < 4 * opened.len() {
                break;
            }
            let opener = match opener {
                0 => self.rng.pick(&[BLOCK, LOOP, IF, ELSE]),
                opener => opener,
            };
            self.open(opener, wide);
            opened.push(opener);
            if let Some(motif) = before {
                self.motif(motif);
            }
        }
        self.part(depth + 1);
        while let Some(opener) = opened.pop() {
            if opener == ELSE {
                self.code.byte(ELSE);
            }
            self.close();
            if let Some(motif) = behind.filter(|_| self.room() > 0) {
                self.motif(motif);
            }
        }
    }

    fn open(&mut self, opener: u8, wide: bool) {
        if matches!(opener, IF | ELSE) {
            self.condition();
        }
        self.code.byte(if opener == ELSE { IF } else { opener });
        match wide {
            true => self.code.signed(self.shape.wide_to_wide.into()),
            false => self.code.byte(EMPTY),
        };
        self.labels.push(wide);
    }

    fn close(&mut self) {
        self.code.byte(END);
        self.labels.pop();
    }

    /// Writes code in the wide state, and returns to the empty state.
    fn in_wide_state(&mut self, depth: u32) {
        self.code.byte(CALL).number(self.shape.push);
        self.open(BLOCK, true);
        for _ in 0..1 + self.rng.below(3) {
            self.part(depth + 1);
        }
        self.close();
        self.code.byte(CALL).number(self.shape.pop);
    }

    fn condition(&mut self) {
        match self.rng.below(8) {
            0 => self.code.byte(I32_CONST).signed(1),
            1 => self.get(),
            _ => self.code.byte(LOCAL_GET).number(0u32),
        };
    }

    fn local(&mut self) -> u32 {
        self.next_local = (self.next_local + 1) % self.locals;
        match self.rng.one_in(4) {
            true => self.rng.below(self.locals.into()) as u32,
            false => self.next_local,
        }
    }

    fn get(&mut self) -> &mut Bytes {
        let local = self.local();
        self.code.byte(LOCAL_GET).number(local)
    }

    /// The depth of a label whose state is that of the code here.
    fn label(&mut self, wide: bool) -> u32 {
        let fits = |&(_, &label): &(usize, &bool)| label == wide;
        let count = self.labels.iter().enumerate().filter(fits).count() as u64;
        let nth = match self.rng.below(3) {
            0 => 0,
            1 => count - 1,
            _ => self.rng.below(count),
        };
        let mut labels = self.labels.iter().rev().enumerate();
        labels.by_ref().filter(fits).nth(nth as usize).map_or(0, |(depth, _)| depth as u32)
    }

    /// Code that keeps the state.
    fn motif(&mut self, kind: u64) {
        let wide = self.labels.last() == Some(&true);
        match kind {
            0 => {
                self.get().byte(DROP);
            }
            1 => {
                self.get();
                let to = self.local();
                self.code.byte(LOCAL_SET).number(to);
            }
            2 => {
                self.condition();
                let label = self.label(wide);
                self.code.byte(BR_IF).number(label);
            }
            3 => self.dispatch(wide),
            4 => {
                let callee = match wide {
                    true => self.shape.same,
                    false => self.shape.nothing,
                };
                self.code.byte(CALL).number(callee);
            }
            5 => {
                let mut ty = self.shape.wide_to_wide;
                if !wide {
                    let nth = self.rng.below(self.shape.fillers.len() as u64);
                    ty = self.shape.first_filler + nth as u32;
                    for &param in &self.shape.fillers[nth as usize] {
                        constant(&mut self.code, param);
                    }
                }
                self.condition();
                let table = self.rng.below(self.shape.tables.into());
                self.code.byte(CALL_INDIRECT).number(ty).number(table);
            }
            6 => {
                let opener = self.rng.pick(&[BLOCK, LOOP, IF, ELSE]);
                self.open(opener, wide);
                if opener == ELSE {
                    self.code.byte(ELSE);
                }
                self.close();
            }
            7 => {
                // An arm that does not return, and unreachable code.
                self.open(IF, wide);
                match self.rng.below(3) {
                    0 => self.code.byte(0x00),
                    1 => {
                        let label = self.label(wide);
                        self.code.byte(BR).number(label)
                    }
                    _ if self.labels.first() == Some(&wide) => self.code.byte(0x0f),
                    _ => self.code.byte(0x00),
                };
                if self.rng.one_in(2) {
                    self.code.byte(I32_CONST).signed(0).byte(DROP);
                }
                self.close();
            }
            8 => {
                self.get();
                self.get();
                let op = 0x6a + self.rng.below(15) as u8;
                self.code.byte(op);
                let to = self.local();
                self.code.byte(LOCAL_SET).number(to);
            }
            9 => self.access(),
            10 => {
                self.get().byte(LOCAL_TEE).number(0u32);
                self.get();
                self.get();
                let to = self.local();
                self.code.byte(0x1b).byte(LOCAL_SET).number(to);
            }
            11 => {
                let len = self.rng.pick(&[0, 1, 3, 16, 64, 127, 128, 129, 1 << 20]);
                self.get();
                self.get().byte(I32_CONST).signed(len).byte(0xfc);
                match self.rng.one_in(2) {
                    true => self.code.bytes(&[10, 0, 0]),
                    false => self.code.bytes(&[11, 0]),
                };
            }
            12 => {
                let global = self.rng.below(self.shape.globals.into());
                self.get().byte(0x24).number(global).byte(0x23).number(global).byte(DROP);
            }
            13 => self.vector(),
            14 => {
                let func = self.rng.pick(&[self.shape.nothing, self.shape.same, self.shape.import]);
                self.code.byte(0xd2).number(func).byte(0xd1).byte(DROP);
            }
            15 => {
                self.code.byte(CALL).number(self.shape.import);
            }
            16 => {
                self.get().byte(0xb8); // f64.convert_i32_u
                let op = self.rng.pick(&[0xaa, 0xab, 0xb0, 0xb1]);
                self.code.byte(op).byte(DROP);
            }
            17 => {
                let table = self.rng.below(self.shape.tables.into());
                self.get().byte(0x25).number(table).byte(DROP);
            }
            18 if !wide => {
                self.code.byte(CALL).number(self.shape.push);
                self.code.byte(CALL).number(self.shape.pop);
            }
            19 => {
                let op = self.rng.pick(&[0x6d, 0x6e, 0x6f, 0x70]);
                self.get();
                self.get().byte(op).byte(DROP);
            }
            _ => {
                self.code.byte(0x01);
            }
        }
    }

    /// A branch table in a block of its own; in the wide state it passes all values.
    fn dispatch(&mut self, wide: bool) {
        self.open(BLOCK, wide);
        let most = (self.room() as u64).clamp(1, 20_000);
        let count = match self.rng.below(3) {
            0 => self.rng.below(8),
            1 => self.rng.below(most.min(300)),
            _ => self.rng.below(most),
        };
        self.condition();
        self.code.byte(BR_TABLE).number(count);
        let same = self.rng.one_in(2).then(|| self.label(wide));
        let fits: Vec<u32> = (0..self.labels.len())
            .filter(|&depth| self.labels[self.labels.len() - 1 - depth] == wide)
            .map(|depth| depth as u32)
            .collect();
        for n in 0..=count {
            let label = same.unwrap_or(fits[n as usize % fits.len()]);
            self.code.number(label);
        }
        self.close();
    }

    fn access(&mut self) {
        let offset = self.rng.pick(&[0, 4, 1 << 16, 1 << 25, u32::MAX]);
        self.get();
        match self.rng.one_in(2) {
            true => {
                let op = self.rng.pick(&[0x28, 0x2c, 0x2d, 0x2e, 0x2f]);
                self.code.bytes(&[op, 0]).number(offset).byte(DROP)
            }
            false => {
                self.get();
                let op = self.rng.pick(&[0x36, 0x3a, 0x3b]);
                self.code.bytes(&[op, 0]).number(offset)
            }
        };
    }

    fn vector(&mut self) {
        self.get().bytes(&[V128_OP, 0x11]); // i32x4.splat
        self.get().bytes(&[V128_OP, 0x0f]); // i8x16.splat
        let op = self.rng.pick(&[0x6e, 0x95, 0xb5, 0xd5, 0x0e, 0x62, 0x23, 0x37]);
        match op {
            0x62 => self.code.byte(DROP).bytes(&[V128_OP, op]),
            _ => self.code.byte(V128_OP).number(op),
        };
        self.code.byte(DROP);
    }
}

const MOTIFS: u64 = 21;
const V128_OP: u8 = 0xfd;
