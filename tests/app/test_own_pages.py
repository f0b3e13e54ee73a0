"""Who is answered."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from diffaug_pipeline.app.own_pages import OwnPagesOnly

OWN = "127.0.0.1:7860"


@pytest.fixture(scope="module")
def client() -> TestClient:
    route = Route("/", lambda _: PlainTextResponse("answered"), methods=["GET", "POST"])
    return TestClient(Starlette(routes=[route], middleware=[Middleware(OwnPagesOnly)]))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": OWN}, 200),
        ({"host": "localhost:9000", "origin": "http://localhost:9000"}, 200),
        ({"host": OWN, "origin": f"http://{OWN}"}, 200),
        ({"host": "rebound.example:7860"}, 403),
        ({"host": "rebound.example:7860", "origin": "http://rebound.example:7860"}, 403),
        ({"host": OWN, "origin": "http://elsewhere.example"}, 403),
        ({"host": OWN, "origin": "http://127.0.0.1:8000"}, 403),
        ({"host": OWN, "origin": "null"}, 403),
        ({"host": "127.0.0.1.example"}, 403),
        ({"host": ""}, 403),
    ],
)
def test_only_this_machine_and_its_own_pages_are_answered(client, headers, status):
    assert client.post("/", headers=headers).status_code == status
