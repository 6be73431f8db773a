//! Spans: what an embedder's subscriber sees of compilations, loads, instantiations and calls. It has
//! a process of its own, because threads without a subscriber turn spans off for those with one.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use precast::{HostModuleBuilder, Runtime};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps the names and fields of spans, indented by depth.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    lines: Vec<String>,
    depth: usize,
    last: u64,
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Sizes change with the compiler.
        if field.name() != "bytes" {
            self.0.push_str(&format!(" {}={value:?}", field.name()));
        }
    }
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target().starts_with("precast")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut state = self.0.lock().unwrap();
        let mut line = "  ".repeat(state.depth) + span.metadata().name();
        span.record(&mut Fields(&mut line));
        state.lines.push(line);
        state.last += 1;
        Id::from_u64(state.last)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {
        self.0.lock().unwrap().depth += 1;
    }

    fn exit(&self, _: &Id) {
        self.0.lock().unwrap().depth -= 1;
    }
}

#[test]
fn each_step_has_a_span() {
    let spans = Spans::default();
    tracing::subscriber::with_default(spans.clone(), || {
        let runtime = Runtime::new();
        let host = HostModuleBuilder::new("host").func("nop", || {}).build(&runtime).unwrap();
        let text = r#"(module $app (import "host" "nop" (func $nop))
          (func $start (call $nop)) (start $start)
          (func $run (export "run") (param i32) (result i32) (local.get 0)))"#;
        let module = runtime.compile(&wat::parse_str(text).unwrap()).unwrap();
        let mut ns = runtime.namespace();
        let host = ns.instantiate_host(&host).unwrap();
        let instance = ns.instantiate(&module).unwrap();
        instance.typed::<i32, i32>(&ns, "run").unwrap().call(&mut ns, 1).unwrap();
        host.call(&mut ns, "nop", &[]).unwrap();
    });
    let expected = [
        "compile",
        "load",
        "instantiate module=\"app\"",
        "  call module=\"app\" name=\"start\" index=1",
        "call module=\"app\" name=\"run\" index=2",
        "call",
    ];
    assert_eq!(spans.0.lock().unwrap().lines, expected);
}
