//! Modules with random damage are compiled or refused, and nothing panics.

use precast::{Config, ErrorKind, Runtime};

const MUTANTS: usize = 4000;

const MODULE: &str = r#"(module
  (type $unary (func (param i32) (result i32)))
  (import "host" "f" (func $f (type $unary)))
  (import "host" "g" (global $g (mut i64)))
  (memory (export "memory") 1 2)
  (table $t 4 funcref)
  (elem (i32.const 0) $f $loop)
  (data $d "some bytes")
  (global $v (mut v128) (v128.const i64x2 1 2))
  (func $loop (export "loop") (type $unary) (local $n i32) (local $x f64)
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $n) (local.get 0)))
      (local.set $x (f64.add (local.get $x) (f64.sqrt (f64.convert_i32_s (local.get $n)))))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br $next)))
    (global.set $g (i64.trunc_sat_f64_s (local.get $x)))
    (global.set $v (i32x4.splat (local.get $n)))
    (memory.init $d (i32.const 0) (i32.const 0) (i32.const 4))
    (memory.copy (i32.const 8) (i32.const 0) (i32.const 4))
    (select (call_indirect (type $unary) (local.get 0) (i32.const 1)) (memory.size)
      (ref.is_null (table.get $t (i32.const 2))))))"#;

/// A pseudo-random number generator (xorshift64) with the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }

    fn byte(&mut self) -> u8 {
        self.below(256) as u8
    }
}

fn damage(wasm: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(3) {
        let at = random.below(wasm.len());
        match random.below(4) {
            0 => wasm[at] ^= 1 << random.below(8),
            1 => wasm[at] = random.byte(),
            2 => wasm.insert(at, random.byte()),
            _ => drop(wasm.remove(at)),
        }
    }
}

#[test]
fn damaged_modules() {
    let runtime = Runtime::with_config(Config::new().threads(1));
    let whole = wat::parse_str(MODULE).unwrap();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut refused = 0;
    for _ in 0..MUTANTS {
        let mut wasm = whole.clone();
        damage(&mut wasm, &mut random);
        if let Err(error) = runtime.compile(&wasm) {
            assert!(matches!(error.kind(), ErrorKind::Compile(_)), "{error}");
            assert!(!error.to_string().contains('\n'), "{error}");
            refused += 1;
        }
    }
    // Damage to a constant or a name leaves a valid module.
    assert!((MUTANTS / 2..MUTANTS).contains(&refused), "{refused} of {MUTANTS} were refused");
}
