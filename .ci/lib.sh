# shellcheck shell=bash
# Shared by all steps, which source it first: paths, and tools that a machine may lack. Starts nothing, and installs only what a
# step requests.
# shellcheck disable=SC2034 # the variables are for the steps
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")
# In cargo's target directory, so that `cargo clean` removes it.
tools=$target/ci
host=$(rustc -vV | sed -n 's/^host: //p')
# The target of this machine's release binary: on Linux always musl, whatever C library the machine has.
native=${host/-linux-gnu/-linux-musl}

# Many tests wait for a program that waits for a retry or a time limit.
RUST_TEST_THREADS=${RUST_TEST_THREADS:-$((2 * $(nproc)))}
export RUST_TEST_THREADS

# Skips the rest of a step that this machine cannot run, and prints the reason. In CI, fails instead.
cannot_run() {
  echo "!!! not tested: $1 !!!"
  [[ ${CI-} != true ]]
  exit
}

# Installs Debian packages. Uses sudo if not root, as on a hosted runner.
install_package() {
  echo "installing $*"
  local as_root=()
  ((EUID == 0)) || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Installs a requirements file into its own virtual environment, which is recreated when the file changes.
install_from_pip() {
  local list=$1 venv=$2
  cmp --silent "$list" "$venv/requirements.txt" && return
  python3 -c 'import ensurepip' 2>/dev/null || install_package python3-venv
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --requirement "$list"
  # Last, so that an interrupted install does not look complete.
  cp "$list" "$venv/requirements.txt"
}

# Installs requirements.txt and puts its tools first on PATH.
need_python_tools() {
  install_from_pip .ci/requirements.txt "$tools/venv"
  PATH=$tools/venv/bin:$PATH
}

# Installs npm packages into their own directory. Uses the system's CAs, as everything else does; Node's default is its own list.
# Retries once after a timeout, because npm would wait many minutes for a registry that does not respond.
install_from_npm() {
  local folder=$1
  shift
  local install=(npm install --prefix "$folder.new" --ignore-scripts --no-audit --no-fund --silent "$@")
  rm -rf "$folder" "$folder.new"
  NODE_OPTIONS=--use-system-ca timeout 120 "${install[@]}" || NODE_OPTIONS=--use-system-ca timeout 120 "${install[@]}"
  mv "$folder.new" "$folder"
}

# Sets $gitlab_ci_local to a program that runs GitLab pipelines on this machine. Requires need_python_tools, for Node. The program
# is one file without dependencies, so its version pins everything.
need_gitlab_ci_local() {
  local version=4.75.1
  local folder=$tools/gitlab-ci-local-$version
  command -v rsync >/dev/null || install_package rsync
  gitlab_ci_local=$folder/node_modules/.bin/gitlab-ci-local
  [[ -x $gitlab_ci_local ]] || install_from_npm "$folder" "gitlab-ci-local@$version"
}

# Sets $mermaid to a directory with Mermaid, which GitHub renders graphs with. Requires need_python_tools, for Node.
need_mermaid() {
  local version=11.17.2
  mermaid=$tools/mermaid-$version
  [[ -d $mermaid/node_modules/mermaid ]] || install_from_npm "$mermaid" "mermaid@$version" jsdom@29.1.1
}

# Sets $powershell to a directory with a PowerShell grammar and a parser. Requires need_python_tools, for Node.
need_powershell() {
  local version=0.26.4
  powershell=$tools/tree-sitter-powershell-$version
  [[ -d $powershell/node_modules ]] ||
    install_from_npm "$powershell" "tree-sitter-powershell@$version" web-tree-sitter@0.27.2
}

# Installs the alternatives that benches/peers measures: sets $peers (AWS CLI, boto3) and $sdk (JavaScript SDK). Requires
# need_python_tools, for Node.
need_peers() {
  local version=3.1164.0
  install_from_pip .ci/requirements-peers.txt "$tools/peers"
  peers=$tools/peers/bin
  sdk=$tools/aws-sdk-$version
  [[ -d $sdk/node_modules ]] || install_from_npm "$sdk" "@aws-sdk/client-secrets-manager@$version"
}

# Installs Rust's standard library and a C compiler for a target.
need_target() {
  [[ -d $(rustc --print target-libdir --target "$1") ]] || rustup target add "$1"
  case $1 in
    "$native") [[ $1 != *-musl ]] || command -v musl-gcc >/dev/null || install_package musl-tools ;;
    aarch64-unknown-linux-musl)
      [[ -d /usr/aarch64-linux-gnu/include/asm ]] ||
        install_package gcc-aarch64-linux-gnu libc6-dev-arm64-cross linux-libc-dev-arm64-cross
      # This compiler's headers are glibc's, whose fortified functions musl lacks.
      export CC_aarch64_unknown_linux_musl='aarch64-linux-gnu-gcc -U_FORTIFY_SOURCE'
      ;;
    x86_64-pc-windows-gnu)
      command -v x86_64-w64-mingw32-gcc >/dev/null || install_package gcc-mingw-w64-x86-64-win32
      ;;
  esac
}

