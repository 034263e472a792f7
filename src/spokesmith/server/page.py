"""GET /: the page on which a text is encoded before one's eyes, and the files that it is made of.

The page holds nothing secret. Where the server asks for a key, it asks for it here too: the browser
sends it as a password, so the page is told that there is one. The page's policy lets the browser
run no script and load nothing but these files.
"""

from importlib.resources import files

from fastapi import FastAPI, Response

from spokesmith.server.errors import ApiError

MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def add_routes(app: FastAPI, *, asks_for_key: bool) -> None:
    """Add the page and its files."""
    folder = files("spokesmith.server") / "static"
    found = {one.name: one.read_bytes() for one in folder.iterdir()}
    if asks_for_key:
        found["page.html"] = found["page.html"].replace(b"<body>", b"<body data-asks-for-key>")

    def answer(name: str) -> Response:
        media_type = MEDIA_TYPES[name.rpartition(".")[2]]
        return Response(found[name], media_type=media_type, headers=HEADERS)

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return answer("page.html")

    @app.get("/static/{name}", include_in_schema=False)
    async def part(name: str) -> Response:
        if name not in found:
            raise ApiError(f"no file '{name}' here", remedy="GET / is the page", status=404)
        return answer(name)
