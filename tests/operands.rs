//! Tests every operator on numbers and vectors with its operands as parameters, as constants,
//! loaded from the last bytes of memory, spilled across a call, and all the same. The results must
//! equal those of parameters in code that is not optimised. Chains of operators must give the
//! results of the single operators in sequence.
//!
//! Code generators had these faults (docs/advisories.md): wrong operators on constants, loads that
//! became part of an instruction that reads more, and operators that were folded into others at the
//! wrong width.

#[path = "operands/chains.rs"]
mod chains;
#[path = "operands/operators.rs"]
mod operators;
#[path = "operands/ty.rs"]
mod ty;

use std::fmt::Write;

use operators::{Op, operators};
use precast::{Config, Instance, Memory, Namespace, Runtime, TrapCode, Value};
use ty::bits;

const PAGE: usize = 65536;

/// The outcome of a call: the bits of its result, or the reason of the trap.
type Outcome = Result<u128, TrapCode>;

/// One way in which an operator gets its operands.
struct Form {
    what: String,
    body: String,
    /// The only possible value of each operand.
    fixed: Vec<Option<u128>>,
    /// The operand that is loaded from memory.
    loaded: Option<usize>,
    /// Whether all operands are the first one.
    same: bool,
}

fn forms(op: &Op) -> Vec<Form> {
    let count = op.takes.len();
    let params: Vec<String> = (0..count).map(|i| format!("(local.get {i})")).collect();
    let plain = |what: &str, body: String| Form {
        what: what.into(),
        body,
        fixed: vec![None; count],
        loaded: None,
        same: false,
    };
    let mut forms = vec![
        plain("parameters", op.apply(&params)),
        plain("spilled", format!("(call $nothing) {}", op.apply(&params))),
    ];
    for (i, &ty) in op.takes.iter().enumerate() {
        for value in ty.values() {
            let mut operands = params.clone();
            operands[i] = ty.constant(value);
            let mut form = plain(&format!("operand {i} constant"), op.apply(&operands));
            form.fixed[i] = Some(value);
            forms.push(form);
        }
        let end = PAGE - ty.bytes();
        for address in [format!("(local.get {count})"), format!("(i32.const {end})")] {
            let mut operands = params.clone();
            operands[i] = format!("({}.load {address})", ty.name());
            let what = format!("operand {i} loaded from {address}");
            forms.push(Form { loaded: Some(i), ..plain(&what, op.apply(&operands)) });
        }
    }
    for values in combinations(&op.takes) {
        let operands: Vec<_> =
            op.takes.iter().zip(&values).map(|(ty, &value)| ty.constant(value)).collect();
        let mut form = plain("constants", op.apply(&operands));
        form.fixed = values.into_iter().map(Some).collect();
        forms.push(form);
    }
    if count > 1 && op.takes[0] == op.takes[1] {
        let mut operands = params.clone();
        operands[1] = operands[0].clone();
        forms.push(Form { same: true, ..plain("the same twice", op.apply(&operands)) });
    }
    forms
}

/// All combinations of values that operators treat specially.
fn combinations(types: &[ty::Ty]) -> Vec<Vec<u128>> {
    let mut all = vec![Vec::new()];
    for ty in types {
        let longer = |start: Vec<u128>| {
            let values = ty.values().into_iter();
            values.map(move |value| start.iter().copied().chain([value]).collect())
        };
        all = all.into_iter().flat_map(longer).collect();
    }
    all
}

/// A module whose export `fN` is the Nth of some forms of an operator.
fn module(op: &Op, forms: &[Form]) -> String {
    let params: Vec<&str> = op.takes.iter().map(|ty| ty.name()).collect();
    let ty = format!("(param {} i32) (result {})", params.join(" "), op.gives.name());
    let mut text = r#"(module (memory (export "memory") 1 1) (func $nothing)"#.to_owned();
    for (n, form) in forms.iter().enumerate() {
        writeln!(text, r#"(func (export "f{n}") {ty} {})"#, form.body).unwrap();
    }
    text + ")"
}

/// An instance of a module with one memory.
struct Machine {
    namespace: Box<Namespace>,
    instance: Instance,
    memory: Memory,
}

impl Machine {
    fn new(runtime: &Runtime, text: &str) -> Machine {
        let wasm = wat::parse_str(text).unwrap_or_else(|e| panic!("{e}"));
        let module = runtime.compile(&wasm).unwrap_or_else(|e| panic!("{e}: {text}"));
        let mut namespace = runtime.namespace();
        let instance = namespace.instantiate(&module).unwrap();
        let memory = instance.memory(&namespace, "memory").unwrap();
        Machine { namespace, instance, memory }
    }

    /// Calls a form. The last argument is the address of a loaded operand of that many bytes.
    fn call(&mut self, n: usize, op: &Op, values: &[u128], bytes: usize) -> Outcome {
        let args = op.takes.iter().zip(values).map(|(ty, &value)| ty.value(value));
        let args: Vec<Value> = args.chain([Value::I32((PAGE - bytes) as i32)]).collect();
        self.results(&format!("f{n}"), &args)
    }

    fn results(&mut self, name: &str, args: &[Value]) -> Outcome {
        match self.instance.call(&mut self.namespace, name, args) {
            Ok(results) => Ok(bits(&results[0])),
            Err(error) => Err(error.trap().unwrap_or_else(|| panic!("{name}: {error}")).code()),
        }
    }
}

fn runtimes() -> [Runtime; 2] {
    [true, false].map(|yes| Runtime::with_config(Config::new().optimize(yes).threads(1)))
}

#[test]
fn operands_of_every_shape_give_the_same() {
    let [optimized, plain] = runtimes();
    let mut compared = 0;
    for op in operators() {
        let forms = forms(&op);
        let mut reference = Machine::new(&plain, &module(&op, &forms[..1]));
        let text = module(&op, &forms);
        for runtime in [&optimized, &plain] {
            let mut machine = Machine::new(runtime, &text);
            for values in combinations(&op.takes) {
                let expected = reference.call(0, &op, &values, 0);
                for (n, form) in forms.iter().enumerate() {
                    let differs = |(fixed, &value): (&Option<u128>, &u128)| {
                        fixed.is_some_and(|fixed| fixed != value)
                    };
                    let other = form.fixed.iter().zip(&values).any(differs);
                    if other || form.same && values[0] != values[1] {
                        continue;
                    }
                    let bytes = form.loaded.map_or(0, |i| op.takes[i].bytes());
                    if let Some(i) = form.loaded {
                        let memory = machine.memory.data_mut(&mut machine.namespace).unwrap();
                        memory[PAGE - bytes..].copy_from_slice(&values[i].to_le_bytes()[..bytes]);
                    }
                    let found = machine.call(n, &op, &values, bytes);
                    let what = || format!("{} of {values:x?}, {}", op.name, form.what);
                    assert!(
                        op.agrees(found, expected),
                        "{}: {found:x?}, not {expected:x?}",
                        what()
                    );
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 100_000, "{compared}");
    println!("{compared} results compared");
}
