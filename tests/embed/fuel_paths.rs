//! Fuel on all paths: random functions consume what a model of their control flow counts.

use std::fmt::Write;

use fastrand::Rng;
use precast::{Config, Runtime, TrapCode};

use super::compile;

/// A part of a function. A condition is the lowest bit of a local `$x`, which then shifts.
enum Node {
    /// So many pairs of `i32.const` and `drop`.
    Plain(u32),
    Block(Vec<Node>),
    Loop(Vec<Node>),
    /// `if` with a result, which is dropped, or without.
    If(bool, Vec<Node>, Option<Vec<Node>>),
    Br(u32),
    BrIf(u32),
    BrTable(Vec<u32>),
    Return,
    /// Calls a function of three operators.
    Call,
}

/// Where execution goes on.
enum Next {
    Here,
    Label(u32),
    Return,
}

/// The label of a construct.
#[derive(Clone, Copy, PartialEq)]
enum Label {
    Forward,
    /// Of an `if` with a result.
    Result,
    Back,
}

fn label(labels: &[Label], depth: u32) -> Label {
    labels[labels.len() - 1 - depth as usize]
}

/// A function returns in place of its last branch back of so many.
const BRANCHES_BACK: u32 = 40;

/// Random nodes inside of labels, of which the innermost is last.
fn nodes(random: &mut Rng, labels: &mut Vec<Label>, budget: &mut u32) -> Vec<Node> {
    let mut nodes = Vec::new();
    for _ in 0..random.u32(0..5) {
        if *budget == 0 {
            break;
        }
        *budget -= 1;
        let depth = random.u32(0..labels.len() as u32);
        let mut inside = |random: &mut Rng, label: Label| {
            labels.push(label);
            let nodes = self::nodes(random, labels, budget);
            labels.pop();
            nodes
        };
        nodes.push(match random.u32(0..12) {
            0..2 => Node::Plain(random.u32(0..6)),
            2..4 => Node::Block(inside(random, Label::Forward)),
            4..6 => Node::Loop(inside(random, Label::Back)),
            6..8 => {
                let result = random.bool();
                let label = if result { Label::Result } else { Label::Forward };
                let then = inside(random, label);
                let otherwise = (result || random.bool()).then(|| inside(random, label));
                Node::If(result, then, otherwise)
            }
            8 => Node::BrIf(depth),
            9 => {
                let mut depths: Vec<u32> =
                    (0..random.u32(1..5)).map(|_| random.u32(0..labels.len() as u32)).collect();
                depths.retain(|&depth| label(labels, depth) != Label::Result);
                if depths.is_empty() { Node::Return } else { Node::BrTable(depths) }
            }
            10 => Node::Call,
            _ if random.bool() => Node::Br(depth),
            _ => Node::Return,
        });
    }
    nodes
}

/// A condition, of 7 operators.
const CONDITION: &str = "(i32.and (local.get $x) (i32.const 1))
  (local.set $x (i32.rotr (local.get $x) (i32.const 1)))";
/// Counts a branch back and returns if there were too many: 6 operators, or 7 when it returns.
const BACK: &str =
    "(local.tee $n (i32.sub (local.get $n) (i32.const 1))) (if (i32.eqz) (then (return)))";

fn text(nodes: &[Node], labels: &mut Vec<Label>, out: &mut String) {
    for node in nodes {
        let mut inside = |nodes: &[Node], label: Label, out: &mut String| {
            labels.push(label);
            text(nodes, labels, out);
            labels.pop();
        };
        match node {
            Node::Plain(count) => (0..*count).for_each(|_| *out += "(drop (i32.const 5))\n"),
            Node::Block(nodes) => {
                *out += "block\n";
                inside(nodes, Label::Forward, out);
                *out += "end\n";
            }
            Node::Loop(nodes) => {
                *out += "loop\n";
                inside(nodes, Label::Back, out);
                *out += "end\n";
            }
            Node::If(result, then, otherwise) => {
                let (label, ty, value, drop) = match result {
                    true => (Label::Result, "(result i32)", "i32.const 9\n", "drop\n"),
                    false => (Label::Forward, "", "", ""),
                };
                writeln!(out, "{CONDITION} if {ty}").unwrap();
                inside(then, label, out);
                *out += value;
                if let Some(otherwise) = otherwise {
                    *out += "else\n";
                    inside(otherwise, label, out);
                    *out += value;
                }
                *out += "end\n";
                *out += drop;
            }
            Node::Br(depth) => {
                *out += match label(labels, *depth) {
                    Label::Forward => "",
                    Label::Result => "i32.const 9\n",
                    Label::Back => BACK,
                };
                writeln!(out, "br {depth}").unwrap();
            }
            Node::BrIf(depth) => {
                let (before, after) = match label(labels, *depth) {
                    Label::Forward => ("", ""),
                    Label::Result => ("i32.const 9", "drop"),
                    Label::Back => (BACK, ""),
                };
                writeln!(out, "{before} {CONDITION} br_if {depth} {after}").unwrap();
            }
            Node::BrTable(depths) => {
                let depths: Vec<String> = depths.iter().map(u32::to_string).collect();
                writeln!(out, "{BACK} {CONDITION} br_table {}", depths.join(" ")).unwrap();
            }
            Node::Return => *out += "return\n",
            Node::Call => *out += "call $three\n",
        }
    }
}

