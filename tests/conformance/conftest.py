"""Failures inside the shipped suites show their values, like those in test files."""

import pytest

pytest.register_assert_rewrite("helix_lab.testing")
