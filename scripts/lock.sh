#!/usr/bin/env bash
# Writes requirements/*.lock again from the .in files, with hashes. Versions that are locked
# now are kept where they still fit; `scripts/lock.sh --upgrade-package NAME` moves one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

compile() { # NAME, then uv's options
  local name=$1
  shift
  .venv/bin/uv pip compile "requirements/$name.in" --output-file "requirements/$name.lock" \
    --generate-hashes --no-annotate --no-header --no-emit-index-url --quiet "$@"
  echo "requirements/$name.lock: $(grep -c '==' "requirements/$name.lock") packages"
}

compile bootstrap --python-version 3.10 --python-platform x86_64-manylinux_2_28 "$@"
compile weights --no-deps --python-version 3.10 "$@"
compile py310 --python-version 3.10 --python-platform x86_64-manylinux_2_28 "$@"
compile cuda310 --python-version 3.10 --python-platform x86_64-manylinux_2_28 \
  --constraints requirements/py310.lock "$@"
# One file for Python 3.12 and 3.13, so with markers; pyproject.toml ([tool.uv]) limits it to
# Linux on x86-64, and the markers that say so on every line are taken off.
compile py312 --universal --python-version 3.12 "$@"
sed -i -E -e "s/ and (platform_machine == 'x86_64'|sys_platform == 'linux')//g" \
  -e "s/ and (platform_python_implementation|implementation_name) != 'PyPy'//g" \
  -e "s/ ; python_full_version < '3.14' / /" requirements/py312.lock
