//! Runs cases, in a child process, and writes findings.

use crate::case::{Case, Kind, case_seed};
use crate::outcome::{Outcome, Strictness, difference};
use crate::precast::Precast;
use crate::{Options, interpreter};
use anyhow::{Context, Result};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The time after which a case counts as hanging.
const CASE_TIME: Duration = Duration::from_secs(60);

/// The counts of a run, in the order in which a worker writes them.
#[derive(Clone, Copy, Default)]
struct Counts {
    /// Cases by kind: smith, memory, control, numeric.
    kinds: [u64; 4],
    /// Cases for which the generator could not make a module.
    empty: u64,
    /// Cases that wasmi does not run.
    alone: u64,
    /// Calls and instantiations, and those that failed.
    steps: u64,
    failed: u64,
    /// Cases that exhausted the stack or another resource, and so were not compared.
    exhausted: u64,
    findings: u64,
}

impl Counts {
    fn fields(&mut self) -> [&mut u64; 10] {
        let [smith, memory, control, numeric] = &mut self.kinds;
        [
            smith,
            memory,
            control,
            numeric,
            &mut self.empty,
            &mut self.alone,
            &mut self.steps,
            &mut self.failed,
            &mut self.exhausted,
            &mut self.findings,
        ]
    }

    fn text(mut self) -> String {
        self.fields().map(|field| field.to_string()).join(" ")
    }

    fn add(&mut self, text: &str) {
        for (field, number) in self.fields().into_iter().zip(text.split(' ')) {
            *field += number.parse::<u64>().unwrap_or(0);
        }
    }
}

/// The result of a case.
enum Verdict {
    /// The engines agree.
    Agreed,
    /// The generator could not make a module.
    Empty,
    /// They do not agree, or precast does not run it.
    Found(String),
}

/// Runs a case in all engines and compares.
fn examine(case: &Case, precast: &Precast, counts: &mut Counts, tell: bool) -> Result<Verdict> {
    counts.kinds[case.kind as usize] += 1;
    let optimized = match precast.optimized(case) {
        Ok(outcome) => outcome,
        Err(error) => return Ok(Verdict::Found(format!("optimised: {error:#}"))),
    };
    let plain = match precast.plain(case) {
        Ok(outcome) => outcome,
        Err(error) => return Ok(Verdict::Found(format!("not optimised: {error:#}"))),
    };
    let interpreted = interpreter::run(case);
    if tell {
        print_outcome("precast", &optimized);
        match &interpreted {
            Ok(outcome) => print_outcome("wasmi", outcome),
            Err(error) => println!("wasmi: {error:#}"),
        }
    }
    counts.steps += optimized.steps.len() as u64;
    counts.failed += optimized.steps.iter().filter(|step| step.result.is_err()).count() as u64;
    counts.exhausted += u64::from(optimized.exhausted);
    counts.alone += u64::from(interpreted.is_err());
    if let Some(what) = difference(&optimized, &plain, Strictness::Details) {
        return Ok(Verdict::Found(format!("optimised and not optimised differ\n{what}")));
    }
    if let Ok(interpreted) = &interpreted
        && let Some(what) = difference(&optimized, interpreted, Strictness::Classes)
    {
        return Ok(Verdict::Found(format!("precast and wasmi differ\n{what}")));
    }
    if case.seed.is_multiple_of(16) && !precast.is_deterministic(case)? {
        return Ok(Verdict::Found("artifacts of one and of three threads differ".to_owned()));
    }
    Ok(Verdict::Agreed)
}

fn print_outcome(engine: &str, outcome: &Outcome) {
    println!("{engine}:");
    for step in &outcome.steps {
        println!("  {} -> {:x?}", step.name, step.result);
        for (name, seen) in &step.seen {
            println!("    {name}: {seen:x?}");
        }
    }
}

fn run_seed(seed: u64, precast: &Precast, counts: &mut Counts, tell: bool) -> Result<Verdict> {
    match Case::new(seed).with_context(|| format!("the generator failed for case {seed:#x}"))? {
        Some(case) => examine(&case, precast, counts, tell),
        None => {
            counts.empty += 1;
            Ok(Verdict::Empty)
        }
    }
}

/// Writes a finding: the modules as bytes and as text, and the difference.
fn write_finding(out: &Path, seed: u64, what: &str) -> Result<()> {
    let base = out.join(format!("{seed:#018x}"));
    let mut text = format!("{:?} case {seed:#x}\n{what}\n", Kind::of(seed));
    if let Ok(Some(case)) = Case::new(seed) {
        fs::write(base.with_extension("wasm"), &case.wasm)?;
        fs::write(base.with_extension("wat"), wasmprinter::print_bytes(&case.wasm)?)?;
        if let Some(guest) = &case.guest {
            fs::write(base.with_extension("guest.wat"), wasmprinter::print_bytes(guest)?)?;
        }
        writeln!(text, "imports: {:#?}", case.imports)?;
        writeln!(text, "calls: {:#?}", case.calls)?;
    }
    fs::write(base.with_extension("txt"), &text)?;
    println!("finding in case {seed:#x}: {what}");
    Ok(())
}

