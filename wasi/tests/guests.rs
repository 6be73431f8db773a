//! Tests of guests that use WASI, compiled and run by the runtime.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

use precast_runtime::{
    Caller, CompiledModule, Error, HostModuleBuilder, Instance, Namespace, Runtime,
};
use precast_wasi::{
    Builder, Captured, Errno, FunctionExporter, Input, MODULE_NAME, MODULE_NAME_PREVIEW0, Wasi,
};

/// Compiles a guest of `tests/guests`.
fn compile(runtime: &Runtime, name: &str) -> CompiledModule {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests").join(name);
    runtime.compile(&wat::parse_file(path).unwrap()).unwrap()
}

/// Instantiates a guest with the resources that `builder` grants.
fn guest(name: &str, builder: &Builder) -> (Box<Namespace>, Instance) {
    let runtime = Runtime::new();
    let mut namespace = runtime.namespace();
    builder.instantiate(&mut namespace).unwrap();
    let instance = namespace.instantiate(&compile(&runtime, name)).unwrap();
    (namespace, instance)
}

fn start(name: &str, builder: &Builder) -> Result<(), Error> {
    let (mut namespace, instance) = guest(name, builder);
    instance.typed::<(), ()>(&namespace, "_start")?.call(&mut namespace, ())
}

/// A directory for one test, removed with it.
struct TempDir(PathBuf);

impl TempDir {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("precast-guests-{}-{name}", process::id()));
        fs::create_dir(&path).unwrap();
        TempDir(path)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn hello() {
    let stdout = Captured::new();
    start("hello.wat", &Builder::new().stdout(&stdout)).unwrap();
    assert_eq!(stdout.contents(), b"hello\n");
}

#[test]
fn one_module_many_instances() {
    let runtime = Runtime::new();
    let stdout = Captured::new();
    let wasi = Builder::new().stdout(&stdout).compile(&runtime).unwrap();
    let hello = compile(&runtime, "hello.wat");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut namespace = runtime.namespace();
                namespace.instantiate_host(&wasi).unwrap();
                let instance = namespace.instantiate(&hello).unwrap();
                instance.call(&mut namespace, "_start", &[]).unwrap();
            });
        }
    });
    assert_eq!(stdout.contents(), b"hello\nhello\nhello\nhello\n");
}

#[test]
fn every_exit_code_passes_through() {
    let (mut namespace, instance) = guest("exit.wat", &Builder::new());
    let exit = instance.typed::<(i32,), ()>(&namespace, "exit").unwrap();
    for code in [0, 1, 125, 126, 255, 256, -1] {
        let error = exit.call(&mut namespace, (code,)).unwrap_err();
        assert_eq!(error.exit_code(), Some(code));
    }
}

#[test]
fn a_guest_without_memory() {
    let (mut namespace, instance) = guest("no_memory.wat", &Builder::new());
    let mut call = |name| {
        let function = instance.typed::<(), i32>(&namespace, name).unwrap();
        function.call(&mut namespace, ()).unwrap()
    };
    assert_eq!(call("random"), i32::from(Errno::Fault.code()));
    assert_eq!(call("yield"), 0);
}

#[test]
fn files() {
    for portable_paths in [false, true] {
        let temp = TempDir::new(if portable_paths { "walk" } else { "kernel" });
        fs::write(temp.0.join("in"), "some bytes").unwrap();
        let builder = Builder::new().dir(&temp.0, "/").portable_paths(portable_paths);
        start("copy.wat", &builder).unwrap();
        assert_eq!(fs::read_to_string(temp.0.join("out")).unwrap(), "some bytes");

        let read_only = Builder::new().read_only_dir(&temp.0, "/").portable_paths(portable_paths);
        assert!(start("copy.wat", &read_only).unwrap_err().trap().is_some());
    }
}

