//! Density: an instance with a memory takes two mappings of the kernel and its touched pages; a limit
//! that is reached is named; what is dropped is given back.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::process::Command;

use memmap2::MmapOptions;
use precast::{CompiledModule, ErrorKind, Namespace, Runtime};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::compile;

/// Two pages, with data on the second.
const TWO_PAGES: &str = r#"(module (memory (export "memory") 2 10)
  (data (i32.const 70000) "eleven byte")
  (func (export "grow") (result i32) (memory.grow (i32.const 3))))"#;

/// Address space of a memory and its context, with some to spare.
const RESERVATION: u64 = (4 << 30) + (65 << 20);

/// Whether an emulator runs the tests.
fn is_emulated() -> bool {
    std::env::var_os("PRECAST_TEST_RUNNER").is_some_and(|runner| !runner.is_empty())
}

/// Whether the kernel tells which pages of the process are in memory, as Linux does. The kernel of a
/// sandbox may not, and then may merge mappings by other rules.
pub(super) fn tells_pages() -> bool {
    const PRESENT: u64 = 1 << 63;
    let byte = Box::new(1u8);
    let at = (&raw const *byte) as usize / rustix::param::page_size() * 8;
    let mut entry = [0; 8];
    let read = File::open("/proc/self/pagemap")
        .and_then(|pages| pages.read_exact_at(&mut entry, at as u64));
    read.is_ok() && u64::from_ne_bytes(entry) & PRESENT != 0
}

/// Runs an ignored test of this file in a process of its own: it changes or measures the whole
/// process. Not under emulation, where the mappings of the process are not the guest's.
fn in_child(test: &str) {
    if is_emulated() {
        return;
    }
    let this = std::env::current_exe().unwrap();
    let name = format!("density::{test}");
    let output =
        Command::new(this).args(["--exact", &name, "--ignored", "--nocapture"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{test}: {output:?}");
}

/// The lines of the list of mappings, as first and last address.
fn mappings() -> Vec<(usize, usize)> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let range = |line: &str| {
        let (from, to) = line.split(' ').next()?.split_once('-')?;
        Some((usize::from_str_radix(from, 16).ok()?, usize::from_str_radix(to, 16).ok()?))
    };
    maps.lines().filter_map(range).collect()
}

/// The number of mappings of which each of the memories has a part. None under emulation, where the list
/// of mappings has other addresses, and on other kernels than Linux.
fn mappings_of(bases: &[usize]) -> Option<usize> {
    if is_emulated() || !tells_pages() {
        return None;
    }
    let all = mappings();
    let part_of = |base: usize| {
        let (from, to) = (base - (64 << 10), base + (4 << 30) + (64 << 20));
        all.iter().filter(|(start, end)| *start < to && *end > from).count()
    };
    let counts = bases.iter().map(|&base| part_of(base));
    counts.max().filter(|&most| most > 0)
}

fn base(ns: &Namespace, instance: precast::Instance) -> usize {
    instance.memory(ns, "memory").unwrap().data(ns).unwrap().as_ptr() as usize
}

#[test]
fn an_instance_has_two_mappings() {
    let runtime = Runtime::new();
    let data = "precast ".repeat(1 << 10);
    let modules = [
        TWO_PAGES.to_owned(),
        r#"(module (memory (export "memory") 1))"#.to_owned(),
        r#"(module (memory (export "memory") 0))"#.to_owned(),
        r#"(module (memory (export "memory") 3) (data (i32.const 0) "first")
             (data (i32.const 65400) "last"))"#
            .to_owned(),
        format!(r#"(module (memory (export "memory") 1 5) (data (i32.const 0) "{data}"))"#),
    ];
    let modules: Vec<CompiledModule> = modules.iter().map(|text| compile(&runtime, text)).collect();
    // The second time, reservations that served other modules are reused.
    for round in 0..2 {
        let mut ns = runtime.namespace();
        for module in modules.iter().chain(modules.iter().rev()) {
            let instance = ns.instantiate(module).unwrap();
            let memory = instance.memory(&ns, "memory").unwrap();
            let at = [base(&ns, instance)];
            let most = mappings_of(&at).unwrap_or(2);
            assert!(most <= 2, "round {round}: {most} mappings, {module:?}");
            let _ = memory.grow(&mut ns, 2);
            let most = mappings_of(&at).unwrap_or(2);
            assert!(most <= 2, "round {round}: {most} mappings of one that grew, {module:?}");
        }
    }
}

#[test]
fn what_is_dropped_is_given_back() {
    in_child("child_drops");
}

/// Mappings, address space and resident bytes of the process.
fn held() -> [usize; 3] {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: Vec<usize> = statm.split_whitespace().map(|n| n.parse().unwrap()).collect();
    let page = rustix::param::page_size();
    [mappings().len(), pages[0] * page, pages[1] * page]
}

#[test]
#[ignore = "a part of `what_is_dropped_is_given_back`"]
fn child_drops() {
    if !tells_pages() {
        return;
    }
    /// They fit 39 bits of address space.
    const MANY: usize = 60;
    let runtime = Runtime::new();
    let module = compile(&runtime, TWO_PAGES);
    let cycle = || {
        let before = held();
        let mut live: Vec<_> = (0..MANY).map(|_| runtime.namespace()).collect();
        let instances: Vec<_> =
            live.iter_mut().map(|ns| ns.instantiate(&module).unwrap()).collect();
        let full = held();
        for (ns, instance) in live.iter_mut().zip(instances) {
            let memory = instance.memory(ns, "memory").unwrap();
            assert_eq!(&memory.data(ns).unwrap()[69_999..70_012], b"\0eleven byte\0");
            instance.call(ns, "grow", &[]).unwrap();
            memory.data_mut(ns).unwrap().fill(1);
        }
        drop(live);
        (before, full)
    };
    let (before, full) = cycle();
    assert!(full[0] <= before[0] + 2 * MANY + 8, "mappings: {before:?} -> {full:?}");
    // A page of the context, one of the memory, and some bytes of the heap.
    let most = MANY * 3 * rustix::param::page_size() + (1 << 20);
    assert!(full[2] <= before[2] + most, "resident: {before:?} -> {full:?}");
    // What the thread keeps for the next instances, it has now.
    let kept = held();
    for _ in 0..3 {
        cycle();
    }
    let after = held();
    assert!(after[0] <= kept[0] + 8, "mappings: {kept:?} -> {after:?}");
    assert!(after[1] <= kept[1] + (8 << 20), "address space: {kept:?} -> {after:?}");
    assert!(after[2] <= kept[2] + (4 << 20), "resident: {kept:?} -> {after:?}");
}

/// Instances until there is an error, and its text.
fn until_refused(runtime: &Runtime, module: &CompiledModule) -> (usize, String) {
    let mut ns = runtime.namespace();
    let mut count = 0;
    loop {
        match ns.instantiate(module) {
            Ok(_) => count += 1,
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::System { .. }), "{error}");
                return (count, error.to_string());
            }
        }
    }
}

