//! Compilation as a whole: artifacts pass their check, and equal input gives equal artifacts.

use precast_abi::artifact::{
    Artifact, CodeRole, FuncDesc, HandlerDesc, NONE, Section, TableDesc, TypeDesc,
};
use precast_compiler::{
    CompileError, ErrorKind, Features, Settings, Target, clif, compile, producer,
};

fn settings() -> Settings {
    Settings { verify: true, ..Settings::default() }
}

fn compile_text(wat: &str, settings: &Settings) -> Result<Vec<u8>, CompileError> {
    compile(&wat::parse_str(wat).expect("test module"), settings)
}

/// Compiles a module and checks the artifact.
fn artifact(wat: &str) -> (Artifact, Vec<u8>) {
    let bytes = compile_text(wat, &settings()).unwrap_or_else(|e| panic!("{e}"));
    let artifact = Artifact::check(&bytes, &producer(&settings()));
    (artifact.unwrap_or_else(|e| panic!("{e}")), bytes)
}

const CALLS: &str = r#"
(module
  (import "host" "log" (func $log (param i32) (result i64)))
  (type $unary (func (param i32) (result i32)))
  (memory (export "memory") 1 4)
  (data (i32.const 16) "hello")
  (table $t 4 funcref)
  (elem (table $t) (i32.const 0) func $double $negate $none)
  (global $count (mut i32) (i32.const 7))
  (func $double (type $unary) (i32.mul (local.get 0) (i32.const 2)))
  (func $negate (type $unary) (i32.sub (i32.const 0) (local.get 0)))
  (func $none)
  (func (export "call") (param i32 i32) (result i32)
    (drop (call $log (i32.load offset=8 (local.get 1))))
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (call_indirect $t (type $unary) (local.get 0) (local.get 1)))
  (func (export "fill") (param i32) (result i32)
    (memory.fill (i32.const 0) (i32.const 1) (local.get 0))
    (memory.grow (i32.const 1))))
"#;

#[test]
fn an_artifact_passes_its_check() {
    let (artifact, bytes) = artifact(CALLS);
    let info = artifact.info(&bytes);
    assert_eq!((info.funcs, info.func_imports, info.exported_memory), (6, 1, 0));
    let export = artifact.export(&bytes, "call").expect("it is exported");
    assert_ne!(export.code, NONE);
    let types: &[TypeDesc] = artifact.records(&bytes, Section::Types);
    let ty = &types[export.ty as usize];
    assert!(ty.typed_entry != NONE && ty.array_entry != NONE);
    let funcs: &[FuncDesc] = artifact.records(&bytes, Section::Funcs);
    assert_eq!(funcs.len(), 5);
    assert!(funcs.is_sorted_by_key(|f| f.start));
    for section in Section::ALL {
        if artifact.entry(*section).hash != 0 {
            assert!(artifact.is_whole(&bytes, *section));
        }
    }
    let handlers: &[HandlerDesc] = artifact.records(&bytes, Section::Handlers);
    assert!(!handlers.is_empty());
}

/// The types are those of the binary: equal types keep their own indices.
#[test]
fn defined_functions_have_their_types() {
    let wat = r#"(module
      (type $a (func)) (type $b (func (param i32) (result i64))) (type $c (func))
      (type $d (func (param i32) (result i64)))
      (import "host" "f" (func (type $d)))
      (func (type $c)) (func (type $b) (i64.const 1)) (func (type $a))
      (func (export "f") (type $d) (i64.const 2)) (func (type $c)))"#;
    for triple in ["x86_64", "aarch64"] {
        let target: Target = triple.parse().expect("a target");
        let settings = Settings { target, ..settings() };
        let bytes = compile_text(wat, &settings).unwrap_or_else(|e| panic!("{e}"));
        let artifact = Artifact::check(&bytes, &producer(&settings)).expect("it is whole");
        let funcs: &[FuncDesc] = artifact.records(&bytes, Section::Funcs);
        let types: Vec<u32> = funcs.iter().map(|func| func.ty).collect();
        assert_eq!(types, [2, 1, 0, 3, 2], "{triple}");
        let code = artifact.check_deep(&bytes).unwrap_or_else(|e| panic!("{e}"));
        let thunks = code.places().iter().filter(|place| place.start > funcs[4].start);
        // Of equal types only the first is named.
        let types: Vec<_> = thunks.map(|place| place.role).collect();
        let [host, typed, array] = [
            CodeRole::HostThunk { ty: 1 },
            CodeRole::TypedEntry { ty: 1 },
            CodeRole::ArrayEntry { ty: 1 },
        ];
        assert_eq!(types, [host, typed, array], "{triple}");
    }
}