/// Runs one case in this process.
pub fn one(options: &Options, seed: u64) -> Result<ExitCode> {
    let mut counts = Counts::default();
    println!("{:?} case {seed:#x}", Kind::of(seed));
    if let Some(case) = Case::new(seed)? {
        fs::write(options.out.join("case.wasm"), &case.wasm)?;
        println!("{}", wasmprinter::print_bytes(&case.wasm)?);
        println!("calls: {:x?}", case.calls);
    }
    match run_seed(seed, &Precast::new(), &mut counts, true)? {
        Verdict::Agreed => println!("the engines agree"),
        Verdict::Empty => println!("the generator made nothing of this seed"),
        Verdict::Found(what) => {
            write_finding(&options.out, seed, &what)?;
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The files through which a worker reports its position.
fn status_file(out: &Path) -> PathBuf {
    out.join("status")
}

/// Runs case after case, and writes the number and the seed of each before it starts.
pub fn worker(options: &Options, first: u64) -> Result<ExitCode> {
    let end = Instant::now() + Duration::from_secs(options.seconds);
    let precast = Precast::new();
    let mut counts = Counts::default();
    let status = status_file(&options.out);
    for n in first.. {
        let seed = case_seed(options.seed, n);
        if options.kind.is_some_and(|kind| kind != Kind::of(seed)) {
            continue;
        }
        if Instant::now() >= end {
            break;
        }
        fs::write(&status, format!("{n} {seed}\n{}", counts.text()))?;
        // A panic is a finding, and this process can continue.
        let verdict = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            run_seed(seed, &precast, &mut counts, false)
        }));
        let found = match verdict {
            Ok(Ok(Verdict::Found(what))) => Some(what),
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(format!("{error:#}")),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
                Some(format!("a panic: {}", text.unwrap_or_default()))
            }
        };
        if let Some(what) = found {
            counts.findings += 1;
            write_finding(&options.out, seed, &what)?;
        }
    }
    fs::write(&status, format!("done\n{}", counts.text()))?;
    Ok(ExitCode::SUCCESS)
}

/// Runs workers until the time is over. A worker that dies or hangs leaves a finding.
pub fn parent(options: &Options) -> Result<ExitCode> {
    let start = Instant::now();
    let end = start + Duration::from_secs(options.seconds);
    let mut counts = Counts::default();
    let mut next = 0;
    println!("seed {:#x}, findings in {}", options.seed, options.out.display());
    loop {
        let left = end.saturating_duration_since(Instant::now()).as_secs();
        if left == 0 {
            break;
        }
        fs::write(status_file(&options.out), "")?;
        let mut child = start_worker(options, next, left)?;
        let ended = wait(&mut child, &status_file(&options.out))?;
        let status = fs::read_to_string(status_file(&options.out))?;
        let (place, counted) = status.split_once('\n').unwrap_or((&status, ""));
        counts.add(counted);
        let Some((n, seed)) = place.split_once(' ') else {
            anyhow::ensure!(place == "done", "the worker failed to start: {ended:?}");
            break;
        };
        let what = match ended {
            Some(status) => format!("the process died: {status}"),
            None => format!("the case takes more than {} seconds", CASE_TIME.as_secs()),
        };
        counts.findings += 1;
        write_finding(&options.out, seed.parse()?, &what)?;
        next = n.parse::<u64>()? + 1;
    }
    let [smith, memory, control, numeric] = counts.kinds;
    println!(
        "{} cases in {} s ({smith} smith, {memory} memory, {control} control, {numeric} numeric): \
         {} steps, {} of them failed as they must; {} without wasmi, {} used up resources, {} seeds \
         made nothing",
        counts.kinds.iter().sum::<u64>(),
        start.elapsed().as_secs(),
        counts.steps,
        counts.failed,
        counts.alone,
        counts.exhausted,
        counts.empty,
    );
    println!("{} findings", counts.findings);
    Ok(if counts.findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn start_worker(options: &Options, first: u64, seconds: u64) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--worker", &first.to_string(), "--seed", &options.seed.to_string()]);
    command.args(["--seconds", &seconds.to_string()]).arg("--out").arg(&options.out);
    if let Some(kind) = options.kind {
        command.args(["--kind", &format!("{kind:?}").to_lowercase()]);
    }
    Ok(command.spawn()?)
}

/// Waits for a worker to end. None if it had to be killed because its case does not end.
fn wait(child: &mut Child, status: &Path) -> Result<Option<ExitStatus>> {
    let mut place = String::new();
    let mut since = Instant::now();
    loop {
        if let Some(ended) = child.try_wait()? {
            return Ok(Some(ended));
        }
        let now = fs::read_to_string(status)?;
        if now != place {
            (place, since) = (now, Instant::now());
        } else if since.elapsed() > CASE_TIME {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        sleep(Duration::from_millis(50));
    }
}
