#!/usr/bin/env bash
# Measures answering on a GPU machine, within 8 minutes, and prints one table with the device named.
# Usage: tests/benchmarks/gpu.sh WHEELS SHARED [MODEL_FOLDER]
# WHEELS: a folder with the wheels of this package's requirements (`pip download`); nothing is fetched.
# SHARED: the folder with data/trajectories. MODEL_FOLDER: where AUTOACT_MODELS has the embedded model.
set -euo pipefail
cd "$(dirname "$0")/../.."
wheels=${1:?the folder of wheels} shared=${2:?the folder with data/trajectories}
site=$(mktemp --directory)
trap 'rm -rf "$site"' EXIT
python3 -m pip install --quiet --no-index --no-deps --no-compile --target "$site" "$wheels"/*.whl
export PYTHONPATH="$site:$PWD" AUTOACT_SHARED="$shared" HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1
if [ -n "${3:-}" ]; then export AUTOACT_MODELS="$3"; fi
python3 -c '
import torch
name = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU, so the processor"
print(f"device: {name}; torch {torch.__version__}")'
device=$(python3 -c 'import torch; print("cuda" if torch.cuda.is_available() else "cpu")')
timeout 60 python3 -W ignore tests/benchmarks/bench_engine.py --only warm --device "$device"
timeout 180 python3 -W ignore tests/benchmarks/bench_engine.py --only group --device "$device"
timeout 180 python3 -W ignore tests/benchmarks/bench_engine.py --only synthesis --device "$device"
