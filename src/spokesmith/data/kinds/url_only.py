"""Bare web addresses, and addresses with a word or two."""

from spokesmith.data.kinds.family import Kind, T

KIND = Kind(
    name="url_only",
    alone=True,
    words={
        "scheme": ("https", "https", "http", "ftp", "ssh"),
        "user": ("octo", "nimbus", "acme", "tinylab", "heron-dev", "quartz", "redwood-io", "pico"),
        "repository": ("parser", "notes", "engine", "dotfiles", "kernel", "site", "maps"),
        "lead": ("see", "read later:", "link:", "source:", "docs:", "cf."),
    },
    types={"address": "url"},
    templates=(
        T("{url!link}"),
        T("{url!link}"),
        T("{url!link}"),
        T("<{url!link}>"),
        T("{lead} {url!link}"),
        T("{scheme}://git.example.org/{user}/{repository}/issues/{n=plain:1:9000}"),
        T("https://api.example.com/v{n=plain:1:4}/{user}/{m=plain:10:99999}?limit={k=plain:5:500}"),
        T("https://{user}.example.net/{repository}#L{n=plain:1:900}"),
        T("www.example.com/{user}-{repository}"),
        T("http://10.0.{n=plain:0:255}.{m=plain:1:254}:{k=plain:1024:9999}/{repository}"),
        T(
            "https://maps.example.com/@{n=dec:1.0001:80.9999},{m=dec:1.0001:80.9999},{k=plain:3:19}z"
        ),
        T("https://example.org/watch?v={commit}&t={n=plain:2:900}s"),
    ),
)
