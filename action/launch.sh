#!/bin/sh
# Replaces itself with the binary for this runner: the Unix step of action.yml.
#
# It looks only at where it is and which platform this is. The inputs pass through its environment untouched: it must
# not read, print, change or drop one, and must not turn on tracing.
set -eu

fail() {
  # The title is a constant: a runner masks the message of an annotation, but not its title.
  printf '::error title=upsert-secret cannot start::%s\n' "$1" >&2
  exit 2
}

case "${RUNNER_OS-}" in
  Linux) os=linux ;;
  macOS) os=darwin ;;
  *) os=${RUNNER_OS:-unknown} ;;
esac
case "${RUNNER_ARCH-}" in
  X64) arch=x64 ;;
  ARM64) arch=arm64 ;;
  *) arch=${RUNNER_ARCH:-unknown} ;;
esac

if [ -d "$GITHUB_ACTION_PATH/bin" ]; then
  # A release: its commit pins the bytes of the binary, so nothing else may take the binary's place.
  binary=$GITHUB_ACTION_PATH/bin/$os-$arch/upsert-secret
  [ -x "$binary" ] ||
    fail "This release has no binary for $os-$arch. It runs on linux-x64, linux-arm64, darwin-x64, darwin-arm64 and windows-x64 runners."
else
  binary=${UPSERT_SECRET_BIN-}
  [ -n "$binary" ] ||
    fail "This commit is a source checkout, which has no binary for $os-$arch or any other platform. Pin the action to the commit of a release."
  [ -x "$binary" ] ||
    fail "UPSERT_SECRET_BIN does not name an executable file."
fi

exec "$binary"
