//! A generator of compilation bombs of at most 100 KB: constructs are repeated, nested and
//! combined. A seed determines a module.

mod body;
mod encode;
#[allow(dead_code, unreachable_pub)]
#[path = "../../../../tests/fuzz/src/rng.rs"]
mod rng;

use body::Body;
use encode::{Bytes, Entries};
use rng::Rng;

/// Maximum bytes of a bomb.
const MOST: usize = 100_000;

const I32: u8 = 0x7f;
const I64: u8 = 0x7e;
const F32: u8 = 0x7d;
const F64: u8 = 0x7c;
const V128: u8 = 0x7b;
const FUNCREF: u8 = 0x70;
const NARROW: [u8; 4] = [I32, I64, F32, F64];

/// Types, functions, tables and globals that the bodies can refer to.
struct Shape {
    /// The wide type: values that calls, blocks and branches move together.
    wide: Vec<u8>,
    wide_to_wide: u32,
    /// Parameters of the types, without results, of calls through tables.
    fillers: Vec<Vec<u8>>,
    first_filler: u32,
    /// Functions: an import; one that returns the wide values; one that takes them; one that does
    /// both; one that does neither.
    import: u32,
    push: u32,
    pop: u32,
    same: u32,
    nothing: u32,
    tables: u32,
    globals: u32,
}

/// Writes a constant zero of a type.
fn constant(code: &mut Bytes, ty: u8) {
    match ty {
        I32 => code.bytes(&[0x41, 0]),
        I64 => code.bytes(&[0x42, 0]),
        F32 => code.bytes(&[0x43, 0, 0, 0, 0]),
        F64 => code.bytes(&[0x44, 0, 0, 0, 0, 0, 0, 0, 0]),
        V128 => code.bytes(&[0xfd, 0x0c]).bytes(&[0; 16]),
        _ => code.bytes(&[0xd0, FUNCREF]),
    };
}

/// A random count: zero, some, or up to `most`.
fn some(rng: &mut Rng, most: u64) -> u64 {
    match rng.below(5) {
        0 | 1 => 0,
        2 => rng.below(most.min(10) + 1),
        3 => rng.below(most.min(300) + 1),
        _ => rng.below(most + 1),
    }
}

/// The bomb of a seed. Half of the bombs are small: they compile faster, so more of them can be
/// tried.
pub(crate) fn generate(seed: u64) -> Vec<u8> {
    let most = MOST >> Rng::new(seed).below(6);
    let mut tries = (0..).map(|n| attempt(&mut Rng::new(rng::mix(seed, n)), most));
    tries.find(|wasm| wasm.len() <= most).expect("small ones come up often")
}

fn attempt(rng: &mut Rng, most: usize) -> Vec<u8> {
    let mut types = Entries::default();
    let shape = shape(rng, &mut types);
    let mut imports = Entries::default();
    let import_count = u64::from(shape.push);
    for n in 0..import_count {
        let ty = match n {
            0 => 0,
            _ if rng.one_in(2) => rng.below(4) as u32,
            _ => shape.first_filler + rng.below(shape.fillers.len() as u64) as u32,
        };
        imports.add().name("").name("").byte(0).number(ty);
    }
    let tiny = some(rng, 8000);
    let big = 1 + rng.below(3);
    let mut funcs = Entries::default();
    for ty in [1, 2, 3, 0] {
        funcs.add().number(ty as u32);
    }
    let tiny_types: Vec<u32> = (0..tiny).map(|_| tiny_type(rng, &shape)).collect();
    for &ty in &tiny_types {
        funcs.add().number(ty);
    }
    for _ in 0..big {
        funcs.add().number(0u32);
    }
    let count = import_count as u32 + funcs.count;
    let mut module = Bytes::default();
    module.bytes(b"\0asm\x01\0\0\0");
    types.section(1, &mut module);
    imports.section(2, &mut module);
    funcs.section(3, &mut module);
    tables_to_globals(rng, &shape, &mut module);
    exports(rng, count, &mut module);
    elements(rng, &shape, count, &mut module);
    let data = data(rng);
    let names = names(rng, count);
    let mut room = most.saturating_sub(module.len() + data.len() + names.len() + 100);
    if rng.one_in(3) {
        room = room.min(1 + rng.below(most as u64 / 5) as usize);
    }
    code(rng, &shape, &tiny_types, big as usize, room, &mut module);
    module.bytes(&data.0).bytes(&names.0);
    module.0
}

fn shape(rng: &mut Rng, types: &mut Entries) -> Shape {
    let width = match rng.below(4) {
        0 => rng.below(4),
        1 => rng.below(30),
        2 => rng.below(200),
        _ => rng.below(1001),
    };
    let only = rng.one_in(2).then(|| rng.pick(&[I32, I64, F64, V128]));
    let wide: Vec<u8> = (0..width)
        .map(|_| only.unwrap_or_else(|| rng.pick(&[I32, I64, F32, F64, V128, FUNCREF])))
        .collect();
    let ends: [(&[u8], &[u8]); 4] = [(&[], &[]), (&[], &wide), (&wide, &[]), (&wide, &wide)];
    for (params, results) in ends {
        func_type(types, params, results);
    }
    let fillers: Vec<Vec<u8>> = (0..1 + some(rng, 3000))
        .map(|n| {
            let digits = (0..).map(|digit| n >> (2 * digit)).take_while(|&rest| rest > 0);
            digits.map(|rest| NARROW[(rest % 4) as usize]).collect()
        })
        .collect();
    for params in &fillers {
        func_type(types, params, &[]);
    }
    let imports = 1 + some(rng, 10_000) as u32;
    Shape {
        wide,
        wide_to_wide: 3,
        fillers,
        first_filler: 4,
        import: 0,
        push: imports,
        pop: imports + 1,
        same: imports + 2,
        nothing: imports + 3,
        tables: 1 + some(rng, 90) as u32,
        globals: 1 + some(rng, 2000) as u32,
    }
}

