//! One pass over the rows of an uncompressed Avro block, from bytes to RECORD lines, without intermediate values.
//!
//! Anything unsupported returns `None`: a corrupt block as well as a value that only Python can judge. The caller then
//! decodes the block in Python, which reports what is wrong. The output is byte for byte that of orjson.

use std::io::Write;
use std::str;

/// The kind of a column's values, or of one branch of its union.
enum Kind {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    /// Its symbols as JSON strings.
    Enum(Vec<Vec<u8>>),
    Fixed(usize),
}

struct Column {
    kinds: Vec<Kind>,
    is_union: bool,
    as_text: bool,
    is_key: bool,
    is_time: bool,
    /// `"name":` as JSON.
    name: Vec<u8>,
}

/// The time of a row, in the forms that the start date distinguishes.
enum Time<'a> {
    Text(&'a [u8]),
    Integer(i64),
    Number(f64),
    Other,
}

/// `StartDateFilter` of rows.py, with the same rules in the same order.
struct StartDate {
    text: Vec<u8>,
    seconds: i64,
}

pub struct Encoder {
    columns: Vec<Column>,
    head: Vec<u8>,
    tail: Vec<u8>,
    start: Option<StartDate>,
    needs_key: bool,
}

/// The lines of one or more blocks, and the number of rows skipped because they have no key.
#[derive(Default)]
pub struct Lines {
    pub data: Vec<u8>,
    pub count: u64,
    pub keyless: u64,
}

impl Lines {
    const MEMORY_TO_KEEP: usize = 8 << 20;

    pub fn clear(&mut self) {
        if self.data.capacity() > Self::MEMORY_TO_KEEP {
            self.data = Vec::new();
        }
        self.data.clear();
        self.count = 0;
        self.keyless = 0;
    }
}

impl Encoder {
    /// Parses the description that `__init__.py` writes.
    pub fn new(mut description: &[u8]) -> Option<Encoder> {
        let input = &mut description;
        let (head, tail) = (part(input)?.to_vec(), part(input)?.to_vec());
        let seconds = i64::from_le_bytes(take(input, 8)?.try_into().ok()?);
        let text = part(input)?.to_vec();
        let start = if text.len() == 19 { Some(StartDate { text, seconds }) } else { None };
        let mut columns = Vec::new();
        while !input.is_empty() {
            columns.push(Column::new(input)?);
        }
        let takes_bytes = |column: &Column| column.is_union || !matches!(column.kinds[0], Kind::Null);
        if !columns.iter().any(takes_bytes) {
            return None;
        }
        let needs_key = columns.iter().any(|column| column.is_key);
        Some(Encoder { columns, head, tail, start, needs_key })
    }

    /// Adds the lines of a block, which must end where its last row ends.
    pub fn encode(&self, mut block: &[u8], rows: u64, emitted_at: i64, lines: &mut Lines) -> Option<()> {
        if rows > block.len() as u64 {
            return None;
        }
        let input = &mut block;
        for _ in 0..rows {
            let line = lines.data.len();
            let (mut keep, mut has_key) = (true, !self.needs_key);
            lines.data.extend_from_slice(&self.head);
            for column in &self.columns {
                let kind = column.next_kind(input)?;
                if let Kind::Null = kind {
                    continue;
                }
                let start = lines.data.len();
                lines.data.extend_from_slice(&column.name);
                match column.write_value(kind, input, &mut lines.data)? {
                    None => lines.data.truncate(start),
                    Some(time) => {
                        has_key |= column.is_key;
                        if let (true, Some(earliest)) = (column.is_time, &self.start) {
                            keep = earliest.keeps(&time, &lines.data[start + column.name.len()..])?;
                        }
                        lines.data.push(b',');
                    }
                }
            }
            if keep && has_key {
                lines.data.extend_from_slice(&self.tail);
                write_integer(&mut lines.data, emitted_at);
                lines.data.extend_from_slice(b"}}\n");
                lines.count += 1;
            } else {
                lines.data.truncate(line);
                lines.keyless += u64::from(keep);
            }
        }
        if input.is_empty() { Some(()) } else { None }
    }
}

impl Column {
    fn new(input: &mut &[u8]) -> Option<Column> {
        let flags = take(input, 1)?[0];
        let name = part(input)?.to_vec();
        let mut kinds = Vec::new();
        for _ in 0..size(input)? {
            kinds.push(match take(input, 1)?[0] {
                b'n' => Kind::Null,
                b'z' => Kind::Boolean,
                b'i' => Kind::Int,
                b'l' => Kind::Long,
                b'f' => Kind::Float,
                b'd' => Kind::Double,
                b'b' => Kind::Bytes,
                b's' => Kind::String,
                b'x' => Kind::Fixed(size(input)?),
                b'e' => {
                    let count = size(input)?;
                    Kind::Enum((0..count).map(|_| part(input).map(<[u8]>::to_vec)).collect::<Option<_>>()?)
                }
                _ => return None,
            });
        }
        let flag = |bit: u8| flags & bit != 0;
        let (is_union, as_text, is_key, is_time) = (flag(1), flag(2), flag(4), flag(8));
        if kinds.is_empty() || (!is_union && kinds.len() > 1) {
            return None;
        }
        Some(Column { kinds, is_union, as_text, is_key, is_time, name })
    }

