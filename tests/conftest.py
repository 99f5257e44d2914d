"""`pytest --update-golden` writes what the code says now into the golden files: look at the difference."""

import os
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("framekeep", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("framekeep")  # how long an example takes says more about the machine than about framekeep


def pytest_addoption(parser: pytest.Parser):
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(autouse=True, scope="session")
def _converted_networks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Of the tests' own, also for the commands that they start: nothing of an earlier run has a say."""
    with patch.dict(os.environ, {"CACHE_DIRECTORY": str(tmp_path_factory.mktemp("cache"))}):
        yield