fn func_type(types: &mut Entries, params: &[u8], results: &[u8]) {
    let ty = types.add().byte(0x60).number(params.len()).bytes(params);
    ty.number(results.len()).bytes(results);
}

fn tiny_type(rng: &mut Rng, shape: &Shape) -> u32 {
    match rng.below(3) {
        0 => 0,
        1 => rng.below(4) as u32,
        _ => shape.first_filler + rng.below(shape.fillers.len() as u64) as u32,
    }
}

fn tables_to_globals(rng: &mut Rng, shape: &Shape, module: &mut Bytes) {
    let mut tables = Entries::default();
    for _ in 0..shape.tables {
        let size = rng.pick(&[0, 1, 100, 4000, 4096, 50_000, 1_000_000, 10_000_000]);
        tables.add().byte(FUNCREF).byte(0).number(size as u32);
    }
    tables.section(4, module);
    let pages = rng.pick(&[0, 1, 100, 65536]);
    module.byte(5).sized(Bytes::default().number(1u32).byte(0).number(pages as u32));
    let mut globals = Entries::default();
    let chain = some(rng, 20_000 / u64::from(shape.globals));
    for _ in 0..shape.globals {
        let global = globals.add().bytes(&[I32, 1, 0x41, 1]);
        for _ in 0..chain {
            global.bytes(&[0x41, 1, 0x6a]);
        }
        global.byte(0x0b);
    }
    globals.section(6, module);
}

fn exports(rng: &mut Rng, funcs: u32, module: &mut Bytes) {
    let mut exports = Entries::default();
    let long = rng.one_in(4);
    let room = rng.below(30_000);
    for n in 0..some(rng, room / if long { 100 } else { 10 }) {
        let name = if long { format!("{n:0100}") } else { format!("{n:x}") };
        let (kind, index) = match rng.below(4) {
            0 => (rng.below(3) as u8 + 1, 0),
            _ => (0, rng.below(funcs.into()) as u32),
        };
        exports.add().name(&name).byte(kind).number(index);
    }
    exports.section(7, module);
}

fn elements(rng: &mut Rng, shape: &Shape, funcs: u32, module: &mut Bytes) {
    let mut elems = Entries::default();
    // Functions that bodies refer to with `ref.func`.
    let declared = elems.add().number(3u32).byte(0).number(3u32);
    declared.number(shape.nothing).number(shape.same).number(shape.import);
    let segments = some(rng, 500);
    let items = some(rng, 20_000 / (segments + 1));
    for _ in 0..segments {
        let table = rng.below(shape.tables.into()) as u32;
        let at = rng.pick(&[0, 5, 4000]);
        elems.add().number(2u32).number(table).byte(0x41).signed(at).byte(0x0b).byte(0);
        elems.bytes.number(items);
        for _ in 0..items {
            elems.bytes.number(rng.below(funcs.into()));
        }
    }
    elems.section(9, module);
}

fn data(rng: &mut Rng) -> Bytes {
    let mut data = Entries::default();
    let segments = some(rng, 3000);
    for n in 0..segments {
        let at = match rng.below(3) {
            0 => n * 1_000_000 % 0xffff_0000,
            1 => n * 65_536 % 0xffff_0000,
            _ => n,
        };
        data.add().byte(0).byte(0x41).signed(at as u32 as i32 as i64).byte(0x0b).name("x");
    }
    let mut section = Bytes::default();
    data.section(11, &mut section);
    section
}

fn names(rng: &mut Rng, funcs: u32) -> Bytes {
    let mut names = Entries::default();
    for n in 0..some(rng, 3000).min(funcs.into()) {
        names.add().number(n).name("name");
    }
    let mut section = Bytes::default();
    if names.count > 0 {
        let mut map = Bytes::default();
        map.number(names.count).bytes(&names.bytes.0);
        let mut custom = Bytes::default();
        custom.name("name").byte(1).sized(&map);
        section.byte(0).sized(&custom);
    }
    section
}

/// Writes the code section: `tiny` small functions, and `big` large ones in the remaining `room`.
fn code(rng: &mut Rng, shape: &Shape, tiny: &[u32], big: usize, room: usize, module: &mut Bytes) {
    let mut bodies = Entries::default();
    let mut body = |code: &Bytes, locals: u32| {
        let mut body = Bytes::default();
        match locals {
            0 => body.byte(0),
            locals => body.byte(1).number(locals).byte(I32),
        };
        body.bytes(&code.0).byte(0x0b);
        bodies.add().sized(&body);
    };
    let mut push = Bytes::default();
    shape.wide.iter().for_each(|&ty| constant(&mut push, ty));
    body(&push, 0);
    body(&Bytes::default(), 0);
    let mut same = Bytes::default();
    (0..shape.wide.len()).for_each(|local| {
        same.byte(0x20).number(local);
    });
    body(&same, 0);
    body(&Bytes::default(), 0);
    for &ty in tiny {
        let mut code = Bytes::default();
        match ty {
            1 | 3 => code.byte(0x00),
            _ => &mut code,
        };
        body(&code, 0);
    }
    for _ in 0..big {
        let locals = match rng.below(3) {
            0 => 1 + rng.below(5),
            1 => 1 + rng.below(300),
            _ => 1 + rng.below(49_000),
        };
        let left = room.saturating_sub(tiny.len() * 4) / big;
        let mut writer = Body::new(rng, shape, locals as u32, left);
        writer.fill();
        body(&writer.code.clone(), locals as u32);
    }
    bodies.section(10, module);
}
