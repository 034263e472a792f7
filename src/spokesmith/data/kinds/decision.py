"""Decisions: what was chosen over what, by whom and why."""

from spokesmith.data.kinds.family import Kind, T

DECIDED = "success neutral important"
OPEN = "ongoing neutral notable"

KIND = Kind(
    name="decision",
    prefixes=(
        "Decision: ",
        "ADR {k=plain:1:90}: ",
        "{date}: ",
        "Minutes, {date}. ",
        "For the record: ",
    ),
    words={
        "merit": (
            "it costs {n=money:20:900} less a month",
            "it starts in {n=num:20:900}{_}ms",
            "the licence allows resale",
            "two of us know it well",
            "it needs no separate server",
            "its files are plain text",
            "it keeps the data in {country}",
            "support ends {n=plain:2:9} years later",
            "the tests run {n=plain:2:9}x faster",
            "it handles {n=num:1000:90000} writes a second",
            "the vendor answers within a day",
            "it works offline",
            "the upgrade path is clear",
        ),
        "aim": (
            "to cut the bill by {n=pct:5:60}",
            "to halve the build time",
            "to avoid a second migration",
            "to keep patient data in house",
            "to reach {n=num:1000:90000} users by {month}",
            "to reduce support calls",
            "to free a shelf in the store room",
            "to make audits easier",
            "to meet the deadline of {date}",
            "to learn what customers want",
            "to spare the old boiler",
        ),
        "rental": (
            "a new rent",
            "a shorter lease",
            "a second room",
            "a garage",
            "a furnished flat",
            "a cellar",
        ),
        "option": (
            "monthly billing",
            "yearly billing",
            "a monorepo",
            "separate repositories",
            "remote work",
            "a shared office",
            "open source",
            "an in-house tool",
            "weekly releases",
            "paper forms",
            "solar panels",
            "a heat pump",
            "the blue tiles",
            "the oak floor",
            "a four-day week",
            "the night train",
            "the cheaper supplier",
            "a fixed price",
            "an hourly rate",
            "LED lamps",
            "the north site",
            "the harbour site",
            "gas heating",
            "two smaller vans",
            "one large truck",
        ),
    },
    templates=(
        T(
            "<<gs:{person!decided} <<v:chose>> <<o:{software#!chosen}>> <<d:over {software2!not"
            " chosen}>>>> for {project!project concerned} because <<b:{merit}>>.[[ // <<n:The"
            " switch starts on {date}.>>]]",
            "tool choice=software/architecture",
            DECIDED,
            swap="software software2",
            narrative="{person} chose {software} over {software2} because {merit}.",
        ),
        T(
            "<<gs:We {x=flip:will/will not} move {service!service concerned} to"
            " {software!candidate}>>. // <<n:{person!argued in the debate} <<v:argued>> that"
            " <<o:{merit}>>; {person2!answered} pointed to the <<k:cost>> of"
            " {c=money:900:90000}.>>",
            "architecture decision=software/architecture",
            DECIDED,
        ),
        T(
            "<<gs:After {span} of debate the {team!made the decision} <<v:picked>> <<o:{option#}>>"
            " <<d:instead of {option2#}>>>>, <<t:{aim}>>.",
            "team decision=work/planning",
            DECIDED,
            swap="option option2",
            narrative="After {span} of debate the {team} picked {option}, {aim}.",
        ),
        T(
            "Context: {option#} or {option2#}\nDecision: <<gs:{option}>>\nReason:"
            " <<b:{merit}>>\nOwner: {person!owner}\nReview on {date}",
            "decision record=work/planning",
            DECIDED,
            layout="prose",
            swap="option option2",
            summary="Decision: {option}, reason: {merit}.",
        ),
        T(
            "<<gs:{company!made the decision} {x=flip:approved/rejected} the plan for {option#}>>[["
            " on {date}]]. // <<n:{person!spoke for the plan} had proposed it <<t:{aim}>>; the vote"
            " was {a=plain:7:12} to {b=plain:0:6}.>>",
            "board vote=business/governance",
            "success satisfying important/failure neutral important",
        ),
        T(
            "No decision yet: <<gs:{option#} vs {option2#} goes back to {person!must decide}>>. //"
            " <<n:{^merit}, says {person2!gave an argument}. An answer is due by {date}.>>",
            "open question=work/planning",
            OPEN,
        ),
        T(
            "<<gs:{person!gave up the idea} <<v:dropped>> <<o:{option#}>>>> since <<b:{merit}>>"
            " does not hold any more. // <<n:{person2!takes over} <<v:takes>> over <<d:from"
            " {weekday}>>.>>",
            "changed plan=work/planning",
            "unknown neutral notable",
            narrative="{person2} takes over from {weekday}.",
            swap="person person2",
        ),
        T(
            "ok so ((final|new)) plan: <<gs:{option#} now, {option2#} later>>. // {person!agreed}"
            " agreed, {person2!objected} did not. // <<n:Budget <<v:moves>> from"
            " {a=money:1000:9000} to {b=money:1000:9000}.>>",
            "plan=work/planning",
            DECIDED,
            swap="option option2; a b",
        ),
        T(
            "RFC {n=plain:2:400} by {person!author} is <<gs:{x=flip:accepted/declined}:"
            " <<k:replace>> {software!to be replaced} with {software2!replacement} in"
            " {project!project concerned}>>. // Goal: <<t:{aim}>>.[[ // Discussion:"
            " {url!discussion}]]",
            "proposal=software/architecture",
            "success neutral important/failure neutral notable",
            swap="software software2",
        ),
        T(
            "<<gs:The landlord and {person!tenant} <<v:settled>> on <<o:{rental#}>>>> at"
            " {a=money:300:2500} a month, {b=money:20:200} {x=flip:more/less} than before. //"
            " <<n:The contract in {city!place of the flat} runs from {month} for {k=plain:6:36}"
            " months.>>",
            "rent=home/contract",
            "success neutral notable",
        ),
    ),
)