#[test]
fn the_limit_on_address_space_is_named() {
    in_child("child_with_little_address_space");
}

#[test]
#[ignore = "a part of `the_limit_on_address_space_is_named`"]
fn child_with_little_address_space() {
    let runtime = Runtime::new();
    let module = compile(&runtime, TWO_PAGES);
    let maximum = getrlimit(Resource::As).maximum;
    let limit = |more: u64| {
        let current = Some(held()[1] as u64 + more).min(maximum.or(Some(u64::MAX)));
        setrlimit(Resource::As, Rlimit { current, maximum }).unwrap();
    };
    limit(3 * RESERVATION);
    for _ in 0..2 {
        let (count, error) = until_refused(&runtime, &module);
        assert_eq!(count, 3, "{error}");
        assert!(error.starts_with("reserving memory"), "{error}");
        assert!(error.contains("RLIMIT_AS") && error.contains("ulimit -v"), "{error}");
    }
    let table = compile(&runtime, r#"(module (table (export "t") 10000000 funcref))"#);
    limit(RESERVATION / 32);
    let error = runtime.namespace().instantiate(&table).unwrap_err().to_string();
    assert!(error.starts_with("making a table") && error.contains("RLIMIT_AS"), "{error}");
    limit(RESERVATION);
    runtime.namespace().instantiate(&table).unwrap();
}

#[test]
fn the_limit_on_mappings_is_named() {
    in_child("child_with_few_mappings");
}

#[test]
#[ignore = "a part of `the_limit_on_mappings_is_named`"]
fn child_with_few_mappings() {
    let limit = fs::read_to_string("/proc/sys/vm/max_map_count").unwrap_or_default();
    let Some(limit) = limit.trim().parse().ok().filter(|&limit: &usize| limit < 1 << 18) else {
        return;
    };
    let runtime = Runtime::new();
    let module = compile(&runtime, TWO_PAGES);
    // Neighbours with different protections do not merge. Pairs are made before there are too many.
    let mut held = Vec::with_capacity(limit);
    let map = || MmapOptions::new().len(rustix::param::page_size()).map_anon().ok();
    while let Some(writable) = map()
        && let Some(read_only) = map().and_then(|map| map.make_read_only().ok())
    {
        held.push((writable, read_only));
        if held.len() > limit {
            // This kernel has no such limit.
            return;
        }
    }
    // Room for a few.
    held.truncate(held.len() - 10);
    let (count, error) = until_refused(&runtime, &module);
    assert!(count < 20, "{count} instances: {error}");
    assert!(error.starts_with("reserving memory"), "{error}");
    assert!(error.contains(&format!("vm.max_map_count = {limit}")), "{error}");
    assert!(error.contains("sysctl"), "{error}");
    drop(held);
    let mut ns = runtime.namespace();
    for _ in 0..50 {
        ns.instantiate(&module).unwrap();
    }
}
