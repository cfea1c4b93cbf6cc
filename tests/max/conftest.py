# SPDX-License-Identifier: MIT
import mock_max
import pytest


@pytest.fixture(scope="session")
def mock_programs(tmp_path_factory):
    """mock_programs(main, sanitizer): a program of tests/max with the mock host and the object."""
    folder, built = tmp_path_factory.mktemp("max"), {}

    def program(main: str = "script", sanitizer: str = ""):
        if (main, sanitizer) not in built:
            built[main, sanitizer] = mock_max.build(folder / f"{main}-{sanitizer or 'plain'}", main, sanitizer)
        return built[main, sanitizer]

    return program


@pytest.fixture(scope="session")
def mock(mock_programs):
    return mock_max.Mock(mock_programs(), [mock_max.ROOT / "models"])
