"""How the server is doing: `/health` for whoever starts it, `/metrics` for Prometheus."""

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from spokesmith.server.errors import RETRY_AFTER_S
from spokesmith.server.service import Service


def add_routes(app: FastAPI, service: Service) -> None:
    """Add the routes."""

    @app.get("/health", tags=["operations"])
    @app.head("/health", include_in_schema=False)
    async def health() -> Response:
        """`ok`, `loading` or `failed`; needs no key, so it says no more. 503 but for `ok`.

        An engine that has failed on the last eight answers has failed, until it makes one.
        """
        parts = service.states
        if service.state == "ready":
            return JSONResponse({"status": "ok", "parts": parts})
        headers = {"Retry-After": str(RETRY_AFTER_S)} if service.state == "loading" else None
        return JSONResponse({"status": service.state, "parts": parts}, 503, headers)

    @app.get("/metrics", tags=["operations"])
    def metrics() -> Response:
        """Counts and durations, in Prometheus' text form."""
        return Response(generate_latest(service.meters.registry), media_type=CONTENT_TYPE_LATEST)