# Builds this machine's release binary and sets $static_binary to its path.
build_static() {
  need_target "$native"
  static_binary=$target/$native/release/upsert-secret
  release/build "$native" >/dev/null
}

# Fails unless a binary is static, so that it needs no libraries, and position-independent, so that its address is unpredictable.
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

# Tests for each way in which the program uses the operating system. A binary that passes them works on that system.
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

# Runs integration tests with a binary that cargo test did not build: `test_binary BINARY RUNNER TEST...`. RUNNER is the program
# that runs the binary on this machine, or empty. A step can set $test_options.
test_options=()
test_binary() {
  local binary=$1 runner=$2 names name
  shift 2
  names=$(cargo test --locked --test integration -- --list --format terse)
  for name; do
    # cargo test succeeds if a name matches nothing.
    [[ $names == *"$name"* ]] || {
      echo "no test matches '$name'" >&2
      return 1
    }
  done
  TESTED_PROGRAM=$binary TESTED_RUNNER=$runner cargo test --locked --test integration -- "${test_options[@]}" "$@"
}

# Builds the tests' AWS emulator and sets $sandbox to its path.
build_sandbox() {
  sandbox=$target/debug/sandbox
  cargo build --locked -p sandbox --bin sandbox
}

# Installs podman, with temporary storage at $podman_home that is removed when the step ends. The machine's images and containers
# are neither visible nor changed.
need_podman() {
  command -v podman >/dev/null || install_package podman
  # podman's default runtime, crun, does not support cgroup v1 next to v2; runc supports any combination.
  command -v runc >/dev/null || install_package runc
  # Rootless containers need it for their users.
  ((EUID == 0)) || command -v newuidmap >/dev/null || install_package uidmap

  podman_home=$(mktemp -d "$tools/podman.XXXXXX")
  trap remove_podman EXIT
  # A wrapper, first on PATH, selects the storage by options, because rootless podman ignores storage.conf. The driver is vfs: it
  # creates no mounts that could block removal, and the images are small.
  mkdir "$podman_home/bin"
  cat >"$podman_home/bin/podman" <<END
#!/bin/sh
exec "$(command -v podman)" --root "$podman_home/graph" --runroot "$podman_home/run" --storage-driver vfs "\$@"
END
  chmod 755 "$podman_home/bin/podman"
  PATH=$podman_home/bin:$PATH
  # podman's default limits exceed what some machines permit; these are permitted everywhere. A network for containers would
  # change the machine's network. Locks and logs are files in $podman_home, not in the machine's shared memory and journal.
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
  # Files may belong to users that exist only in podman's user namespace.
  ((EUID == 0)) || podman unshare rm -rf "$podman_home/graph" "$podman_home/run"
  # podman leaves processes running. For each command that act ran in a container, conmon waits for minutes to report the exit
  # status, and would recreate the directory. Without root, another process holds the user namespace.
  local file pid
  for file in /proc/[0-9]*/cmdline; do
    grep -qsF "$podman_home" "$file" || continue
    pid=${file//[^0-9]/}
    [[ $(cat "/proc/$pid/comm" 2>/dev/null) != conmon ]] || kill -KILL "$pid" 2>/dev/null || true
  done
  pid=$(cat "$podman_home/tmp/pause.pid" 2>/dev/null) && kill -KILL "$pid" 2>/dev/null
  rm -rf "$podman_home"
}
