# Runs the binary for this runner: the Windows step of action.yml. Windows has no exec, so it waits and hands on the
# exit code.
#
# It looks only at where it is and which platform this is. The inputs pass through its environment untouched: it must
# not read, print, change or drop one.
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
# Otherwise a failure of the binary would be thrown as an error of PowerShell's, and its exit code lost.
$PSNativeCommandUseErrorActionPreference = $false

function Stop-Launch([string] $Message) {
    # The title is a constant: a runner masks the message of an annotation, but not its title.
    [Console]::Error.WriteLine("::error title=upsert-secret cannot start::$Message")
    exit 2
}

# Only the names that runners use: anything else must not become part of a path or a message. Windows on ARM runs x64
# programs.
$platform = switch -CaseSensitive ($env:RUNNER_ARCH) {
    'X64' { 'windows-x64' }
    'ARM64' { 'windows-x64' }
    'X86' { 'windows-x86' }
    'ARM' { 'windows-arm' }
    default { 'windows-unknown' }
}

if (Test-Path -LiteralPath "$env:GITHUB_ACTION_PATH/bin" -PathType Container) {
    # A release: its commit pins the bytes of the binary, so nothing else may take the binary's place.
    $binary = "$env:GITHUB_ACTION_PATH/bin/$platform/upsert-secret.exe"
    $named = "bin/$platform/upsert-secret.exe of this release"
    if ($platform -eq 'windows-unknown') {
        Stop-Launch 'RUNNER_ARCH does not name a platform that is known. The runner sets it; do not set it in the workflow.'
    }
    if (-not (Test-Path -LiteralPath $binary -PathType Leaf)) {
        Stop-Launch "This release has no binary for $platform. It runs on linux-x64, linux-arm64, darwin-x64, darwin-arm64 and windows-x64 runners."
    }
}
else {
    $binary = $env:UPSERT_SECRET_BIN
    $named = 'The file that UPSERT_SECRET_BIN names'
    if (-not $binary) {
        Stop-Launch "This commit is a source checkout, which has no binary for $platform or any other platform. Pin the action to the commit of a release."
    }
    if (-not (Test-Path -LiteralPath $binary -PathType Leaf)) {
        Stop-Launch 'UPSERT_SECRET_BIN does not name a file.'
    }
}

try {
    & $binary
}
catch {
    # The text of the error would quote the path.
    Stop-Launch "$named cannot be executed: it is blocked (by antivirus software or a policy), this account may not execute it, or it is incomplete."
}
exit $LASTEXITCODE