/// A branch that leaves a construct, seen from outside.
fn outside(next: Next) -> Next {
    match next {
        Next::Label(0) => Next::Here,
        Next::Label(depth) => Next::Label(depth - 1),
        next => next,
    }
}

/// What a function does, and the operators that it executes.
struct Model {
    x: u32,
    n: u32,
    count: u64,
}

impl Model {
    fn condition(&mut self) -> bool {
        self.count += 7;
        let bit = self.x & 1;
        self.x = self.x.rotate_right(1);
        bit == 1
    }

    /// Whether the function goes on.
    fn back(&mut self) -> bool {
        self.n -= 1;
        self.count += if self.n == 0 { 7 } else { 6 };
        self.n != 0
    }

    fn run(&mut self, nodes: &[Node], labels: &mut Vec<Label>) -> Next {
        for node in nodes {
            match self.step(node, labels) {
                Next::Here => {}
                next => return next,
            }
        }
        Next::Here
    }

    fn inside(&mut self, nodes: &[Node], label: Label, labels: &mut Vec<Label>) -> Next {
        labels.push(label);
        let next = self.run(nodes, labels);
        labels.pop();
        next
    }

    fn step(&mut self, node: &Node, labels: &mut Vec<Label>) -> Next {
        match node {
            Node::Plain(count) => {
                self.count += 2 * u64::from(*count);
                Next::Here
            }
            Node::Block(nodes) => outside(self.inside(nodes, Label::Forward, labels)),
            Node::Loop(nodes) => loop {
                let next = self.inside(nodes, Label::Back, labels);
                if !matches!(next, Next::Label(0)) {
                    return outside(next);
                }
            },
            Node::If(result, then, otherwise) => {
                let arm = if self.condition() { Some(then) } else { otherwise.as_ref() };
                self.count += 1;
                let label = if *result { Label::Result } else { Label::Forward };
                let next = arm.map_or(Next::Here, |arm| self.inside(arm, label, labels));
                // The constant at the end of an arm, which a branch had before it, and the `drop`.
                self.count += match (*result, &next) {
                    (true, Next::Here) => 2,
                    (true, Next::Label(0)) => 1,
                    _ => 0,
                };
                outside(next)
            }
            Node::Br(depth) => {
                match label(labels, *depth) {
                    Label::Forward => {}
                    Label::Result => self.count += 1,
                    Label::Back if self.back() => {}
                    Label::Back => return Next::Return,
                }
                self.count += 1;
                Next::Label(*depth)
            }
            Node::BrIf(depth) => {
                let has_value = match label(labels, *depth) {
                    Label::Forward => false,
                    Label::Result => true,
                    Label::Back if self.back() => false,
                    Label::Back => return Next::Return,
                };
                let taken = self.condition();
                // The value, and the `drop` where it was not taken.
                self.count += 1 + u64::from(has_value) + u64::from(has_value && !taken);
                if taken { Next::Label(*depth) } else { Next::Here }
            }
            Node::BrTable(depths) => {
                if !self.back() {
                    return Next::Return;
                }
                let index = usize::from(self.condition()).min(depths.len() - 1);
                self.count += 1;
                Next::Label(depths[index])
            }
            Node::Return => {
                self.count += 1;
                Next::Return
            }
            Node::Call => {
                self.count += 4;
                Next::Here
            }
        }
    }
}

#[test]
fn every_path_consumes_its_operators() {
    let mut random = Rng::with_seed(3);
    for case in 0..300 {
        let (mut labels, mut budget) = (vec![Label::Forward], 60);
        let body = nodes(&mut random, &mut labels, &mut budget);
        let mut code = String::new();
        text(&body, &mut labels, &mut code);
        let module = format!(
            "(module (func $three (drop (i32.const 1)) (nop) (return))
               (func (export \"f\") (param $x i32) (local $n i32)
                 (local.set $n (i32.const {BRANCHES_BACK})) {code}))"
        );
        let runtime = Runtime::with_config(Config::new().fuel(true).optimize(case % 2 == 0));
        let compiled = compile(&runtime, &module);
        let mut ns = runtime.namespace();
        let instance = ns.instantiate(&compiled).unwrap();
        let f = instance.typed::<u32, ()>(&ns, "f").unwrap();
        for _ in 0..8 {
            let x = random.u32(..);
            let mut model = Model { x, n: BRANCHES_BACK, count: 2 };
            model.run(&body, &mut labels);
            let count = model.count;
            for fuel in [u64::MAX, count] {
                ns.set_fuel(fuel);
                f.call(&mut ns, x)
                    .unwrap_or_else(|error| panic!("{case}, {fuel}: {error}\n{module}"));
                assert_eq!(ns.fuel_consumed(), count, "{case}\n{module}");
            }
            ns.set_fuel(count - 1);
            let error = f.call(&mut ns, x).unwrap_err();
            assert_eq!(error.trap().unwrap().code(), TrapCode::OutOfFuel, "{case}\n{module}");
            assert_eq!((ns.fuel(), ns.fuel_consumed()), (0, count - 1));
        }
    }
}
