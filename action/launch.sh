#!/bin/sh
# Replaces itself with the binary for this runner, as the Unix step of action.yml.
#
# Reads only its own location and the platform. Inputs pass through the environment unchanged: the script must not read, print,
# change or remove any, and must not enable tracing.
set -eu

fail() {
  # The title must be constant, because runners mask an annotation's message but not its title.
  echo "::error title=upsert-secret cannot start::$1" >&2
  exit 2
}

# Accept only the names that runners use (VarUtil.cs in actions/runner), because no other text may become part of a path or
# message.
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
  # A release: its commit pins the binary's bytes, so nothing may replace the binary.
  binary=$GITHUB_ACTION_PATH/bin/$platform/upsert-secret
  named="bin/$platform/upsert-secret of this release"
  if [ -z "$os" ] || [ -z "$arch" ]; then
    fail "RUNNER_OS and RUNNER_ARCH do not name a known platform. The runner sets both; do not set them in the workflow."
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

# Old versions of Docker block the system call behind `-x`, so that it is false for every file. Try to run the binary instead.
if ! [ -x "$binary" ]; then
  status=0
  "$binary" --version >/dev/null 2>&1 || status=$?
  case $status in
    126 | 127) fail "$named cannot be executed: it lacks the permission, or its file system is mounted with noexec. Keep the file's mode when you copy the action, and put the runner's work directory on a file system that allows execution." ;;
  esac
fi

exec "$binary"
