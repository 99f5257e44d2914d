"""`pytest --update-golden` writes what the code says now into the golden files: look at the difference."""

import pytest


def pytest_addoption(parser: pytest.Parser):
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))
