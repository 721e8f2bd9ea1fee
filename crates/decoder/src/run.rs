//! One run of one decoder in an engine of its own: nothing is left of it afterwards.

use std::time::{Duration, Instant};

use mapping::{DecodeFault, Uplink};
use rquickjs::{CatchResultExt, CaughtError, Context, Ctx, Function, Object, Runtime, Value};

/// What calls the decoder, whichever of the three usual names it has, and writes its answer down.
const CALL: &str = include_str!("call.js");

/// An error that is null.
const NO_WORDS: &str = "null";

/// How much is kept of what a decoder says, in characters.
const WORDS: usize = 200;

/// What a decoder may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Time on the clock.
    pub time: Duration,
    /// Memory of the engine, in bytes: what the engine itself needs (about 250 kB) counts.
    pub memory: usize,
    /// Stack, in bytes.
    pub stack: usize,
    /// Length of the answer as JSON, in bytes.
    pub answer: usize,
}

impl Default for Limits {
    /// Half a second, 8 MiB, 256 KiB, 64 KiB. The decoders of makers take a few milliseconds.
    fn default() -> Self {
        Self { time: Duration::from_millis(500), memory: 8 << 20, stack: 256 << 10, answer: 64 << 10 }
    }
}

/// Runs a decoder on one uplink; gives what it returns.
///
/// # Errors
/// [`DecodeFault`]: which limit it met, or how it failed. Its own words are cut to 200 characters.
pub fn run(source: &str, uplink: &Uplink, limits: Limits) -> Result<serde_json::Value, DecodeFault> {
    let engine = Runtime::new().map_err(|_| DecodeFault::Unavailable("no engine could be made".to_owned()))?;
    engine.set_memory_limit(limits.memory);
    engine.set_max_stack_size(limits.stack);
    let end = Instant::now() + limits.time;
    engine.set_interrupt_handler(Some(Box::new(move || Instant::now() >= end)));
    let made = Context::full(&engine);
    let context = made.map_err(|_| DecodeFault::Memory(limits.memory))?;
    let text = context.with(|ctx| answer(&ctx, source, uplink, limits.answer));
    let text = text.map_err(|fault| match fault {
        // The engine throws what no decoder can catch; told by the clock, for any error may be its last.
        DecodeFault::Threw(_) if Instant::now() >= end => DecodeFault::Time(limits.time),
        DecodeFault::Threw(words) if words.contains("out of memory") || words == NO_WORDS => DecodeFault::Memory(limits.memory),
        fault => fault,
    })?;
    if text.len() > limits.answer {
        return Err(DecodeFault::Answer(limits.answer));
    }
    let told: Told = serde_json::from_str(&text).map_err(|_| DecodeFault::Shape)?;
    match told {
        Told { errors: Some(said), .. } => Err(DecodeFault::Said(shortly(&said))),
        Told { data: Some(data), .. } => Ok(data),
        Told { .. } => Err(DecodeFault::Shape),
    }
}

/// What `call.js` writes.
#[derive(serde::Deserialize)]
struct Told {
    data: Option<serde_json::Value>,
    errors: Option<String>,
}

fn answer(ctx: &Ctx<'_>, source: &str, uplink: &Uplink, most: usize) -> Result<String, DecodeFault> {
    let threw = |error: CaughtError<'_>| DecodeFault::Threw(words(&error));
    // Decoders are scripts, not modules, and many assign to names that they never declared.
    let loose = || {
        let mut options = rquickjs::context::EvalOptions::default();
        options.strict = false;
        options
    };
    let call: Function<'_> = ctx.eval_with_options(CALL, loose()).catch(ctx).map_err(threw)?;
    ctx.eval_with_options::<Value<'_>, _>(source, loose()).catch(ctx).map_err(threw)?;
    let input = Object::new(ctx.clone()).catch(ctx).map_err(threw)?;
    let filled = input
        .set("bytes", uplink.bytes.clone())
        .and_then(|()| input.set("fPort", uplink.port))
        .and_then(|()| input.set("recvTime", uplink.received_ms as f64));
    filled.catch(ctx).map_err(threw)?;
    let text: Option<rquickjs::String<'_>> = call.call((input, most as f64)).catch(ctx).map_err(threw)?;
    let text = text.ok_or(DecodeFault::Shape)?;
    text.to_string().catch(ctx).map_err(threw)
}

/// What an error says, shortly.
fn words(error: &CaughtError<'_>) -> String {
    let said = match error {
        CaughtError::Exception(exception) => exception.message().unwrap_or_default(),
        // Where memory is out, none is left for the error either.
        CaughtError::Value(value) if value.is_null() => NO_WORDS.to_owned(),
        CaughtError::Value(value) => match value.as_string().and_then(|text| text.to_string().ok()) {
            Some(text) => text,
            None => "a value that is no error".to_owned(),
        },
        CaughtError::Error(error) => error.to_string(),
    };
    shortly(&said)
}

