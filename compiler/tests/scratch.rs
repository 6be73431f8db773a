#![allow(missing_docs)]
use precast_abi::artifact::*;
use precast_compiler::*;
#[test]
#[ignore]
fn files() {
    let verify = std::env::var("VERIFY").is_ok();
    for path in std::env::var("FILES").unwrap().split(':') {
        let wasm = std::fs::read(path).unwrap();
        let wasm = wat::parse_bytes(&wasm).unwrap();
        let settings = Settings { verify, ..Settings::default() };
        if std::env::var("CLIF").is_ok() { println!("{}", clif(&wasm, &settings).unwrap()); }
        let t = std::time::Instant::now();
        match compile(&wasm, &settings) {
            Ok(bytes) => {
                let t1 = t.elapsed();
                let a = Artifact::check(&bytes, &identity(&settings)).unwrap();
                println!("{path}: {} wasm, {} artifact, {t1:?}", wasm.len(), bytes.len());
                if std::env::var("SECTIONS").is_ok() { for s in Section::ALL { println!("   {:16} {}", s.name(), a.entry(*s).len); } }
                if let Ok(out) = std::env::var("TEXT") { std::fs::write(out, a.bytes(&bytes, Section::Text)).unwrap(); }
            }
            Err(e) => println!("{path}: {e}"),
        }
    }
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") { println!("{}", status.lines().find(|l| l.starts_with("VmHWM")).unwrap()); }
}
#[test]
#[ignore]
fn spec() {
    use wast::{parser::{self, ParseBuffer}, lexer::Lexer, Wast, WastDirective, QuoteWat};
    let dir = std::env::var("SPEC").unwrap();
    let mut files = vec![];
    let mut todo = vec![std::path::PathBuf::from(dir)];
    while let Some(d) = todo.pop() { for e in std::fs::read_dir(d).unwrap() { let p = e.unwrap().path(); if p.is_dir() { todo.push(p) } else if p.extension().is_some_and(|e| e == "wast") { files.push(p) } } }
    files.sort();
    let settings = Settings { verify: true, threads: 0, ..Settings::default() };
    let (mut ok, mut bad, mut wrong) = (0, 0, 0);
    let try_ = |wasm: &[u8]| -> Result<(), String> {
        let bytes = compile(wasm, &settings).map_err(|e| e.to_string())?;
        let a = Artifact::check(&bytes, &identity(&settings)).map_err(|e| format!("CHECK {e}"))?;
        let _ = a; Ok(())
    };
    for f in files {
        let text = std::fs::read_to_string(&f).unwrap();
        let mut lexer = Lexer::new(&text); lexer.allow_confusing_unicode(true);
        let buf = ParseBuffer::new_with_lexer(lexer).unwrap();
        let wast = match parser::parse::<Wast>(&buf) { Ok(w) => w, Err(e) => { println!("{}: cannot parse {e}", f.display()); continue } };
        for d in wast.directives {
            let span = d.span();
            let line = span.linecol_in(&text).0 + 1;
            let mut good = |mut w: QuoteWat| { let Ok(b) = w.encode() else { println!("{}:{line} encode", f.display()); return }; match try_(&b) { Ok(()) => ok += 1, Err(e) => { wrong += 1; println!("{}:{line}: {e}", f.display()) } } };
            match d {
                WastDirective::Module(w) | WastDirective::ModuleDefinition(w) => good(w),
                WastDirective::AssertUnlinkable { module, .. } => good(QuoteWat::Wat(module)),
                WastDirective::AssertInvalid { mut module, message, .. } | WastDirective::AssertMalformed { mut module, message, .. } => {
                    let Ok(b) = module.encode() else { continue };
                    match try_(&b) { Err(e) if !e.starts_with("CHECK") && !e.starts_with("compiler") => bad += 1, r => { wrong += 1; println!("{}:{line}: accepted ({message}) {r:?}", f.display()) } }
                }
                _ => {}
            }
        }
    }
    println!("{ok} compiled, {bad} rejected, {wrong} wrong");
}
