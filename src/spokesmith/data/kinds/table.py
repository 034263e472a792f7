"""Numbers in tables: Markdown, tabs, aligned columns, commas, and what tools print."""

from typing import TYPE_CHECKING

from spokesmith.data.kinds.family import Kind, T
from spokesmith.data.words import listed

if TYPE_CHECKING:
    from spokesmith.data.kinds.pattern import Draw


def right(draw: "Draw", low: str, high: str) -> str:
    """An integer, padded on the left to the width of the highest."""
    return f"{draw.random.randint(int(low), int(high)):>{len(high)}}"


def right_decimal(draw: "Draw", low: str, high: str) -> str:
    """A number with the decimals of `high`, padded on the left."""
    places = len(high.partition(".")[2])
    return f"{draw.random.uniform(float(low), float(high)):>{len(high)}.{places}f}"


KIND = Kind(
    name="table",
    alone=True,
    words={
        "right": right,
        "fixed": right_decimal,
        "quarter": ("Q{n=plain:1:4} {y=plain:2019:2027}",),
        "step": listed("parse, plan, fetch, merge, write, index, verify, render, upload, commit"),
        "sensor": listed("""
        north wall, south wall, boiler room, greenhouse, river gauge, roof, well, server room, pier
        silo, lab bench, cold store, stairwell, quarry, barn
        """),
        "column": listed("orders, visits, returns, calls, sales, visitors, permits, births, trips"),
        "route": listed("/search, /login, /cart, /api/users, /export, /health, /img, /feed, /pay"),
        "food": listed("""
        espresso, flat white, green tea, lemonade, apple cake, bagel, soup, rye roll, cider, scone
        porridge, waffle
        """),
        "grade": listed("steel, brass, oak, pine, copper, glass, slate, cork, felt, nylon, wool"),
        "branch": listed("harbour, airport, old town, station, campus, market square, west gate"),
    },
    types={"sensor": "place", "branch": "place", "route": "identifier"},
    templates=(
        T(
            "| {column#} | {month} | {month2} |\n|---|---:|---:|\n| {branch!branch} |"
            " {a=num:100:9000} | {b=num:100:9000} |\n| {branch2!branch} | {c=num:100:9000} |"
            " {d=num:100:9000} |[[\n| {branch3!branch} | {e=num:100:9000} | {f=num:100:9000} |]]",
            "monthly figures=business/figures",
            layout="prose",
            gist="{column} of {branch} and {branch2} in {month} and {month2}",
            summary="{^column} in {month}: {branch} {a}, {branch2} {c}; in {month2}: {branch} {b},"
            " {branch2} {d}.",
            swap="a b; c d",
        ),
        T(
            "time\t{sensor!measured place}\t{sensor2!measured"
            " place}\n{t=time}\t{a=dec:1.1:39.9}\t{b=dec:1.1:39.9}\n{t2=time}\t{c=dec:1.1:39.9}\t"
            "{d=dec:1.1:39.9}[[\n{t3=time}\t{e=dec:1.1:39.9}\t{f=dec:1.1:39.9}]]",
            "readings=science/measurement",
            layout="prose",
            gist="readings at {t} and {t2}: {sensor}, {sensor2}",
            summary="{t}: {sensor} {a}, {sensor2} {b}; {t2}: {sensor} {c}, {sensor2} {d}.",
            concepts="time",
            swap="a b; c d",
        ),
        T(
            "route        p50    p99   errors\n{route!measured route}    {a=right:1:400} "
            " {b=right:400:9000}   {c=fixed:0.0:9.9}%\n{route2!measured route}    {d=right:1:400} "
            " {e=right:400:9000}   {f=fixed:0.0:9.9}%",
            "latency=software/measurement",
            layout="prose",
            gist="p50, p99 and errors of {route} and {route2}",
            summary="{route}: p50 {a} p99 {b} errors {c}%; {route2}: p50 {d} p99 {e} errors {f}%",
            concepts="errors",
            swap="a d; b e",
        ),
        T(
            "# stock on {date}\nid,{grade},{grade2},total\n{i=plain:100:999},{a=plain:1:90},{b=plain:1:90},"
            "{c=plain:91:180}\n{j=plain:100:999},{d=plain:1:90},{e=plain:1:90},{f=plain:91:180}",
            "stock list=business/stock",
            layout="prose",
            gist="{grade} and {grade2} of {i} and {j}, with total",
            summary="{i}: {grade} {a}, {grade2} {b}, total {c}; {j}: {grade} {d}, {grade2} {e},"
            " total {f}.",
            concepts="{grade}, {grade2}",
            swap="a b; d e",
        ),
        T(
            " {column}_id | {column2} | score\n----------+--------+-------\n {i=right:1000:9999} |"
            " {a=right:10:99999} | {x=fixed:0.01:9.99}\n {j=right:1000:9999} | {b=right:10:99999} |"
            " {y=fixed:0.01:9.99}\n(2 rows)",
            "query result=data/tables",
            layout="prose",
            gist="2 rows with {column}_id, {column2} and score",
            summary="{column}_id {i}: {column2} {a} score {x}; {column}_id {j}: {column2} {b} score"
            " {y}",
            concepts="score",
            swap="a b; x y",
        ),
        T(
            "{food} ......... {a=dec:1.20:9.90}\n{food2} ......... {b=dec:1.20:9.90}\n{food3}"
            " ......... {c=dec:1.20:9.90}\n[[to go: {p=pct:5:20} off]]",
            "price list=food/menu",
            layout="prose",
            gist="{food} {a}, {food2} {b}, {food3} {c}",
            concepts="{food}, {food2}, {food3}",
            summary="{^food} {a}, {food2} {b} and {food3} {c}.",
            swap="a b",
        ),
        T(
            "Group {g=plain:1:12}  P  W  D  L  Pts\n{club!team}  {p=plain:8:30}  {w=plain:1:7} "
            " {d=plain:0:9}  {l=plain:0:9}  {s=plain:20:60}\n{club2!team}  {p}  {v=plain:1:7} "
            " {e=plain:0:9}  {m=plain:0:9}  {t=plain:1:19}",
            "standings=sports/table",
            layout="prose",
            gist="Group {g}: {club} {s}, {club2} {t}",
            summary="Group {g}: {club}: P {p}, W {w}, Pts {s}; {club2}: P {p}, W {v}, Pts {t}.",
            concepts="group",
            swap="club club2",
        ),
        T(
            "+--------+------+------+\n| step   | old  | new  |\n+--------+------+------+\n| {step}"
            "  | {a=fixed:0.1:99.9} | {b=fixed:0.1:99.9} |\n| {step2}  | {c=fixed:0.1:99.9} |"
            " {d=fixed:0.1:99.9} |\n+--------+------+------+",
            "timings=software/build",
            layout="prose",
            gist="old and new of {step} and {step2}",
            summary="{step}: old {a} new {b}; {step2}: old {c} new {d}",
            concepts="{step}, {step2}",
            swap="a b; c d",
        ),
        T(
            "{quarter}\n  {country!market}   {a=right:1:9999}  {x=flip:+/-}{p=fixed:0.1:29.9} %\n"
            "  {country2!market}   {b=right:1:9999}  {y=flip:-/+}{q=fixed:0.1:29.9} %\n",
            "market figures=business/figures",
            "success neutral notable/failure concerning notable",
            layout="prose",
            gist="{quarter}: {country} {a}, {country2} {b}",
            summary="{quarter}: {country} {a} with {x}{p} % and {country2} {b} with {y}{q} %",
            concepts="{quarter}",
        ),
        T(
            "{first!has a shift} | {weekday} | {a=plain:5:11}-{b=plain:13:20}\n{first2!has a shift}"
            " | {weekday2} | {c=plain:5:11}-{d=plain:13:20}\n{first3!has a shift} | {weekday} |"
            " {e=plain:5:11}-{f=plain:13:20}",
            "roster=work/shifts",
            "ongoing neutral routine",
            layout="prose",
            gist="{first} {weekday}, {first2} {weekday2}, {first3} {weekday}",
            summary="{weekday}: {first} {a}-{b} and {first3} {e}-{f}; {weekday2}: {first2}"
            " {c}-{d}.",
            concepts="{weekday}",
            swap="first first2",
        ),
        T(
            "Sample  pH    {chemical} mg/l\nA{i=plain:1:49}     {a=fixed:4.0:9.9}  "
            " {x=fixed:0.01:9.99}\nB{j=plain:1:49}     {b=fixed:4.0:9.9}  "
            " {y=fixed:0.01:9.99}[[\nC{k=plain:1:49}     {c=fixed:4.0:9.9}  "
            " {z=fixed:0.01:9.99}]]\nlimit           {m=fixed:0.01:9.99}",
            "water samples=science/chemistry",
            layout="prose",
            gist="pH and {chemical} of A{i} and B{j}",
            summary="A{i}: pH {a} {chemical} {x}; B{j}: pH {b} {chemical} {y}; limit {m}",
            concepts="pH, {chemical}",
            swap="x y",
        ),
        T(
            "Results of {date}, sorted by score:\n1\t{fullname!won}\t{a=dec:80.1:99.9}\n2\t{fullname2!behind {fullname}}\t{b=dec:60.1:79.9}\n3\t{fullname3!behind {fullname2}}\t{c=dec:20.1:59.9}",
            "ranking=sports/competition",
            "success satisfying notable",
            layout="prose",
            gist="1 {fullname}, 2 {fullname2}, 3 {fullname3}",
            summary="Results of {date}: {fullname} {a}, {fullname2} {b}, {fullname3} {c}.",
            concepts="score",
            swap="fullname fullname2",
        ),
    ),
)
