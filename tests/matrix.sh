#!/usr/bin/env bash
# The test suite by each instruction set, on each Python of 3.11 to 3.13 that is found; ends in a table of the results.
# Arguments go to pytest. The logs lie in outputs/matrix.
set -u
logs=outputs/matrix
mkdir -p "$logs"
failed=0
table=""

suite() { # PYTHON VERSION SET [VARIABLE=VALUE ...]
  local python=$1 name="$2-$3"
  local log="$logs/$name.log"
  shift 3
  # TorchInductor's cache does not tell instruction sets apart: kernels of another one corrupt memory
  export TORCHINDUCTOR_CACHE_DIR="$PWD/$logs/inductor-$name"
  # a suite that is stopped, or finds no test, has not passed
  if env OMP_NUM_THREADS=1 "$@" "$python" -m pytest -n 2 ${ARGUMENTS[@]+"${ARGUMENTS[@]}"} >"$log" 2>&1; then
    result=passed
  else
    result=FAILED
    failed=1
  fi
  table+=$(printf '%-14s %-7s %s' "$name" "$result" "$(grep -E '^[0-9]+ (passed|failed)' "$log" | tail -1)")$'\n'
}

ARGUMENTS=("$@")
own=$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
for version in 3.11 3.12 3.13; do
  python=.venv/bin/python
  if [ "$version" != "$own" ]; then
    if ! "python$version" --version >/dev/null 2>&1; then
      table+="$version not found"$'\n'
      continue
    fi
    python=".venv-$version/bin/python"
    [ -x "$python" ] || "python$version" -m venv ".venv-$version"
    "$python" -m pip install --quiet --editable '.[dev]' || exit 1
  fi
  suite "$python" "$version" default ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 MKL_ENABLE_INSTRUCTIONS=SSE4_2
  suite "$python" "$version" avx2 ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2
  suite "$python" "$version" native
done
printf '%s' "$table"
exit "$failed"
