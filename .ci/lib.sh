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
# What a release has for this machine: on Linux musl's binary, whatever C library the machine itself has.
native=${host/-linux-gnu/-linux-musl}

# Ends a step that this machine cannot run, for a reason. That is a hole to be told of, and in CI a failure.
cannot_run() {
  echo "!!! not tested: $1 !!!"
  [[ ${CI-} != true ]]
  exit
}

# Debian packages. Without root it takes sudo, as on a hosted runner.
install_package() {
  echo "installing $*"
  local as_root=()
  ((EUID == 0)) || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# The tools of a list in a virtual environment of its own, recreated when the list has changed.
install_from_pip() {
  local list=$1 venv=$2
  cmp --silent "$list" "$venv/requirements.txt" && return
  python3 -c 'import ensurepip' 2>/dev/null || install_package python3-venv
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --requirement "$list"
  # Last, so that an install that was cut short is not taken for a whole one.
  cp "$list" "$venv/requirements.txt"
}

# The tools of requirements.txt, first on PATH.
need_python_tools() {
  install_from_pip .ci/requirements.txt "$tools/venv"
  PATH=$tools/venv/bin:$PATH
}

# npm packages, in a folder of their own. With the system's CAs, as everything else here: Node has a list of its own. A
# registry that does not answer is asked once more: npm itself would wait for it for many minutes.
install_from_npm() {
  local folder=$1
  shift
  local install=(npm install --prefix "$folder.new" --ignore-scripts --no-audit --no-fund --silent "$@")
  rm -rf "$folder" "$folder.new"
  NODE_OPTIONS=--use-system-ca timeout 120 "${install[@]}" || NODE_OPTIONS=--use-system-ca timeout 120 "${install[@]}"
  mv "$folder.new" "$folder"
}

# Runs GitLab pipelines on this machine; left at $gitlab_ci_local. Needs need_python_tools first, for Node. It is one
# file without dependencies, so its version pins all of it.
need_gitlab_ci_local() {
  local version=4.75.1
  local folder=$tools/gitlab-ci-local-$version
  command -v rsync >/dev/null || install_package rsync
  gitlab_ci_local=$folder/node_modules/.bin/gitlab-ci-local
  [[ -x $gitlab_ci_local ]] || install_from_npm "$folder" "gitlab-ci-local@$version"
}

# The parser that GitHub draws graphs with, left at $mermaid. Needs need_python_tools first, for Node.
need_mermaid() {
  local version=11.17.2
  mermaid=$tools/mermaid-$version
  [[ -d $mermaid/node_modules/mermaid ]] || install_from_npm "$mermaid" "mermaid@$version" jsdom@29.1.1
}

# A grammar of PowerShell, and what parses by it, left at $powershell. Needs need_python_tools first, for Node.
need_powershell() {
  local version=0.26.4
  powershell=$tools/tree-sitter-powershell-$version
  [[ -d $powershell/node_modules ]] ||
    install_from_npm "$powershell" "tree-sitter-powershell@$version" web-tree-sitter@0.27.2
}

# What people use instead, left at $peers (AWS CLI, boto3) and $sdk (the JavaScript SDK). Needs need_python_tools first,
# for Node.
need_peers() {
  local version=3.1164.0
  install_from_pip .ci/requirements-peers.txt "$tools/peers"
  peers=$tools/peers/bin
  sdk=$tools/aws-sdk-$version
  [[ -d $sdk/node_modules ]] || install_from_npm "$sdk" "@aws-sdk/client-secrets-manager@$version"
}

# Rust's standard library for a target, and a C compiler for it.
need_target() {
  [[ -d $(rustc --print target-libdir --target "$1") ]] || rustup target add "$1"
  case $1 in
    "$native") [[ $1 != *-musl ]] || command -v musl-gcc >/dev/null || install_package musl-tools ;;
    aarch64-unknown-linux-musl)
      [[ -d /usr/aarch64-linux-gnu/include/asm ]] ||
        install_package gcc-aarch64-linux-gnu libc6-dev-arm64-cross linux-libc-dev-arm64-cross
      # Its headers are glibc's, whose checked functions musl does not have.
      export CC_aarch64_unknown_linux_musl='aarch64-linux-gnu-gcc -U_FORTIFY_SOURCE'
      ;;
    x86_64-pc-windows-gnu)
      command -v x86_64-w64-mingw32-gcc >/dev/null || install_package gcc-mingw-w64-x86-64-win32
      ;;
  esac
}

