# Tests the Windows launcher against the sandbox: values that a Unix shell on Windows would rewrite as paths are stored byte
# for byte.
#
#     pwsh tests/platforms/windows.ps1 -Binary PATH -Sandbox PATH
#
# The first run takes the value from the environment, as in CI. The second reads it from a file with the exact bytes, so it
# ends as `unchanged` only if the stored value is identical.
param(
    [Parameter(Mandatory)] [string] $Binary,
    [Parameter(Mandatory)] [string] $Sandbox
)
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false

$root = (Resolve-Path -LiteralPath "$PSScriptRoot/../..").Path
$work = (New-Item -ItemType Directory -Path ([IO.Path]::GetTempPath()) -Name ([IO.Path]::GetRandomFileName())).FullName

$start = [Diagnostics.ProcessStartInfo]::new((Resolve-Path -LiteralPath $Sandbox).Path)
$start.ArgumentList.Add('--port')
$start.ArgumentList.Add('0')
$start.RedirectStandardOutput = $true
$server = [Diagnostics.Process]::Start($start)

# The environment of the action's step, without variables of an earlier run.
function Invoke-Launcher([hashtable] $Given) {
    $output = "$work/output"
    [IO.File]::WriteAllText($output, '')
    Get-ChildItem env:UPSERT_SECRET_* | Remove-Item
    $env:GITHUB_OUTPUT = $output
    $env:GITHUB_ACTION_PATH = $root
    $env:UPSERT_SECRET_BIN = (Resolve-Path -LiteralPath $Binary).Path
    foreach ($name in $Given.Keys) {
        [Environment]::SetEnvironmentVariable($name, $Given[$name])
    }
    & pwsh -NoProfile -File "$root/action/launch.ps1" | Out-Host
    if ($LASTEXITCODE -ne 0) {
        throw "the launcher failed with exit code $LASTEXITCODE"
    }
    $result = [IO.File]::ReadAllLines($output) -match '^result='
    return "$result".Substring('result='.Length)
}

try {
    # The endpoint, then the environment variables. Reading blocks until the sandbox is ready.
    $null = $server.StandardOutput.ReadLine()
    do {
        $name, $value = $server.StandardOutput.ReadLine() -split '=', 2
        [Environment]::SetEnvironmentVariable($name, $value)
    } until ($name -eq 'AWS_SECRET_ACCESS_KEY')
    $env:AWS_EC2_METADATA_DISABLED = 'true'
    $env:GITHUB_STEP_SUMMARY = "$work/summary"

    $number = 0
    # The last value has several lines and is not ASCII.
    foreach ($value in '/a/b', '/a:/b', '//x', 'C:/x', "/a`r`n%PATH% $([char]0xE9)") {
        $number++
        $secret = "windows/$number"
        $file = "$work/value"
        [IO.File]::WriteAllBytes($file, [Text.UTF8Encoding]::new($false).GetBytes($value))

        $result = Invoke-Launcher @{ UPSERT_SECRET_NAME = $secret; UPSERT_SECRET_VALUE = $value }
        if ($result -ne 'created') {
            throw "value ${number}: the result of the first run is '$result'"
        }
        $result = Invoke-Launcher @{ UPSERT_SECRET_NAME = $secret; UPSERT_SECRET_VALUE_FILE = $file }
        if ($result -ne 'unchanged') {
            throw "value ${number}: the stored value differs from the input: the result of the second run is '$result'"
        }
    }

    # Makes sure that the runs above can fail.
    [IO.File]::WriteAllText("$work/other", '/a/c')
    $result = Invoke-Launcher @{ UPSERT_SECRET_NAME = 'windows/1'; UPSERT_SECRET_VALUE_FILE = "$work/other" }
    if ($result -ne 'updated') {
        throw "another value: the result of the run is '$result'"
    }
    Write-Output "$number values stored unchanged"
}
finally {
    $server.Kill()
    $server.WaitForExit()
    Remove-Item -LiteralPath $work -Recurse -Force
}