    fn next_kind(&self, input: &mut &[u8]) -> Option<&Kind> {
        self.kinds.get(if self.is_union { usize::try_from(signed(input)?).ok()? } else { 0 })
    }

    /// Writes the next value as JSON. The inner `None` is null; output may have been written before it is returned.
    fn write_value<'a>(&self, kind: &Kind, input: &mut &'a [u8], out: &mut Vec<u8>) -> Option<Option<Time<'a>>> {
        let quote = |out: &mut Vec<u8>| if self.as_text { out.push(b'"') };
        let mut time = Time::Other;
        match kind {
            Kind::Null => return Some(None),
            Kind::Boolean => {
                quote(out);
                out.extend_from_slice(match take(input, 1)?[0] {
                    0 => b"false",
                    1 => b"true",
                    _ => return None,
                });
                quote(out);
            }
            kind @ (Kind::Int | Kind::Long) => {
                let value = signed(input)?;
                if matches!(kind, Kind::Int) && i32::try_from(value).is_err() {
                    return None;
                }
                quote(out);
                write_integer(out, value);
                quote(out);
                time = Time::Integer(value);
            }
            kind @ (Kind::Float | Kind::Double) => {
                let value = match kind {
                    Kind::Float => f64::from(f32::from_le_bytes(take(input, 4)?.try_into().ok()?)),
                    _ => f64::from_le_bytes(take(input, 8)?.try_into().ok()?),
                };
                if !value.is_finite() {
                    return Some(None);
                }
                quote(out);
                write_number(out, value)?;
                quote(out);
                time = Time::Number(value);
            }
            Kind::Bytes => write_base64(out, sized(input)?),
            Kind::Fixed(size) => write_base64(out, take(input, *size)?),
            Kind::Enum(symbols) => out.extend_from_slice(symbols.get(usize::try_from(signed(input)?).ok()?)?),
            Kind::String => {
                let value = sized(input)?;
                write_string(out, value)?;
                time = Time::Text(value);
            }
        }
        Some(Some(time))
    }
}

impl StartDate {
    /// `None` for a string that only Python's rules for digits can judge. `json` is the time as it was written.
    fn keeps(&self, time: &Time, json: &[u8]) -> Option<bool> {
        match (time, json) {
            (Time::Text(text), _) => self.keeps_text(text),
            (_, [b'"', text @ .., b'"']) if !text.contains(&b'\\') => self.keeps_text(text),
            (_, [b'"', ..]) => None,
            (Time::Integer(value), _) => Some(*value <= 0 || *value >= self.in_units_of(*value as f64)),
            (Time::Number(value), _) => Some(*value <= 0.0 || *value >= self.in_units_of(*value) as f64),
            (Time::Other, _) => Some(true),
        }
    }

    fn in_units_of(&self, time: f64) -> i64 {
        self.seconds * if time < 1e11 { 1 } else if time < 1e14 { 1_000 } else { 1_000_000 }
    }

    fn keeps_text(&self, time: &[u8]) -> Option<bool> {
        if !time.is_ascii() {
            return None;
        }
        let has_date = begins_like(time, b"0000-00-00");
        if has_date && time[..10] > self.text[..10] {
            return Some(true);
        }
        if has_date && (begins_like(&time[10..], b"T00:00:00") || begins_like(&time[10..], b" 00:00:00")) {
            let mut rest = &time[19..];
            if let [b'.', fraction @ ..] = rest {
                let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
                rest = &fraction[digits..];
            }
            if matches!(rest, b"" | b"UTC" | b" UTC" | b"Z" | b" Z") {
                return Some((&time[..10], &time[11..19]) >= (&self.text[..10], &self.text[11..]));
            }
        }
        if has_date && time.len() == 10 {
            return Some(time >= &self.text[..10]);
        }
        if time.is_empty() || time.len() > 40 || !time.iter().all(u8::is_ascii_digit) {
            return Some(true);
        }
        let value = str::from_utf8(time).ok()?.parse::<i64>().unwrap_or(i64::MAX);
        Some(value <= 0 || value >= self.in_units_of(value as f64))
    }
}

/// True if the text begins with digits where the pattern has 0, and with the pattern's other characters elsewhere.
fn begins_like(text: &[u8], pattern: &[u8]) -> bool {
    let fits = |(byte, model): (&u8, &u8)| if *model == b'0' { byte.is_ascii_digit() } else { byte == model };
    text.len() >= pattern.len() && text.iter().zip(pattern).all(fits)
}

