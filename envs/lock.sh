#!/usr/bin/env bash
# Resolve the dependencies and all extras of pyproject.toml into the complete envs/requirements.lock (every
# package, with the hashes of its files), and uv itself into envs/uv.lock. Run it after a change of them, in an activated environment that has uv (`make` installs one);
# versions that still fit are kept, `envs/lock.sh --upgrade` takes the newest.
#
# Why it is not a plain resolution: laion-clap pins numpy < 2 and asks for wandb, tinysoundfont asks for
# pyaudio (a C library's headers), axe-playwright-python for playwright; none is needed here, and the
# slurm plugin needs numpy >= 2.4. So numpy is overridden, the three are left out, and the lock is
# installed with --no-deps.
set -euo pipefail
cd "$(dirname "$0")"

plain=(--generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet)
overrides=$(mktemp)
trap 'rm -f "$overrides"' EXIT
cat > "$overrides" <<'OVERRIDES'
numpy>=2.4
wandb ; sys_platform == "never"
pyaudio ; sys_platform == "never"
playwright ; sys_platform == "never"
OVERRIDES

uv pip compile ../pyproject.toml --all-extras \
  --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
  --override "$overrides" \
  "${plain[@]}" --output-file requirements.lock "$@" > /dev/null
echo "uv==$(uv --version | cut -d ' ' -f 2)" | uv pip compile - "${plain[@]}" --output-file uv.lock > /dev/null

# Only versions and hashes may remain: anything else would tie the lock to one machine.
if grep -nEv '^([A-Za-z0-9._-]+==[^ ;]+ \\|    --hash=sha256:[0-9a-f]{64}( \\)?)$' requirements.lock uv.lock; then
  echo "envs: the lines above are neither name==version nor a hash" >&2
  exit 1
fi
echo "envs/requirements.lock: $(grep -c == requirements.lock) packages"
