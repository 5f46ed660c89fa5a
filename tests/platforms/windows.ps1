# The Windows launcher, with values that a Unix shell on Windows takes for paths and rewrites, against the sandbox: the bytes
# that are stored are the bytes that were given.
#
#     pwsh tests/platforms/windows.ps1 -Binary PATH -Sandbox PATH
#
# The value comes once as CI gives it, in the environment, and once out of a file that was written byte for byte. The second
# run compares what is stored with the file, so it ends as `unchanged` only where the two are the same.
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

# What the step of the action has in its environment, and nothing of an earlier run.
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
        throw "the launcher ended with $LASTEXITCODE"
    }
    $result = [IO.File]::ReadAllLines($output) -match '^result='
    return "$result".Substring('result='.Length)
}

try {
    # First the endpoint, then the environment, line by line; reading them is how we wait for it.
    $null = $server.StandardOutput.ReadLine()
    do {
        $name, $value = $server.StandardOutput.ReadLine() -split '=', 2
        [Environment]::SetEnvironmentVariable($name, $value)
    } until ($name -eq 'AWS_SECRET_ACCESS_KEY')
    $env:AWS_EC2_METADATA_DISABLED = 'true'
    $env:GITHUB_STEP_SUMMARY = "$work/summary"

    $number = 0
    # The last one is neither ASCII nor one line.
    foreach ($value in '/a/b', '/a:/b', '//x', 'C:/x', "/a`r`n%PATH% $([char]0xE9)") {
        $number++
        $secret = "windows/$number"
        $file = "$work/value"
        [IO.File]::WriteAllBytes($file, [Text.UTF8Encoding]::new($false).GetBytes($value))

        $result = Invoke-Launcher @{ UPSERT_SECRET_NAME = $secret; UPSERT_SECRET_VALUE = $value }
        if ($result -ne 'created') {
            throw "value ${number}: the first run says '$result'"
        }
        $result = Invoke-Launcher @{ UPSERT_SECRET_NAME = $secret; UPSERT_SECRET_VALUE_FILE = $file }
        if ($result -ne 'unchanged') {
            throw "value ${number}: what is stored is not what was given: the second run says '$result'"
        }
    }

    # Otherwise the runs above would prove nothing.
    [IO.File]::WriteAllText("$work/other", '/a/c')
    $result = Invoke-Launcher @{ UPSERT_SECRET_NAME = 'windows/1'; UPSERT_SECRET_VALUE_FILE = "$work/other" }
    if ($result -ne 'updated') {
        throw "another value: the run says '$result'"
    }
    Write-Output "$number values arrived as they were given"
}
finally {
    $server.Kill()
    $server.WaitForExit()
    Remove-Item -LiteralPath $work -Recurse -Force
}
