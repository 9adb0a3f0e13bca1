//! The interface to Python: six functions, which ctypes calls without holding the GIL.

#![deny(unsafe_op_in_unsafe_fn)]

#[forbid(unsafe_code)]
mod encoder;

use encoder::{Encoder, Lines};
use std::{ptr, slice};

/// The lines as Python reads them; `lines` owns the memory that `data` points to.
#[repr(C)]
pub struct Output {
    data: *const u8,
    size: usize,
    count: u64,
    keyless: u64,
    lines: *mut Lines,
}

/// The version of this interface: changes whenever a function here, `Output`, or an encoder's description does.
#[no_mangle]
pub extern "C" fn encoder_interface() -> u32 {
    2
}

/// An encoder for the described columns, or null.
///
/// # Safety
/// `description` has `size` readable bytes. The result lives until the process ends or `encoder_free`.
#[no_mangle]
pub unsafe extern "C" fn encoder_new(description: *const u8, size: usize) -> *mut Encoder {
    let description = unsafe { slice::from_raw_parts(description, size) };
    Encoder::new(description).map_or(ptr::null_mut(), |encoder| Box::into_raw(Box::new(encoder)))
}

/// # Safety
/// `encoder` comes from `encoder_new`, and no other call uses it, now or later.
#[no_mangle]
pub unsafe extern "C" fn encoder_free(encoder: *mut Encoder) {
    drop(unsafe { Box::from_raw(encoder) });
}

/// Empties an output, which is initially all zeros, and keeps its memory unless it is large.
///
/// # Safety
/// No other call uses `output` at the same time.
#[no_mangle]
pub unsafe extern "C" fn output_clear(output: *mut Output) {
    let output = unsafe { &mut *output };
    if output.lines.is_null() {
        output.lines = Box::into_raw(Box::default());
    }
    unsafe { &mut *output.lines }.clear();
}

/// Adds the lines of a block to an output; returns 0 if the block cannot be encoded.
///
/// # Safety
/// `encoder` comes from `encoder_new`, `block` has `size` readable bytes, `output` has been passed to `output_clear`,
/// and no other call uses it at the same time.
#[no_mangle]
pub unsafe extern "C" fn encoder_encode(
    encoder: *const Encoder,
    block: *const u8,
    size: usize,
    rows: u64,
    emitted_at: i64,
    output: *mut Output,
) -> i32 {
    let (encoder, output) = unsafe { (&*encoder, &mut *output) };
    let block = unsafe { slice::from_raw_parts(block, size) };
    let lines = unsafe { &mut *output.lines };
    let understood = encoder.encode(block, rows, emitted_at, lines).is_some();
    output.data = lines.data.as_ptr();
    output.size = lines.data.len();
    output.count = lines.count;
    output.keyless = lines.keyless;
    i32::from(understood)
}

/// # Safety
/// No other call uses `output`, now or later.
#[no_mangle]
pub unsafe extern "C" fn output_free(output: *mut Output) {
    let lines = unsafe { &*output }.lines;
    if !lines.is_null() {
        drop(unsafe { Box::from_raw(lines) });
    }
}
