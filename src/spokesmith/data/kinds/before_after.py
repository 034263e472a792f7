"""One value before and one after, in every order in which people write them."""

from typing import TYPE_CHECKING

from spokesmith.data.kinds.family import Kind, T
from spokesmith.data.words import listed

if TYPE_CHECKING:
    from spokesmith.data.kinds.pattern import Draw

UNITS: dict[str, str] = dict(
    one.rsplit(" ", 1)
    for one in listed("""
    the water level cm, the room temperature °C, the queue length m, the error rate %
    the waiting time minutes, the bounce rate %, the tank pressure bar, the ticket price EUR
    the fuel use litres, the crack width mm, the speed of line 2 km/h, the noise at night dB
    the load of the crane kg, the upload size MB, the response time ms, the power of the pump W
    the shelf life days, the depth of the well m, the humidity %, the cold start s
    """)
)


def unit_of(draw: "Draw") -> str:
    """The unit of the gauge that this text is about."""
    return UNITS[draw.slots.get("gauge", "the cold start")]


KIND = Kind(
    name="before_after",
    prefixes=("{date}: ", "Changelog: ", "Update: ", "{weekday}, "),
    words={
        "gauge": tuple(UNITS),
        "unit": unit_of,
        "why": listed("""
        the filter was clogged, the new nurse asked for it, a sensor had drifted
        the lease was renewed, the vendor changed its terms, two machines were sold
        the road was resurfaced, the index was rebuilt, the old value was a typo
        the audit demanded it, demand was low
        """),
        "plan": listed("""
        Basic, Plus, Family, Studio, Campus, Starter, Gold, Solo, Team, Night
        """),
        "state": listed("""
        open, closed, in review, blocked, planned, paused, approved, archived, draft, rejected
        """),
        "road": listed("Mill Lane, High Street, Dock Road, Park Row, Station Road, Elm Avenue"),
        "setting": listed("""
        max_connections, pool.size, retry_limit, worker_count, cache.ttl, batch_size, log.keep_days
        queue.depth, upload.max_mb, poll_interval
        """),
    },
    types={"plan": "product", "road": "place", "setting": "identifier"},
    templates=(
        T(
            "<<gs:{^gauge} <<v:went>> <<d:from {a=num:2:900} to {b=num:2:900}{_}{unit}>>>> because"
            " <<b:{why}>>. // <<n:{person!read it} read it at {time}.>>",
            "change=work/figures",
            "unknown neutral notable",
            swap="a b",
        ),
        T(
            "<<gs:{setting!changed setting}: {a=plain:2:900} → {b=plain:2:900}>>[[ in {file!changed"
            " file}]]. // <<n:{person!made the change} <<v:raised>> <<o:no objection>> on {date}.>>",
            "setting=software/settings",
            "success neutral routine",
            swap="a b",
        ),
        T(
            "<<gs:{^gauge} is down to {b=num:10:90}{_}{unit} from {a=num:91:400}{_}{unit}>>[[ since"
            " {weekday}]]. // {person!explains it} says {why}.",
            "change=work/figures",
            "success satisfying routine",
        ),
        T(
            "{^gauge} was {a=num:10:90}{_}{unit}; <<gs:it rose to {b=num:91:400}{_}{unit}>> by"
            " {time}, since <<b:{why}>>.",
            "rise=work/figures",
            "unknown concerning routine",
            gist="{gauge} rose to {b}{_}{unit}",
            summary="{^gauge} was {a}{_}{unit}; it rose to {b}{_}{unit} by {time}.",
        ),
        T(
            "<<gs:{plan!price plan} costs {b=money:2:90} (was {a=money:2:90}) from {date}>>; {plan2}"
            " {d=money:2:90} (was {c=money:2:90}). // <<n:{company!seller} <<v:told>> <<o:all"
            " customers>> <<d:on {weekday}>>.>>",
            "prices=commerce/prices",
            "unknown neutral notable",
            swap="a b; c d",
        ),
        T(
            "{ticket!ticket}: <<gs:{state} -> {state2}>>, assignee {first!old assignee} ->"
            " {first2!new assignee}, points {a=plain:1:13} -> {b=plain:1:13}",
            "ticket change=software/tickets",
            "ongoing neutral routine",
            layout="prose",
            gist="{ticket}: {state} -> {state2}, {first} -> {first2}",
            summary="{ticket}: {state} -> {state2}, assignee {first} -> {first2}, points {a} -> {b}",
            concepts="{state}, {state2}",
            swap="state state2; first first2; a b",
        ),
        T(
            "what: {gauge}\nbefore: {a=dec:0.1:99.9}{_}{unit}\nafter: {b=dec:0.1:99.9}{_}{unit}\nby:"
            " {person!measured it}",
            "measurement=work/figures",
            layout="prose",
            gist="{gauge}: {a}{_}{unit} before, {b}{_}{unit} after",
            summary="{^gauge} by {person}: before {a}{_}{unit}, after {b}{_}{unit}.",
            swap="a b",
        ),
        T(
            "The limit on {road!road} is <<gs:now {b=plain:20:90} km/h instead of {a=plain:20:90}"
            " km/h>>. // <<n:{team!decided it} <<v:changed>> <<o:it>> because <<b:{why}>>.>>",
            "speed limit=city/traffic",
            "success neutral notable",
            gist="{road}: now {b} km/h instead of {a} km/h",
            summary="The limit on {road} is now {b} km/h instead of {a} km/h.",
            swap="a b",
        ),
        T(
            "<<gs:{drug!changed drug}: {a=plain:5:400} mg until {weekday}, {b=plain:5:400} mg"
            " since>>. // <<n:{^symptom#} {x=flip:got better/got worse}; {person!prescribed it}"
            " <<v:reviews>> <<o:the dose>> <<d:on {date}>>.>>",
            "dose=medicine/treatment",
            "success satisfying important/failure concerning important",
        ),
        T(
            "<<gs:{service!upgraded service} <<v:moved>> <<d:from {version!old version} to"
            " {version2!new version}>>>>, startup from {a=dec:0.2:9.9}{_}s to {b=dec:0.2:9.9}{_}s."
            " // {person!watched it} kept {host!kept host} on {version}.",
            "upgrade=software/releases",
            "success neutral notable",
            swap="version version2; a b",
        ),
        T(
            "renamed: <<gs:{file!old name} => {file2!new name}>>, {a=plain:2:900} lines ->"
            " {b=plain:2:900} lines",
            "rename=software/version history",
            layout="prose",
            gist="{file} => {file2}",
            summary="{file} => {file2}, {a} lines -> {b} lines.",
            concepts="lines",
            swap="file file2; a b",
        ),
        T(
            "<<gs:{person!new holder} takes over from {person2!old holder} as head of {team!team}>>"
            " on {date}. // <<n:Budget: {b=money:1000:90000}, previously {a=money:1000:90000}.>>",
            "succession=work/people",
            "unknown neutral notable",
            swap="person person2; a b",
        ),
        T(
            "{^gauge}: {a=dec:1.1:40.0} at {time}, then {b=dec:1.1:40.0} at {time2}, then"
            " <<gs:back to {a}>> after {span}.",
            "readings=work/figures",
            layout="prose",
            gist="{gauge}: {a}, then {b}, then back to {a}",
            summary="{^gauge}: {a} at {time}, then {b} at {time2}, then back to {a} after {span}.",
            swap="a b",
        ),
        T(
            "<<gs:{company!firm} {x=flip:grew/shrank} by {n=plain:2:60} people, to"
            " {b=num:200:9000}>>. // <<n:{^city!old seat} was the seat before; now it is {city2!new"
            " seat}, because <<b:{why}>>.>>",
            "staff=business/people",
            "success satisfying notable/failure concerning notable",
            swap="city city2",
        ),
    ),
)