#[test]
fn a_constant_table_becomes_a_dispatch_table() {
    let (artifact, bytes) = artifact(CALLS);
    let tables: &[TableDesc] = artifact.records(&bytes, Section::Tables);
    assert_eq!(tables[0].slot, NONE);
    let rodata = artifact.bytes(&bytes, Section::Rodata);
    // Four elements of an unchecked dispatch table: two functions, one of another type, null; and a last entry
    // for indices beyond them.
    assert_eq!(rodata.len(), 20);
    let text = artifact.entry(Section::Text);
    let start = artifact.entry(Section::Rodata).offset - text.offset;
    let funcs: &[FuncDesc] = artifact.records(&bytes, Section::Funcs);
    let target = |i: usize| {
        let distance = i32::from_le_bytes(rodata[i * 4..][..4].try_into().expect("four bytes"));
        (start as i64 + i64::from(distance)) as u64
    };
    assert_eq!(target(0), u64::from(funcs[0].start));
    assert_eq!(target(1), u64::from(funcs[1].start));
    assert_ne!(target(2), u64::from(funcs[2].start));
    let stubs = [2, 3, 4].map(target);
    assert!(stubs.iter().all(|&stub| stub < text.len));
    assert!(stubs[0] != stubs[1] && stubs[0] != stubs[2] && stubs[1] != stubs[2]);
}

#[test]
fn data_becomes_an_image() {
    let (artifact, bytes) = artifact(CALLS);
    let image = artifact.bytes(&bytes, Section::Image);
    assert_eq!(artifact.info(&bytes).image_start, 0);
    assert_eq!(&image[16..21], b"hello");
}

#[test]
fn tables_that_code_or_others_can_change_exist_at_run_time() {
    for table in [
        "(table (export \"t\") 1 funcref)",
        "(table 1 funcref) (func (table.set (i32.const 0) (ref.null func)))",
        "(table 1 externref)",
    ] {
        let (artifact, bytes) = artifact(&format!("(module {table})"));
        let tables: &[TableDesc] = artifact.records(&bytes, Section::Tables);
        assert_eq!(tables[0].slot, 0, "{table}");
    }
}

#[test]
fn the_same_module_gives_the_same_artifact() {
    let one = compile_text(CALLS, &Settings { threads: 1, ..settings() });
    let two = compile_text(CALLS, &Settings { threads: 2, ..settings() });
    assert!(one == two && one == compile_text(CALLS, &settings()));
}

#[test]
fn errors_are_those_of_the_first_function() {
    let wasm = |body: &str| format!("(module (func) (func {body}) (func (i32.add)))");
    let error = compile_text(&wasm("(local i32) (drop)"), &settings()).expect_err("invalid");
    let other = compile_text(&wasm(""), &settings()).expect_err("invalid");
    assert_eq!((error.kind, other.kind), (ErrorKind::Invalid, ErrorKind::Invalid));
    assert!(error.offset < other.offset);
    assert!(error.to_string().starts_with("invalid module at offset 0x"), "{error}");
}

#[test]
fn components_are_named() {
    let error = compile(b"\0asm\x0d\0\x01\0", &settings()).expect_err("not a module");
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(error.message.contains("component"));
}

#[test]
fn features_are_checked() {
    let wasm1 = Settings { features: Features::WASM1, ..settings() };
    let wat = "(module (func (result i32) (i32.extend8_s (i32.const 1))))";
    assert!(compile_text(wat, &wasm1).is_err());
    assert!(compile_text(wat, &settings()).is_ok());
}

#[test]
fn clif_shows_every_function() {
    let text = clif(&wat::parse_str(CALLS).expect("test module"), &settings());
    let text = text.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(text.matches("function u0:").count(), 5, "{text}");
}

#[test]
fn segments_that_nobody_names_leave_no_record() {
    use precast_abi::artifact::{DataDesc, ElemDesc, SegmentMode};
    let (none, bytes) = artifact(CALLS);
    assert!(none.records::<DataDesc>(&bytes, Section::DataSegments).is_empty());
    assert!(none.records::<ElemDesc>(&bytes, Section::Elems).is_empty());
    let (one, bytes) = artifact(
        r#"(module (memory 1) (data (i32.const 0) "a") (data "b")
             (func (memory.init 1 (i32.const 0) (i32.const 0) (i32.const 1))))"#,
    );
    let modes: Vec<u32> = one
        .records::<DataDesc>(&bytes, Section::DataSegments)
        .iter()
        .map(|data| data.mode)
        .collect();
    assert_eq!(modes, [SegmentMode::Dropped as u32, SegmentMode::Passive as u32]);
}

#[test]
fn other_machines_can_be_compiled_for() {
    let triple = "aarch64-unknown-linux-gnu".parse().expect("a triple");
    let target = Target::Named { triple, enable: Vec::new() };
    let settings = Settings { target, ..settings() };
    let bytes = compile_text(CALLS, &settings).unwrap_or_else(|e| panic!("{e}"));
    let artifact = Artifact::check(&bytes, &producer(&settings));
    let artifact = artifact.unwrap_or_else(|e| panic!("{e}"));
    assert!(artifact.entry(Section::Text).offset.is_multiple_of(64 << 10));
}

#[test]
fn unlikely_arms_are_cold() {
    for (hint, cold) in [("\\00", 1), ("\\01", 0)] {
        let wat = format!(
            r#"(module (func (param i32) (result i32)
                 (@metadata.code.branch_hint "{hint}")
                 (if (local.get 0) (then (return (i32.const 1)))) (i32.const 2)))"#
        );
        let text = clif(&wat::parse_str(wat).expect("test module"), &settings());
        let text = text.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(text.matches("cold").count(), cold, "{text}");
    }
}