/// The beginning of what a decoder says.
fn shortly(said: &str) -> String {
    said.chars().filter(|c| !c.is_control()).take(WORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(source: &str, expected: Result<serde_json::Value, &str>) {
        let uplink = Uplink { bytes: vec![1, 0x67, 0x10, 0x01], port: 85, received_ms: 1_700_000_000_000 };
        // Where it is not the clock that is to stop it, there is time on a busy machine, too.
        let time = if expected == Err("time") { Duration::from_millis(300) } else { Duration::from_secs(60) };
        let limits = Limits { time, ..Limits::default() };
        match (run(source, &uplink, limits), expected) {
            (Ok(got), Ok(want)) => assert_eq!(got, want, "{source}"),
            (Err(fault), Err(kind)) => assert_eq!(fault.name(), kind, "{source}: {fault}"),
            (got, want) => panic!("{source}: {got:?}, not {want:?}"),
        }
    }

    #[test]
    fn the_three_usual_names_are_called() {
        let data = json!({"t": 27.2});
        check("function decodeUplink(i) { return {data: {t: (i.bytes[2] | i.bytes[3] << 8) / 10}}; }", Ok(data.clone()));
        check("function Decode(port, bytes) { return {t: (bytes[2] | bytes[3] << 8) / 10}; }", Ok(data.clone()));
        check("function Decoder(bytes, port) { t = (bytes[2] | bytes[3] << 8) / 10; return {t: t}; }", Ok(data));
        check("var decodeUplink = (i) => ({data: {year: i.recvTime.getUTCFullYear(), port: i.fPort}})",
            Ok(json!({"year": 2023, "port": 85})));
    }

    #[test]
    fn whatever_goes_wrong_ends_and_says_why() {
        for (source, kind) in [
            ("function decodeUplink() { for (;;) {} }", "time"),
            ("for (;;) {}", "time"),
            ("function decodeUplink() { try { for (;;) {} } catch (e) { for (;;) {} } }", "time"),
            ("function decodeUplink() { for (;;) { try { null.x } catch (e) {} finally { continue } } }", "time"),
            ("function decodeUplink() { return {data: /(a+)+$/.test('a'.repeat(60) + 'b')}; }", "time"),
            ("function decodeUplink() { let a = []; for (;;) a.push('x'.repeat(1000) + a.length); }", "memory"),
            ("function decodeUplink() { let s = 'x'; for (;;) s += s + s; }", "threw"),
            ("function decodeUplink() { return new Uint8Array(1 << 30); }", "memory"),
            ("function decodeUplink() { return decodeUplink(); }", "threw"),
            ("function decodeUplink() { throw new Error('no such channel'); }", "threw"),
            ("function decodeUplink() { throw 1; }", "threw"),
            ("nonsense(", "threw"),
            ("function other() {}", "threw"),
            ("function decodeUplink() { return {data: 'x'.repeat(100000)}; }", "answer"),
            ("function decodeUplink() { return {data: {toJSON() { for (;;) {} }}}; }", "time"),
            ("function decodeUplink() { let a = {}; a.a = a; return {data: a}; }", "threw"),
            ("function decodeUplink() { return {errors: ['bad length']}; }", "said"),
            ("function decodeUplink() { }", "shape"),
            ("function decodeUplink() { return 5; }", "shape"),
            ("function decodeUplink() { return {data: undefined}; }", "shape"),
        ] {
            check(source, Err(kind));
        }
    }

    #[test]
    fn there_is_nothing_of_the_host_to_reach() {
        let source = "function decodeUplink() { return {data: ['require', 'process', 'std', 'os', 'fetch', 'console', \
            'XMLHttpRequest', 'setTimeout', 'scriptArgs', 'print', 'load', 'Deno', 'WebAssembly']\
            .filter((name) => typeof globalThis[name] !== 'undefined')}; }";
        check(source, Ok(json!([])));
        check("import('fs'); function decodeUplink() { return {data: 1}; }", Ok(json!(1)));
        check("import x from 'fs'; function decodeUplink() { return {data: 1}; }", Err("threw"));
    }

    #[test]
    fn one_run_leaves_nothing_to_the_next() {
        let source = "globalThis.n = (globalThis.n || 0) + 1; Object.prototype.x = n; \
            function decodeUplink() { return {data: n}; }";
        for _ in 0..3 {
            check(source, Ok(json!(1)));
        }
    }
}
