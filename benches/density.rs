//! Measures how many instances can be alive at once, and what each takes.
//!
//! `cargo bench --bench density -- [INSTANCES] [CYCLES]` makes 30,000 instances of a module of two
//! pages with data, each in a namespace of its own, drops them, and repeats that. It prints what the
//! process holds, and says which limit refuses more instances, if one does.

use std::fs;
use std::time::Instant;

use precast::{CompiledModule, Error, Namespace, Runtime};

const MODULE: &str = r#"(module (memory (export "memory") 2)
  (data (i32.const 70000) "eleven byte")
  (func (export "read") (result i32) (i32.load8_u (i32.const 70000))))"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().filter_map(|arg| arg.parse().ok());
    let (count, cycles): (usize, usize) =
        (numbers.next().unwrap_or(30_000), numbers.next().unwrap_or(3));
    let runtime = Runtime::new();
    let module = runtime.compile(&wat::parse_str(MODULE)?)?;
    println!(
        "{:<24} {:>9} {:>14} {:>12} {:>12}",
        "", "mappings", "address space", "resident", "page tables"
    );
    Held::now().print("before");
    for _ in 0..cycles {
        let before = Held::now();
        let start = Instant::now();
        let (all, error) = instances(&runtime, &module, count);
        let made = start.elapsed() / all.len().max(1) as u32;
        let full = Held::now();
        full.print(&format!("{} instances", all.len()));
        let each =
            |of: fn(&Held) -> usize| (of(&full) - of(&before)) as f64 / all.len().max(1) as f64;
        println!(
            "  each: {:.2} mappings, {:.1} KiB resident, {:.1} KiB of page tables, {made:?} to make",
            each(|held| held.mappings),
            each(|held| held.resident) / 1024.0,
            each(|held| held.page_tables) / 1024.0,
        );
        if let Some(error) = error {
            println!("  refused: {error}");
        }
        let (start, count) = (Instant::now(), all.len().max(1) as u32);
        drop(all);
        println!("  {:?} to drop", start.elapsed() / count);
        Held::now().print("dropped");
    }
    Ok(())
}

/// So many instances, or as many as are possible, and the error that refused another one.
fn instances(
    runtime: &Runtime,
    module: &CompiledModule,
    count: usize,
) -> (Vec<Box<Namespace>>, Option<Error>) {
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        let mut namespace = runtime.namespace();
        if let Err(error) = namespace.instantiate(module) {
            return (all, Some(error));
        }
        all.push(namespace);
    }
    (all, None)
}

/// What the process holds.
struct Held {
    mappings: usize,
    address_space: usize,
    resident: usize,
    page_tables: usize,
}

impl Held {
    fn now() -> Held {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib =
                line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<usize>().ok());
            kib.unwrap_or(0) << 10
        };
        Held {
            mappings: fs::read_to_string("/proc/self/maps").unwrap_or_default().lines().count(),
            address_space: bytes("VmSize:"),
            resident: bytes("VmRSS:"),
            page_tables: bytes("VmPTE:"),
        }
    }

    fn print(&self, when: &str) {
        println!(
            "{when:<24} {:>9} {:>10} GiB {:>8} KiB {:>8} KiB",
            self.mappings,
            self.address_space >> 30,
            self.resident >> 10,
            self.page_tables >> 10
        );
    }
}
