//! scratch
use precast_runtime::Runtime;
use precast_wasi::Builder;
fn main() {
    let mut args = std::env::args().skip(1);
    let mut b = Builder::new().inherit_stdio().portable_paths(std::env::var("WALK").is_ok());
    let path = loop {
        let a = args.next().unwrap();
        if a == "--dir" { let d = args.next().unwrap(); let (h, g) = d.split_once("::").unwrap(); b = b.dir(h, g); }
        else if a == "--ro" { let d = args.next().unwrap(); let (h, g) = d.split_once("::").unwrap(); b = b.read_only_dir(h, g); }
        else if a == "--env" { let d = args.next().unwrap(); let (h, g) = d.split_once("=").unwrap(); b = b.env(h, g); }
        else { break a }
    };
    b = b.arg(&path).args(args);
    let rt = Runtime::new();
    let bytes = std::fs::read(&path).unwrap();
    let cache = format!("/opt/wasimock/cache-{:x}-{}", bytes.len(), std::path::Path::new(&path).file_name().unwrap().to_str().unwrap());
    let m = match rt.load(&cache) { Ok(m) => m, Err(_) => { let t = std::time::Instant::now(); let m = rt.compile(&bytes).unwrap(); eprintln!("compiled in {:?}", t.elapsed()); std::fs::write(&cache, m.serialize()).unwrap(); m } };
    let mut ns = rt.namespace();
    b.instantiate(&mut ns).unwrap();
    let r = ns.instantiate(&m).and_then(|i| i.call(&mut ns, "_start", &[]));
    if let Err(e) = r { if let Some(c) = e.exit_code() { std::process::exit(c) } eprintln!("{e}"); std::process::exit(134) }
}
