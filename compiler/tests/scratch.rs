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
