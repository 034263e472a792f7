"""Markup: HTML, XML, Markdown, LaTeX."""

from spokesmith.data.kinds.family import Kind, T

KIND = Kind(
    name="html",
    alone=True,
    words={
        "title": (
            "Opening hours",
            "Price list",
            "Bus times",
            "Our menu",
            "Contact us",
            "House rules",
            "Job offer",
            "Lost and found",
            "Season tickets",
            "Library news",
            "Boat hire",
            "Swimming lessons",
        ),
        "notice": (
            "closed on {weekday}",
            "open from {time}",
            "{n=plain:2:90} seats left",
            "now {n=money:2:300}",
            "{n=pct:5:70} off until {date}",
            "moved to {city}",
            "ask for {person}",
            "sold out",
            "free of charge",
            "limited to {n=plain:2:40} people",
            "bring your own {noun}",
        ),
        "slug": ("signup", "book", "search", "orders/new", "feedback", "login", "donate", "rsvp"),
        "css": (
            "card",
            "btn btn-primary",
            "nav-item",
            "hidden",
            "col-6",
            "alert",
            "hero",
            "footer",
        ),
    },
    templates=(
        T(
            '<div class="{css}"><h2>{title}</h2><p>{notice}</p></div>',
            "web page=information/notice",
            gist="{title}: {notice}",
            summary="{title}: {notice}.",
        ),
        T(
            "<!DOCTYPE html>\n<html>\n<head><title>{title}</title></head>\n<body>\n "
            " <h1>{company!on the page}</h1>\n  <ul>\n    <li>{notice}</li>\n   "
            " <li>{notice2}</li>\n  </ul>\n</body>\n</html>",
            "web page=information/notice",
            gist="{title}, {company}",
            summary="{title} of {company}: {notice}, {notice2}.",
        ),
        T(
            "<table><tr><th>{noun}</th><td>{a=money:2:500}</td></tr><tr><th>{noun2}</th><td>{b=money:2:500}</td></tr></table>",
            "price table=information/prices",
            gist="{noun} {a}, {noun2} {b}",
            summary="{noun} {a}, {noun2} {b}.",
            swap="a b",
            concepts="{noun}, {noun2}",
        ),
        T(
            '<a href="{url!target}" {x=flip:rel="nofollow"/target="_blank"}>{title}</a> &amp; <em>{notice}</em>',
            "link=information/notice",
            gist="{title}, {notice}",
            summary="{title} ({url}): {notice}.",
        ),
        T(
            '<?xml version="1.0"?>\n<order id="{n=plain:100:99999}">\n  <customer>{person!customer}</customer>\n'
            '  <item qty="{q=plain:1:40}">{noun}</item>\n  <paid>{x=flip:true/false}</paid>\n</order>',
            "order=commerce/order",
            "success neutral routine/ongoing neutral routine",
            gist="order {n} of {person}: {q} {noun}",
            summary="order {n}, customer {person}, {q} {noun}, paid {x}.",
            concepts="order, {noun}",
        ),
        T(
            "# {title}\n\n**{^notice}**, says [{person!quoted}]({url!link}).\n\n> {^notice2}.\n\n-"
            " [x] {noun}\n- [ ] {noun2}",
            "markdown page=information/notice",
            gist="{title}: {notice}",
            summary="{^notice}, says {person}.",
        ),
        T(
            '<form action="/{slug}" method="{x=flip:post/get}"><input name="{noun}" maxlength="{n=plain:5:200}"'
            " required><button>{title}</button></form>",
            "web form=software/web",
            gist="form /{slug}, input {noun}",
            summary="form /{slug} with method {x}, input {noun}, maxlength {n}.",
            concepts="form",
        ),
        T(
            "\\section{{{title}}}\nThe {noun} weighs {a=dec:1.1:99.9} kg ($ \\pm {b=dec:0.1:0.9} $)"
            " \\cite{{{surname}{y=plain:1950:2024}}}, {x=flip:more/less} than the {noun2}.\n%"
            " {notice}",
            "latex=research/writing",
            gist="The {noun} weighs {a} kg",
            summary="The {noun} weighs {a} kg, {x} than the {noun2}.",
            concepts="{noun}, {noun2}",
        ),
        T(
            '<script>alert("{notice}");</script><!-- {person!named in a comment}: remove before {date} --><p'
            ' style="color:#{commit}">{title}</p>',
            "markup=software/web",
            gist="{title}",
            summary="{title}; {person}: remove before {date}.",
        ),
        T(
            '<svg width="{a=plain:10:900}" height="{b=plain:10:900}"><text x="{c=plain:1:90}">{title}</text></svg>',
            "image markup=software/graphics",
            gist="svg {a} {b}: {title}",
            summary="svg with width {a}, height {b} and text {title}.",
            swap="a b",
        ),
    ),
)
