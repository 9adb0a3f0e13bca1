//! A libFuzzer target with random columns and blocks. `make fuzz` links it with LLVM's fuzzer and runs it.

#![no_main]

#[forbid(unsafe_code)]
mod encoder;

use encoder::{Encoder, Lines};

/// A description of columns derived from the first bytes of the input, and the number of bytes used.
fn described(input: &[u8]) -> Option<(Vec<u8>, usize)> {
    fn part(out: &mut Vec<u8>, bytes: &[u8]) {
        out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(bytes);
    }
    let mut out = Vec::new();
    part(&mut out, b"{\"record\":{");
    part(&mut out, b"\"added\":1,\"emitted_at\":");
    out.extend_from_slice(&1_577_836_800i64.to_le_bytes());
    part(&mut out, if input.first()? & 0x80 == 0 { b"" } else { b"2020-01-01 00:00:00" });
    let columns = usize::from(input[0] % 8) + 1;
    let mut at = 1;
    for column in 0..columns {
        let (flags, kinds) = (*input.get(at)?, input.get(at + 1)? % 4 + 1);
        at += 2;
        out.push(flags & 15);
        part(&mut out, format!("\"c{}\":", column).as_bytes());
        out.extend_from_slice(&u32::from(kinds).to_le_bytes());
        for _ in 0..kinds {
            let kind = b"nzilfdbsxe"[usize::from(input.get(at)? % 10)];
            at += 1;
            out.push(kind);
            match kind {
                b'x' => out.extend_from_slice(&3u32.to_le_bytes()),
                b'e' => {
                    out.extend_from_slice(&2u32.to_le_bytes());
                    part(&mut out, b"\"A\"");
                    part(&mut out, b"\"\\n\"");
                }
                _ => {}
            }
        }
    }
    Some((out, at))
}

fn check(encoder: &Encoder, rows: u64, block: &[u8]) {
    let mut lines = Lines::default();
    if encoder.encode(block, rows, 1, &mut lines).is_some() {
        let text = std::str::from_utf8(&lines.data).expect("lines are UTF-8");
        assert_eq!(text.lines().count() as u64, lines.count);
        assert!(lines.count + lines.keyless <= rows);
        assert!(text.lines().all(|line| line.starts_with("{\"record\":{") && line.ends_with("\"emitted_at\":1}}")));
        assert!(text.bytes().all(|byte| byte >= 0x20 || byte == b'\n'));
    }
}

#[no_mangle]
pub extern "C" fn LLVMFuzzerTestOneInput(data: *const u8, size: usize) -> i32 {
    let input = unsafe { std::slice::from_raw_parts(data, size) };
    let _ = Encoder::new(input);
    if let Some((description, used)) = described(input) {
        if let (Some(encoder), Some((rows, block))) = (Encoder::new(&description), input[used..].split_first()) {
            check(&encoder, u64::from(*rows), block);
        }
    }
    0
}