#[test]
fn a_later_definition_overrides() {
    let runtime = Runtime::new();
    let stdout = Captured::new();
    let builder = Builder::new().stdout(&stdout).stdin(Input::null());
    let wasi = builder
        .module_builder()
        .unwrap()
        .func(
            "fd_write",
            |caller: &mut Caller<'_, Wasi>, fd: u32, _: u32, n: u32, out: u32| -> i32 {
                assert_eq!((fd, n), (1, 2));
                let memory = caller.memory().unwrap();
                memory[out as usize..][..4].copy_from_slice(&6u32.to_le_bytes());
                0
            },
        )
        .build(&runtime)
        .unwrap();
    let mut namespace = runtime.namespace();
    namespace.instantiate_host(&wasi).unwrap();
    let instance = namespace.instantiate(&compile(&runtime, "hello.wat")).unwrap();
    instance.call(&mut namespace, "_start", &[]).unwrap();
    assert_eq!(stdout.contents(), b"");

    // Exporting again restores the functions of WASI.
    let wasi =
        FunctionExporter::new().export(builder.module_builder().unwrap()).build(&runtime).unwrap();
    let mut namespace = runtime.namespace();
    namespace.instantiate_host(&wasi).unwrap();
    let instance = namespace.instantiate(&compile(&runtime, "hello.wat")).unwrap();
    instance.call(&mut namespace, "_start", &[]).unwrap();
    assert_eq!(stdout.contents(), b"hello\n");
}

#[test]
fn every_function_is_there() {
    let runtime = Runtime::new();
    for (builder, name) in
        [(Builder::new(), MODULE_NAME), (Builder::new().preview0(true), MODULE_NAME_PREVIEW0)]
    {
        let module = builder.compile(&runtime).unwrap();
        assert_eq!(module.name(), name);
        let mut namespace = runtime.namespace();
        let wasi = namespace.instantiate_host_as("under another name", &module).unwrap();
        // The 45 of the specification and `sock_accept`.
        assert_eq!(wasi.exports(&namespace).len(), 46);
    }
}

#[test]
fn a_state_of_the_embedder() {
    /// Counts calls of `sched_yield`.
    struct State(Wasi, u32);
    impl AsMut<Wasi> for State {
        fn as_mut(&mut self) -> &mut Wasi {
            &mut self.0
        }
    }
    let runtime = Runtime::new();
    let stdout = Captured::new();
    let states = Builder::new().stdout(&stdout).states().unwrap();
    let module = HostModuleBuilder::with_state(MODULE_NAME, move || State(states(), 0));
    let module = FunctionExporter::new()
        .export(module)
        .func("sched_yield", |caller: &mut Caller<'_, State>| -> i32 {
            caller.state().1 += 1;
            caller.state().1 as i32
        })
        .build(&runtime)
        .unwrap();
    let mut namespace = runtime.namespace();
    let wasi = namespace.instantiate_host(&module).unwrap();
    let hello = namespace.instantiate(&compile(&runtime, "hello.wat")).unwrap();
    hello.call(&mut namespace, "_start", &[]).unwrap();
    assert_eq!(stdout.contents(), b"hello\n");
    let yields = wasi.typed::<(), i32>(&namespace, "sched_yield").unwrap();
    assert_eq!(yields.call(&mut namespace, ()).unwrap(), 1);
    assert_eq!(yields.call(&mut namespace, ()).unwrap(), 2);
}

#[test]
fn the_default_grants_nothing() {
    let runtime = Runtime::new();
    let mut namespace = precast_wasi::instantiate(&runtime).unwrap();
    assert!(namespace.instance(MODULE_NAME).is_some());
    let instance = namespace.instantiate(&compile(&runtime, "hello.wat")).unwrap();
    instance.call(&mut namespace, "_start", &[]).unwrap();
    let missing = Builder::new().dir("/does/not/exist", "/").compile(&runtime).unwrap_err();
    assert!(missing.to_string().starts_with("/does/not/exist: "), "{missing}");
}
