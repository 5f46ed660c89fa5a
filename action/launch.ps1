# Runs the binary for this runner, as the Windows step of action.yml. Windows has no exec, so the script waits and returns the
# binary's exit code.
#
# Reads only its own location and the platform. Inputs pass through the environment unchanged: the script must not read, print,
# change or remove any.
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
# Otherwise PowerShell throws an error if the binary fails, and the exit code is lost.
$PSNativeCommandUseErrorActionPreference = $false

function Stop-Launch([string] $Message) {
    # The title must be constant, because runners mask an annotation's message but not its title.
    [Console]::Error.WriteLine("::error title=upsert-secret cannot start::$Message")
    exit 2
}

# Accept only the names that runners use, because no other text may become part of a path or a message. Windows on ARM runs x64
# programs.
$platform = switch -CaseSensitive ($env:RUNNER_ARCH) {
    'X64' { 'windows-x64' }
    'ARM64' { 'windows-x64' }
    'X86' { 'windows-x86' }
    'ARM' { 'windows-arm' }
    default { 'windows-unknown' }
}

if (Test-Path -LiteralPath "$env:GITHUB_ACTION_PATH/bin" -PathType Container) {
    # A release: its commit pins the binary's bytes, so nothing may replace the binary.
    $binary = "$env:GITHUB_ACTION_PATH/bin/$platform/upsert-secret.exe"
    $named = "bin/$platform/upsert-secret.exe of this release"
    if ($platform -eq 'windows-unknown') {
        Stop-Launch 'RUNNER_ARCH does not name a known platform. The runner sets it; do not set it in the workflow.'
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
    # PowerShell's own message would contain the path.
    Stop-Launch "$named cannot be executed: it is blocked (by antivirus software or a policy), this account may not execute it, or it is incomplete."
}
exit $LASTEXITCODE