fn take<'a>(input: &mut &'a [u8], size: usize) -> Option<&'a [u8]> {
    if size > input.len() {
        return None;
    }
    let (taken, rest) = input.split_at(size);
    *input = rest;
    Some(taken)
}

/// A size in the description.
fn size(input: &mut &[u8]) -> Option<usize> {
    Some(u32::from_le_bytes(take(input, 4)?.try_into().ok()?) as usize)
}

/// Bytes in the description, preceded by their size.
fn part<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let size = size(input)?;
    take(input, size)
}

/// An Avro integer: zig-zag, seven bits per byte.
fn signed(input: &mut &[u8]) -> Option<i64> {
    if let [byte @ 0..=0x7f, rest @ ..] = *input {
        *input = rest;
        return Some(i64::from(byte >> 1) ^ -i64::from(byte & 1));
    }
    let mut value = 0u64;
    for (i, &byte) in input.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            *input = &input[i + 1..];
            return if i == 9 && byte > 1 { None } else { Some((value >> 1) as i64 ^ -((value & 1) as i64)) };
        }
    }
    None
}

/// Avro bytes, preceded by their size.
fn sized<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let size = usize::try_from(signed(input)?).ok()?;
    take(input, size)
}

fn write_integer(out: &mut Vec<u8>, value: i64) {
    let mut digits = [0u8; 20];
    let mut start = digits.len();
    let mut rest = value.unsigned_abs();
    while rest >= 100 {
        let pair = (rest % 100) as u8;
        rest /= 100;
        start -= 2;
        digits[start] = b'0' + pair / 10;
        digits[start + 1] = b'0' + pair % 10;
    }
    if rest >= 10 {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    start -= 1;
    digits[start] = b'0' + rest as u8;
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[start..]);
}

/// The shortest digits that parse to the same number, with an exponent where orjson writes one, in its format.
fn write_number(out: &mut Vec<u8>, value: f64) -> Option<()> {
    if (1e-5..1e-4).contains(&value.abs()) {
        return write!(out, "{}", value).ok();
    }
    let start = out.len();
    write!(out, "{:?}", value).ok()?;
    if let Some(exponent) = out[start..].iter().position(|&byte| byte == b'e') {
        if out[start + exponent + 1] != b'-' {
            out.insert(start + exponent + 1, b'+');
        }
    }
    Some(())
}

/// Sets the highest bit of each of eight bytes that is a control character, a quote or a backslash; other bytes may be
/// marked too, but only above such a byte.
fn escaped(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let equals_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (control | equals_zero(word ^ (ONES * 0x22)) | equals_zero(word ^ (ONES * 0x5c))) & (ONES * 0x80)
}

/// True if a string is ASCII that needs no escaping in JSON.
fn is_plain(value: &[u8]) -> bool {
    let mut words = value.chunks_exact(8);
    let mut marks = 0;
    for word in &mut words {
        let word = u64::from_le_bytes([word[0], word[1], word[2], word[3], word[4], word[5], word[6], word[7]]);
        marks |= escaped(word) | word;
    }
    marks & 0x8080_8080_8080_8080 == 0 && words.remainder().iter().all(|byte| is_plain_byte(byte) && byte.is_ascii())
}

fn is_plain_byte(byte: &u8) -> bool {
    *byte >= 0x20 && !matches!(*byte, b'"' | b'\\')
}

fn write_string(out: &mut Vec<u8>, value: &[u8]) -> Option<()> {
    out.push(b'"');
    let mut rest = value;
    if !is_plain(value) {
        str::from_utf8(value).ok()?;
        while let Some(position) = rest.iter().position(|byte| !is_plain_byte(byte)) {
            out.extend_from_slice(&rest[..position]);
            match rest[position] {
                b'"' => out.extend_from_slice(b"\\\""),
                b'\\' => out.extend_from_slice(b"\\\\"),
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\r' => out.extend_from_slice(b"\\r"),
                b'\t' => out.extend_from_slice(b"\\t"),
                0x08 => out.extend_from_slice(b"\\b"),
                0x0c => out.extend_from_slice(b"\\f"),
                control => write!(out, "\\u{:04x}", control).ok()?,
            }
            rest = &rest[position + 1..];
        }
    }
    out.extend_from_slice(rest);
    out.push(b'"');
    Some(())
}

fn write_base64(out: &mut Vec<u8>, value: &[u8]) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    out.push(b'"');
    for chunk in value.chunks(3) {
        let bits = chunk.iter().enumerate().fold(0u32, |bits, (i, &byte)| bits | u32::from(byte) << (16 - 8 * i));
        for i in 0..4 {
            out.push(if i <= chunk.len() { ALPHABET[(bits >> (18 - 6 * i) & 63) as usize] } else { b'=' });
        }
    }
    out.push(b'"');
}
