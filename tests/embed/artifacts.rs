//! Artifacts: loading gives the same module, and anything else is refused.

use precast::{Config, ErrorKind, FunctionMemory, Runtime, Value};

use super::{compile, load};

const MODULE: &str = r#"(module $m
  (import "host" "log" (func (param i32)))
  (memory (export "memory") 1) (data (i32.const 16) "hello")
  (table 2 funcref) (elem (i32.const 0) $f)
  (global (export "g") i32 (i32.const 3))
  (func $f (export "f") (param i32) (result i32)
    (call 0 (local.get 0))
    (i32.load8_u (local.get 0))))"#;

/// The end of header and metadata, according to the header.
fn end_of_metadata(artifact: &[u8]) -> usize {
    u64::from_le_bytes(artifact[24..32].try_into().unwrap()) as usize
}

#[test]
fn a_loaded_artifact_is_the_compiled_module() {
    let runtime = Runtime::new();
    let compiled = compile(&runtime, MODULE);
    assert!(Runtime::is_artifact(compiled.serialize()));
    assert!(!Runtime::is_artifact(b"\0asm\x01\0\0\0"));
    let path = std::env::temp_dir().join(format!("precast-embed-{}", std::process::id()));
    std::fs::write(&path, compiled.serialize()).unwrap();
    // SAFETY: the file was just compiled, and nothing changes it.
    let map = |runtime: &Runtime| unsafe { runtime.load(&path) }.unwrap();
    for module in
        [load(&runtime, compiled.serialize()).unwrap(), map(&runtime), map(&Runtime::new())]
    {
        assert_eq!(module.name(), Some("m"));
        assert_eq!(module.serialize(), compiled.serialize());
        assert_eq!(module.imports().len(), 1);
    }
    let runtime = Runtime::new();
    let module = map(&runtime);
    std::fs::remove_file(&path).unwrap();
    let mut ns = runtime.namespace();
    let host = precast::HostModuleBuilder::new("host").func("log", |_: i32| ()).build(&runtime);
    ns.instantiate_host(&host.unwrap()).unwrap();
    let instance = ns.instantiate(&module).unwrap();
    let result = instance.call(&mut ns, "f", &[Value::I32(17)]).unwrap();
    assert_eq!(result, [Value::I32(i32::from(b'e'))]);
}

#[test]
fn compilation_is_deterministic() {
    let wasm = wat::parse_str(MODULE).unwrap();
    let one = Runtime::new().compile(&wasm).unwrap();
    let config = precast::Config::new().threads(1);
    let two = Runtime::with_config(config).compile(&wasm).unwrap();
    assert!(one.serialize() == two.serialize());
}

#[test]
fn functions_are_kept_and_found() {
    let store = FunctionMemory::new();
    let runtime = Runtime::with_config(Config::new().functions_in_memory(&store));
    let first = compile(&runtime, MODULE);
    let size = store.size();
    assert!(size > 0);
    // Nothing is new, so nothing more is kept. Then one function changes.
    assert_eq!(compile(&runtime, MODULE).serialize(), first.serialize());
    let edited = MODULE.replace("i32.load8_u", "i32.load8_s");
    let again = compile(&runtime, &edited);
    assert_eq!(again.serialize(), compile(&Runtime::new(), &edited).serialize());
    assert_ne!(again.serialize(), first.serialize());
}

#[test]
fn every_byte_of_header_and_metadata_counts() {
    let runtime = Runtime::new();
    let mut artifact = compile(&runtime, MODULE).serialize().to_vec();
    for at in 0..end_of_metadata(&artifact) {
        artifact[at] ^= 0x10;
        let error = load(&runtime, &artifact).err();
        let error = error.unwrap_or_else(|| panic!("a changed byte at {at} is accepted"));
        assert!(matches!(error.kind(), ErrorKind::Format(_)), "at {at}: {error}");
        assert!(!error.to_string().contains('\n'));
        artifact[at] ^= 0x10;
    }
    load(&runtime, &artifact).unwrap();
}

/// After the metadata, `verify` finds every changed byte that is not padding.
#[test]
fn verify_finds_changed_code_and_data() {
    let runtime = Runtime::new();
    let mut artifact = compile(&runtime, MODULE).serialize().to_vec();
    load(&runtime, &artifact).unwrap().verify().unwrap();
    let (mut found, start) = (0, end_of_metadata(&artifact));
    for at in (start..artifact.len()).filter(|at| at % 7 == 0) {
        if artifact[at] == 0 {
            continue;
        }
        artifact[at] ^= 0x10;
        let error = load(&runtime, &artifact).unwrap().verify().unwrap_err();
        assert!(error.to_string().contains("has changed"), "at {at}: {error}");
        artifact[at] ^= 0x10;
        found += 1;
    }
    assert!(found > 10, "the module has code");
}

#[test]
fn truncated_artifacts_are_refused() {
    let runtime = Runtime::new();
    let artifact = compile(&runtime, MODULE).serialize().to_vec();
    for len in (0..artifact.len()).step_by(61).chain([artifact.len() - 1]) {
        assert!(load(&runtime, &artifact[..len]).is_err(), "{len} bytes are accepted");
    }
    let mut longer = artifact;
    longer.push(0);
    assert!(load(&runtime, &longer).is_err());
}

#[test]
fn compile_errors_say_where_and_why() {
    let runtime = Runtime::new();
    let wasm = wat::parse_str(r#"(module (func (result i32) (i64.const 1)))"#).unwrap();
    let error = runtime.compile(&wasm).err().unwrap();
    assert!(matches!(error.kind(), ErrorKind::Compile(_)), "{error}");
    assert!(error.to_string().contains("type mismatch"), "{error}");
    // A file that ends after the version or the types is a module without functions.
    for len in (0..wasm.len()).filter(|len| ![8, 15].contains(len)) {
        assert!(runtime.compile(&wasm[..len]).is_err(), "{len} bytes compile");
    }
}
