#!/bin/sh
# Replaces itself with the binary for this runner: the Unix step of action.yml.
#
# It looks only at where it is and which platform this is. The inputs pass through its environment untouched: it must
# not read, print, change or drop one, and must not turn on tracing.
set -eu

fail() {
  # The title is a constant: a runner masks the message of an annotation, but not its title.
  echo "::error title=upsert-secret cannot start::$1" >&2
  exit 2
}

# Only the names that runners use (VarUtil.cs of actions/runner): anything else must not become part of a path or a message.
case "${RUNNER_OS-}" in
  Linux) os=linux ;;
  macOS) os=darwin ;;
  Windows) os=windows ;;
  *) os= ;;
esac
case "${RUNNER_ARCH-}" in
  X64) arch=x64 ;;
  ARM64) arch=arm64 ;;
  X86) arch=x86 ;;
  ARM) arch=arm ;;
  *) arch= ;;
esac
platform=${os:-unknown}-${arch:-unknown}

if [ -d "$GITHUB_ACTION_PATH/bin" ]; then
  # A release: its commit pins the bytes of the binary, so nothing else may take the binary's place.
  binary=$GITHUB_ACTION_PATH/bin/$platform/upsert-secret
  named="bin/$platform/upsert-secret of this release"
  if [ -z "$os" ] || [ -z "$arch" ]; then
    fail "RUNNER_OS and RUNNER_ARCH do not name a platform that is known. The runner sets both; do not set them in the workflow."
  fi
  [ -f "$binary" ] ||
    fail "This release has no binary for $platform. It runs on linux-x64, linux-arm64, darwin-x64, darwin-arm64 and windows-x64 runners."
else
  binary=${UPSERT_SECRET_BIN-}
  named="The file that UPSERT_SECRET_BIN names"
  [ -n "$binary" ] ||
    fail "This commit is a source checkout, which has no binary for $platform or any other platform. Pin the action to the commit of a release."
  [ -f "$binary" ] ||
    fail "UPSERT_SECRET_BIN does not name a file."
fi

# Some shells run an empty file as an empty script, which succeeds.
[ -s "$binary" ] ||
  fail "$named is empty. Is the disk full, or the checkout incomplete?"

# Old versions of Docker forbid the system call of `-x`, which then is false for every file. Only an attempt can tell.
if ! [ -x "$binary" ]; then
  status=0
  "$binary" --version >/dev/null 2>&1 || status=$?
  case $status in
    126 | 127) fail "$named cannot be executed: it lacks the permission, or its file system is mounted with noexec. Keep the file's mode when you copy the action, and have the runner's work folder on a file system that allows execution." ;;
  esac
fi

exec "$binary"
