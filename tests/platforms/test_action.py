"""Rules for action.yml that no linter checks. Parses the file as text, because its layout is fixed."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ACTION = (ROOT / "action.yml").read_text()


def section(start: str, end: str) -> str:
    return ACTION.split(f"\n{start}\n")[1].split(f"\n{end}\n")[0]


INPUTS = re.findall(r"^  ([a-z-]+):$", section("inputs:", "outputs:"), re.M)
OUTPUTS = re.findall(r"^  ([a-z_]+):$", section("outputs:", "runs:"), re.M)
UNIX, WINDOWS = re.findall(r"^    - id: (?:unix|windows)$.*?(?=^    - id: |\Z)", ACTION, re.M | re.S)


def variable(name: str) -> str:
    return "UPSERT_SECRET_" + name.upper().replace("-", "_")


class Action(unittest.TestCase):
    def test_both_steps_map_exactly_the_inputs(self):
        expected = {name: f"${{{{ inputs.{name} || env.{variable(name)} }}}}" for name in INPUTS}
        expected = {variable(name): value for name, value in expected.items()} | {"UPSERT_SECRET_ACTION": '"true"'}
        for step in (UNIX, WINDOWS):
            mapped = dict(re.findall(r"^        ([A-Z_]+): (.*)$", step.split("\n      env:\n")[1], re.M))
            self.assertEqual(mapped, expected)

    def test_outputs_come_from_the_step_that_ran(self):
        values = re.findall(r"^    value: (.*)$", section("outputs:", "runs:"), re.M)
        expected = [f"${{{{ steps.unix.outputs.{name} || steps.windows.outputs.{name} }}}}" for name in OUTPUTS]
        self.assertEqual(values, expected)

    def test_no_default_overrides_callers_env(self):
        self.assertNotRegex(ACTION, r"(?m)^ +default:")

    def test_scripts_contain_no_expression(self):
        scripts = re.findall(r"^      run: (.*)$", ACTION, re.M)
        self.assertEqual(len(scripts), 2)
        for script in scripts:
            self.assertNotIn("${{", script)

    def test_action_path_comes_from_environment(self):
        """In a container job the expression `github.action_path` is the path on the host."""
        self.assertNotIn("github.action_path", ACTION)
