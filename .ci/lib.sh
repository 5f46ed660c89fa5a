# shellcheck shell=bash
# What the steps share: where things are, and the tools that a machine need not have. Sourced first by each step; it
# starts nothing and installs only what a step asks for.
# shellcheck disable=SC2034 # the variables are for the steps
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")
# Beside cargo's own folders, so that `cargo clean` removes it.
tools=$target/ci
host=$(rustc -vV | sed -n 's/^host: //p')

# A Debian package. Without root it takes sudo, as on a hosted runner.
install_package() {
  echo "installing $1"
  local as_root=()
  ((EUID == 0)) || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >/dev/null
}

# The tools of requirements.txt in a virtual environment, first on PATH. Made anew when the list has changed.
need_python_tools() {
  local venv=$tools/venv
  if ! cmp --silent .ci/requirements.txt "$venv/requirements.txt"; then
    python3 -c 'import ensurepip' 2>/dev/null || install_package python3-venv
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --requirement .ci/requirements.txt
    # Last, so that an install that was cut short is not taken for a whole one.
    cp .ci/requirements.txt "$venv/requirements.txt"
  fi
  PATH=$venv/bin:$PATH
}

# Runs GitLab pipelines on this machine; left at $gitlab_ci_local. Needs need_python_tools first, for Node. It is one
# file without dependencies, so its version pins all of it.
need_gitlab_ci_local() {
  local version=4.75.1
  local folder=$tools/gitlab-ci-local-$version
  command -v rsync >/dev/null || install_package rsync
  gitlab_ci_local=$folder/node_modules/.bin/gitlab-ci-local
  [[ -x $gitlab_ci_local ]] ||
    npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --silent "gitlab-ci-local@$version"
}

# The binary as a release ships it, left at $static_binary. `--target`, also where it is the host's: without it the flag
# reaches proc macros, which cannot be static.
build_static() {
  static_binary=$target/$host/release/upsert-secret
  RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --locked -p upsert-secret --target "$host"
}

# The loopback AWS of the tests, left at $sandbox.
build_sandbox() {
  sandbox=$target/debug/sandbox
  cargo build --locked -p sandbox --bin sandbox
}
