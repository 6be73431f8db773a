//! An instance never sees data of an earlier one in the same address space.

use precast::Runtime;

/// Writes of an instance are absent in the next one: few pages, many pages, grown pages.
#[test]
fn instances_start_from_initial_memory() {
    let runtime = Runtime::new();
    let wasm = wat::parse_str(
        r#"(module (memory (export "memory") 40 80)
             (data (i32.const 100) "initial") (data (i32.const 200000) "far")
             (func (export "fill") (param i32 i32)
               (memory.fill (local.get 0) (i32.const 0xee) (local.get 1)))
             (func (export "grow") (result i32) (memory.grow (i32.const 3))))"#,
    )
    .unwrap();
    let module = runtime.compile(&wasm).unwrap();
    let mut image = vec![0u8; 40 << 16];
    image[100..107].copy_from_slice(b"initial");
    image[200_000..200_003].copy_from_slice(b"far");
    for (start, len) in [(0, 0), (90, 30), (199_990, 20), (0, 1 << 20), (65_530, 10), (0, 40 << 16)]
    {
        for grow in [false, true] {
            let mut ns = runtime.namespace();
            let instance = ns.instantiate(&module).unwrap();
            let memory = instance.memory(&ns, "memory").unwrap();
            assert!(memory.data(&ns).unwrap() == image, "after writing {len} bytes at {start}");
            let fill = instance.typed::<(i32, i32), ()>(&ns, "fill").unwrap();
            fill.call(&mut ns, (start, len)).unwrap();
            if grow {
                let grow = instance.typed::<(), i32>(&ns, "grow").unwrap();
                assert_eq!(grow.call(&mut ns, ()).unwrap(), 40);
                fill.call(&mut ns, ((40 << 16) + 5, 3)).unwrap();
            }
        }
    }
    let mut ns = runtime.namespace();
    let instance = ns.instantiate(&module).unwrap();
    assert!(instance.memory(&ns, "memory").unwrap().data(&ns).unwrap() == image);
}
