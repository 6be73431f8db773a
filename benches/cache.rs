//! Measures the cache: a miss, and hits that check the header and metadata, or everything.
//!
//! `cargo bench --bench cache` prints the minimum and median in microseconds for modules of
//! different sizes, then the time of a whole process with a hit. If `PEER` names the binary of
//! wasmtime, that is measured too, with its own cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use precast::cache::{Options, Verify};
use precast::{CompiledModule, Config, Runtime, SealKey};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const FUNCTIONS: [usize; 5] = [0, 10, 1_000, 5_000, 50_000];
const HITS: usize = 301;
const PROCESSES: usize = 101;

/// The number of functions of the edited module, and the number of edits.
const EDITED: usize = 3_000;
const EDITS: usize = 9;

/// A file that changed within the last seconds is not known by its stamp.
const SETTLED: Duration = Duration::from_secs(5);

fn main() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("precast-bench-cache-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let measured = measure(&folder);
    fs::remove_dir_all(&folder)?;
    measured
}

fn measure(folder: &Path) -> Result<()> {
    let files = FUNCTIONS.map(|functions| (functions, folder.join(format!("{functions}.wasm"))));
    for (functions, file) in &files {
        fs::write(file, module(*functions, 0)?)?;
    }
    std::thread::sleep(SETTLED);
    println!("{:<44} {:>10} {:>10}", "microseconds", "fastest", "median");
    for (functions, file) in &files {
        rows(folder, *functions, file)?;
    }
    edits(folder)?;
    processes(folder, &files[2].1)
}

fn rows(folder: &Path, functions: usize, file: &Path) -> Result<()> {
    let open = |level| -> Result<Runtime> {
        let cache = Options::new().verify(level).open(folder.join("cache"))?;
        Ok(Runtime::with_config(Config::new().cache(cache)))
    };
    let start = Instant::now();
    let module = open(Verify::Full)?.compile_file(file)?;
    let miss = start.elapsed();
    let size = module.serialize().len();
    let artifact = folder.join("artifact");
    fs::write(&artifact, module.serialize())?;

    let name = |row: &str| format!("{row}, {functions} functions, {:.1} MB", size as f64 / 1e6);
    print_row(&name("miss"), &mut [miss]);
    let loader = Runtime::new();
    times(&name("load"), || {
        // SAFETY: the file was just compiled, and nothing changes it.
        unsafe { loader.load(&artifact) }?;
        Ok(())
    })?;
    sealed(folder, &module, &name)?;
    drop(module);
    let (header, full) = (open(Verify::Header)?, open(Verify::Full)?);
    let hit = |runtime: &Runtime| -> Result<()> {
        runtime.cached_file(file).map(drop).ok_or_else(|| "it is not in the cache".into())
    };
    let fast = times(&name("hit, header"), || hit(&header))?;
    let slow = times(&name("hit, full"), || hit(&full))?;
    let wasm = fs::read(file)?;
    times(&name("hit by content, header"), || {
        header.compile(&wasm)?;
        Ok(())
    })?;
    let added = slow.saturating_sub(fast).as_secs_f64() * 1e3 / (size as f64 / 1e6);
    println!("    checking all adds {added:.3} ms per MB");
    Ok(())
}

/// Loads an artifact with a seal: from a copy, from a mapping, and as a known file.
fn sealed(folder: &Path, module: &CompiledModule, name: &dyn Fn(&str) -> String) -> Result<()> {
    let key = SealKey::new([1; 32]);
    let artifact = folder.join("sealed");
    fs::write(&artifact, module.serialize_sealed(&key))?;
    std::thread::sleep(SETTLED);
    let index = Options::new().key(key.index_key()).open(folder.join("known"))?;
    let loader = Runtime::new();
    times(&name("load, sealed, copied"), || {
        loader.load_sealed(&artifact, &key)?;
        Ok(())
    })?;
    for (row, index) in [("load, sealed, mapped", None), ("load, sealed, known", Some(&index))] {
        times(&name(row), || {
            // SAFETY: nothing changes the file.
            unsafe { loader.load_sealed_mapped(&artifact, &key, index) }?;
            Ok(())
        })?;
    }
    Ok(())
}

