# SPDX-License-Identifier: MIT
import os

import pytest
from pd_host import build_object, find_hosts

NAMES = ("pd-installed", *(pytest.param(name, marks=pytest.mark.slow) for name in ("pd-0.55", "pd-0.55-double")))


@pytest.fixture(scope="session", params=NAMES)
def host(request):
    """Every version of Pd; one that is not here is a visible skip, and a failure where TD_REQUIRE_HOSTS=all."""
    found = find_hosts().get(request.param)
    if found is None:
        message = f"{request.param} is not here (tools/fetch_pd.sh fetches what can be had)"
        pytest.fail(message) if os.environ.get("TD_REQUIRE_HOSTS") == "all" else pytest.skip(message)
    return found


@pytest.fixture(scope="session")
def objects(tmp_path_factory):
    """objects(double): the folder of an object built for that float size."""
    built = {}

    def folder(double: bool):
        if double not in built:
            built[double] = tmp_path_factory.mktemp("double" if double else "single")
            build_object(built[double], double)
        return built[double]

    return folder


@pytest.fixture
def where(host, objects):
    return objects(host.double)
