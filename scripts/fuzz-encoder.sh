#!/bin/sh
# Fuzz Heap's encoder for $1 seconds, guided by coverage. Needs rustc and LLVM's fuzzer (Debian: libclang-rt-dev).
set -eu
seconds=${1:-600}
fuzzer=${FUZZER:-$(find /usr/lib/llvm-* /usr/lib/clang -name "libclang_rt.fuzzer-$(uname -m).a" 2>/dev/null | sort | tail -n 1)}
if [ -z "$fuzzer" ]; then
    echo "LLVM's fuzzer was not found. On Debian and Ubuntu: apt install libclang-rt-dev" >&2
    exit 1
fi
mkdir -p build/fuzz/corpus
rustc --edition 2021 --crate-name fuzz -C opt-level=2 -C debug-assertions -C overflow-checks -C panic=abort \
    -C codegen-units=1 -C passes=sancov-module -C llvm-args=-sanitizer-coverage-level=3 \
    -C llvm-args=-sanitizer-coverage-inline-8bit-counters -C llvm-args=-sanitizer-coverage-pc-table \
    -C link-arg="$fuzzer" -C link-arg=-lstdc++ -o build/fuzz/encoder source_heap/native/fuzz.rs
build/fuzz/encoder -max_total_time="$seconds" -max_len=512 -artifact_prefix=build/fuzz/ -print_final_stats=1 \
    build/fuzz/corpus
