"""`pytest --update-golden` writes what the code says now into the golden files: look at the difference."""

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("framekeep", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("framekeep")  # how long an example takes says more about the machine than about framekeep


def pytest_addoption(parser: pytest.Parser):
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))