# The binary as a release ships it for this machine, left at $static_binary.
build_static() {
  need_target "$native"
  static_binary=$target/$native/release/upsert-secret
  release/build "$native" >/dev/null
}

# Fails unless a binary needs nothing of the machine, and is loaded to an address that cannot be known before.
check_static_pie() {
  local headers
  headers=$(readelf --wide --file-header --program-headers --dynamic "$1")
  if [[ $headers =~ INTERP|NEEDED ]]; then
    echo "$1 is not static:" >&2
    grep -E 'INTERP|NEEDED' <<<"$headers" >&2
    return 1
  fi
  [[ $headers =~ Type:\ +DYN && $headers == *' PIE'* ]] || {
    echo "$1 is not position-independent:" >&2
    grep -E 'Type:|FLAGS' <<<"$headers" >&2
    return 1
  }
}

# Some tests of each kind of what the program does with its system: a binary that passes them works on that system.
smoke=(
  upsert::
  values::empty
  values::reference_from
  values::suspicious
  compare_and_swap::json_key::first_version
  compare_and_swap::json_key::json_value
  manifest::run::
  transport::tls::
  roles::assumption::
  interruptions::cancel
  outputs::
  gitlab::
  leaks::credentials::
  leaks::decoded
  leaks::panic_reports
)

# Runs tests of the whole program with another binary than cargo's: `test_binary BINARY RUNNER TEST...`. RUNNER is the program
# that runs it on this machine, or empty; a step can set $test_options.
test_options=()
test_binary() {
  local binary=$1 runner=$2 names name
  shift 2
  names=$(cargo test --locked --test integration -- --list --format terse)
  for name; do
    # A name that fits nothing would pass.
    [[ $names == *"$name"* ]] || {
      echo "there is no test $name" >&2
      return 1
    }
  done
  TESTED_PROGRAM=$binary TESTED_RUNNER=$runner cargo test --locked --test integration -- "${test_options[@]}" "$@"
}

# The loopback AWS of the tests, left at $sandbox.
build_sandbox() {
  sandbox=$target/debug/sandbox
  cargo build --locked -p sandbox --bin sandbox
}

# podman, with a storage of its own at $podman_home, which goes when the step ends: the machine's images and containers
# are neither seen nor touched.
need_podman() {
  command -v podman >/dev/null || install_package podman
  # What podman brings, crun, does not take cgroups of the first version beside those of the second; runc takes any.
  command -v runc >/dev/null || install_package runc
  # Without root, for the users of a container.
  ((EUID == 0)) || command -v newuidmap >/dev/null || install_package uidmap

  podman_home=$(mktemp -d "$tools/podman.XXXXXX")
  trap remove_podman EXIT
  # By its options, first on PATH: without root, storage.conf has no effect. vfs, because it mounts
  # nothing that would be in the way of deleting it; the images are small.
  mkdir "$podman_home/bin"
  cat >"$podman_home/bin/podman" <<END
#!/bin/sh
exec "$(command -v podman)" --root "$podman_home/graph" --runroot "$podman_home/run" --storage-driver vfs "\$@"
END
  chmod 755 "$podman_home/bin/podman"
  PATH=$podman_home/bin:$PATH
  # Limits that any machine grants: podman's own defaults are more than some may raise theirs to. No network of its own,
  # which would change the machine's; locks and logs in files beside the rest rather than in the machine's shared memory
  # and journal.
  cat >"$podman_home/containers.conf" <<END
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
log_driver = "k8s-file"
netns = "host"
[engine]
runtime = "runc"
events_logger = "file"
lock_type = "file"
tmp_dir = "$podman_home/tmp"
END
  export CONTAINERS_CONF=$podman_home/containers.conf
}

remove_podman() {
  podman rm --all --force --time 0 >/dev/null || true
  # Files in it may belong to users that only podman may be.
  ((EUID == 0)) || podman unshare rm -rf "$podman_home/graph" "$podman_home/run"
  # What podman leaves running: for minutes a monitor of each command that act ran in a container, to tell how it ended,
  # which would create the folder again; and without root a process that holds the user namespace.
  local file pid
  for file in /proc/[0-9]*/cmdline; do
    grep -qsF "$podman_home" "$file" || continue
    pid=${file//[^0-9]/}
    [[ $(cat "/proc/$pid/comm" 2>/dev/null) != conmon ]] || kill -KILL "$pid" 2>/dev/null || true
  done
  pid=$(cat "$podman_home/tmp/pause.pid" 2>/dev/null) && kill -KILL "$pid" 2>/dev/null
  rm -rf "$podman_home"
}
