//! The data path of WASI allocates nothing: the allocator counts what the thread of the guest does.

use std::fs;

use precast_runtime::{TypedFunc, WasmParams};
use precast_wasi::{Builder, Captured, Input};

#[path = "../wasi/tests/common/mod.rs"]
mod common;
use common::{Guest, IOVEC, RESULT, TempDir};

/// How often each function is called.
const CALLS: u32 = 1000;

/// Calls `function` [`CALLS`] times from the guest; the last of `arguments` is that number.
fn assert_allocates_nothing<P: WasmParams>(guest: &mut Guest, function: &str, arguments: P) {
    let often: TypedFunc<P, u32> =
        guest.instance.typed(&guest.namespace, &format!("{function}, often")).unwrap();
    let mut errnos = Ok(1);
    let allocations = allocation_counter::measure(|| {
        errnos = often.call(&mut guest.namespace, arguments);
    });
    assert_eq!(errnos.unwrap(), 0, "{function}");
    assert_eq!(allocations.count_total, 0, "{function} allocated in {CALLS} calls");
}

#[test]
fn the_data_path_allocates_nothing() {
    const RESULT_LEN: u32 = 8;
    let temp = TempDir::new("allocations");
    fs::write(temp.path().join("file"), [7; 8192]).unwrap();
    let stdout = Captured::new();
    let builder =
        Builder::new().dir(temp.path(), "/").stdin(Input::bytes(vec![0; 1 << 20])).stdout(&stdout);
    let mut guest = Guest::new(&builder);
    let file = guest.open("file", 0).unwrap() as u32;
    let four_buffers: Vec<u8> = [[16384u32, 100], [16484, 100], [16584, 0], [20000, 1]]
        .as_flattened()
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();

    for buffers in [1, 4] {
        guest.iovec(100);
        if buffers == 4 {
            guest.write(IOVEC, &four_buffers);
        }
        let g = &mut guest;
        assert_allocates_nothing(g, "fd_pread", (file, IOVEC, buffers, 5u64, RESULT, CALLS));
        assert_allocates_nothing(g, "fd_pwrite", (file, IOVEC, buffers, 5u64, RESULT, CALLS));
        assert_allocates_nothing(g, "fd_read", (file, IOVEC, buffers, RESULT, CALLS));
        assert_allocates_nothing(g, "fd_write", (file, IOVEC, buffers, RESULT, CALLS));
        assert_allocates_nothing(g, "fd_read", (0u32, IOVEC, buffers, RESULT, CALLS));
        assert_allocates_nothing(g, "fd_write", (2u32, IOVEC, buffers, RESULT, CALLS));
    }
    let guest = &mut guest;
    assert_allocates_nothing(guest, "fd_seek", (file, 9i64, 0u32, RESULT, CALLS));
    assert_allocates_nothing(guest, "fd_tell", (file, RESULT, CALLS));
    assert_allocates_nothing(guest, "clock_time_get", (0u32, 0u64, RESULT, CALLS));
    assert_allocates_nothing(guest, "clock_time_get", (1u32, 0u64, RESULT, CALLS));
    assert_allocates_nothing(guest, "random_get", (RESULT, RESULT_LEN, CALLS));
    assert_allocates_nothing(guest, "random_get", (1024u32, 4096u32, CALLS));
    // Beyond the data path.
    assert_allocates_nothing(guest, "args_sizes_get", (RESULT, RESULT + 4, CALLS));
    assert_allocates_nothing(guest, "fd_fdstat_get", (file, RESULT, CALLS));
    assert_allocates_nothing(guest, "fd_filestat_get", (file, RESULT, CALLS));
    assert_allocates_nothing(guest, "sched_yield", (CALLS,));
}