/// Measures a miss, and then misses of modules that differ from it in one function.
fn edits(folder: &Path) -> Result<()> {
    let cache = Options::new().open(folder.join("edits"))?;
    let runtime = Runtime::with_config(Config::new().cache(cache));
    let mut all = Vec::new();
    for edit in 0..=EDITS {
        let wasm = module(EDITED, edit)?;
        let start = Instant::now();
        runtime.compile(&wasm)?;
        all.push(start.elapsed());
    }
    print_row(&format!("miss, {EDITED} functions"), &mut all[..1]);
    print_row(&format!("miss after an edit of one, {EDITED} functions"), &mut all[1..]);
    Ok(())
}

/// The fastest time of `hit`.
fn times(name: &str, mut hit: impl FnMut() -> Result<()>) -> Result<Duration> {
    let mut all = Vec::with_capacity(HITS);
    for _ in 0..HITS {
        let start = Instant::now();
        hit()?;
        all.push(start.elapsed());
    }
    print_row(name, &mut all);
    Ok(all[0])
}

fn print_row(name: &str, times: &mut [Duration]) {
    times.sort();
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let (fastest, median) = (micros(times[0]), micros(times[times.len() / 2]));
    println!("{name:<44} {fastest:>10.1} {median:>10.1}");
}

/// Measures whole processes that call a function of a cached module, alternating.
fn processes(folder: &Path, file: &Path) -> Result<()> {
    let mut ours = Command::new(env!("CARGO_BIN_EXE_precast"));
    ours.args(["run", "--cache-verify", "header", "--invoke", "nop"]).arg(file);
    ours.env("PRECAST_CACHE_DIR", folder.join("process"));
    let mut commands = vec![("process, hit", ours, Vec::new())];
    if let Some(peer) = std::env::var_os("PEER").map(PathBuf::from) {
        let config = folder.join("peer.toml");
        fs::write(&config, format!("[cache]\ndirectory = {:?}\n", folder.join("peer")))?;
        let mut theirs = Command::new(peer);
        theirs.args(["run", "--invoke", "nop", "-C"]);
        theirs.arg(format!("cache-config={}", config.display())).arg(file);
        commands.push(("process of the peer, hit", theirs, Vec::new()));
    }
    for _ in 0..PROCESSES + 2 {
        for (name, command, times) in &mut commands {
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let start = Instant::now();
            if !command.status()?.success() {
                return Err(format!("{name}: it fails").into());
            }
            times.push(start.elapsed());
        }
    }
    for (name, _, times) in &mut commands {
        // The first runs compile the module, and make the file known.
        print_row(name, &mut times[2..]);
    }
    Ok(())
}

/// A module with functions of some hundred bytes of code. One of them depends on `edit`.
fn module(functions: usize, edit: usize) -> Result<Vec<u8>> {
    let body = |n: usize| {
        format!(
            "(func (param i32 i64) (result i64) (local i64)
               (loop $next
                 (local.set 2 (i64.add (i64.rotl (local.get 2) (i64.const {rotation}))
                                       (i64.load offset={offset} (local.get 0))))
                 (local.set 0 (i32.add (local.get 0) (i32.const 8)))
                 (br_if $next (i32.lt_u (local.get 0) (i32.const {end}))))
               (i64.div_u (local.get 2) (local.get 1)))",
            rotation = n % 63 + 1 + if n == 17 { edit } else { 0 },
            offset = n % 1000 * 8,
            end = n % 5000 * 8,
        )
    };
    let bodies: String = (0..functions).map(body).collect();
    Ok(wat::parse_str(format!("(module (memory 1) (func (export \"nop\")) {bodies})"))?)
}
