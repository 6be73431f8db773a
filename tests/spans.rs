//! Spans: what an embedder's subscriber sees of compilations, loads, instantiations and calls. It has
//! a process of its own, because threads without a subscriber turn spans off for those with one.

use std::fmt::Debug;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

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

/// A future that is ready when it is polled the second time.
struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match std::mem::replace(&mut self.0, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
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

        // The same calls as futures. Each waits once, and no span is entered while it waits.
        let host = HostModuleBuilder::new("host")
            .func_async("nop", |_, (): ()| Box::pin(Yield(false)))
            .build(&runtime);
        let mut ns = runtime.namespace();
        ns.instantiate_host(&host.unwrap()).unwrap();
        let in_two_polls = |mut future: Pin<&mut dyn Future<Output = ()>>| {
            let mut context = Context::from_waker(Waker::noop());
            assert!(future.as_mut().poll(&mut context).is_pending());
            assert_eq!(spans.0.lock().unwrap().depth, 0);
            assert!(future.as_mut().poll(&mut context).is_ready());
        };
        let mut instance = None;
        in_two_polls(pin!(async {
            instance = Some(ns.instantiate_async(&module).await.unwrap());
        }));
        let nop = ns.instance("host").unwrap().typed::<(), ()>(&ns, "nop").unwrap();
        in_two_polls(pin!(async { nop.call_async(&mut ns, ()).await.unwrap() }));
        let run = instance.unwrap().typed::<i32, i32>(&ns, "run").unwrap();
        let mut context = Context::from_waker(Waker::noop());
        assert!(pin!(run.call_async(&mut ns, 1)).poll(&mut context).is_ready());
    });
    let expected = [
        "compile",
        "load",
        "instantiate module=\"app\"",
        "  call module=\"app\" name=\"start\" index=1",
        "call module=\"app\" name=\"run\" index=2",
        "call",
        "instantiate module=\"app\"",
        "  call module=\"app\" name=\"start\" index=1",
        "call",
        "call module=\"app\" name=\"run\" index=2",
    ];
    assert_eq!(spans.0.lock().unwrap().lines, expected);
}
