"""Notes of meetings: who met, what was said, who does what by when."""

from spokesmith.data.kinds.family import Kind, T

KIND = Kind(
    name="meeting_note",
    prefixes=("Notes: ", "{date}: ", "Minutes ({time})\n", "Weekly sync. "),
    words={
        "meeting": (
            "planning meeting",
            "board meeting",
            "parents' evening",
            "retrospective",
            "kick-off",
            "stand-up",
            "budget review",
            "safety briefing",
            "editorial meeting",
            "design review",
            "choir committee",
            "residents' meeting",
            "one-on-one",
            "supplier call",
            "post-mortem",
        ),
        "task": (
            "draft the {noun} budget",
            "update {file!file to update}",
            "call {company!to be called}",
            "fix the {adjective} {noun}",
            "write the report on {project!subject}",
            "order {n=plain:5:90} chairs",
            "test {service!to be tested}",
            "find a room for {n=plain:8:120} people",
            "renew the insurance",
            "collect quotes for the {noun}",
            "clean up {ticket!ticket to clean up}",
            "print {n=num:50:4000} flyers",
            "interview {n=plain:2:9} candidates",
            "prepare the demo",
            "check the fire exits",
        ),
        "point": (
            "sales in {country} rose {n=pct:2:40}",
            "the roof needs {n=money:900:30000}",
            "attendance fell to {n=plain:9:80}",
            "{project} is {n=plain:2:20} days behind",
            "churn stands at {n=pct:1:15}",
            "the heating failed {n=plain:2:9} times",
            "the logo stays blue",
            "{service} has {n=plain:3:60} open bugs",
            "the museum visit costs {n=money:4:30} a child",
            "hiring is frozen until {month}",
            "the {noun} is too small",
            "support tickets doubled",
        ),
        "why": (
            "the budget is spent",
            "{person!absent} was ill",
            "the vendor was late",
            "two quotes are missing",
            "the room was double booked",
            "no one had read the draft",
            "the numbers did not add up",
        ),
    },
    templates=(
        T(
            "{^meeting#}, {date}[[, {city!place of the meeting}]] // Present: {person!present},"
            " {person2!present}[[, {person3!present}]] // <<s:{^point}.>> // <<n:{person} will"
            " {task} by {date2=date}.>>",
            "meeting notes=work/meetings",
            "ongoing neutral notable",
            gist="{meeting}, {point}",
        ),
        T(
            "<<gs:In the {meeting#} {person!took a task} <<v:agreed>> <<o:to {task}>> by"
            " {weekday}>>. // {person2!took another task} will {task2}. // <<n:Open point:"
            " {point}.>>",
            "action items=work/meetings",
            "ongoing neutral notable",
            swap="person person2",
        ),
        T(
            "## {meeting#}\n- <<s:<<g:{point}>>>>\n- {point2}\n- action: {person!has an action} to"
            " {task}\n- action: {person2!has an action} to {task2}[[\n- next: {date} {time}]]",
            "meeting notes=work/meetings",
            "ongoing neutral notable",
            layout="prose",
            swap="person person2",
            narrative="{person} to {task}, {person2} to {task2}.",
        ),
        T(
            "<<gs:The {meeting#} was {x=flip:held/postponed} on {date}>> because <<b:{why}>>[[ and"
            " {why2}]]. // <<n:{person!chair} {y=flip:chaired/was to chair} it; {person2!wrote to"
            " all afterwards} <<v:sent>> <<o:a note>> <<d:at {time}>>.>>",
            "scheduling=work/meetings",
            "success neutral routine/ongoing neutral routine",
        ),
        T(
            '{person!spoke first}: "<<gs:{point}>>" // {person2!replied}: "{point2}" // <<n:The'
            " group {x=flip:agreed/disagreed} with {person}.>>",
            "discussion=work/meetings",
            "unknown neutral routine",
            swap="person person2",
        ),
        T(
            "{team!held the meeting} ((standup|sync)) {time}\nyesterday: {task}\ntoday:"
            " <<g:{task2}>>\nblocked: <<b:{why}>>",
            "stand-up=work/planning",
            "ongoing concerning routine",
            summary="Today: {task2}; blocked: {why}.",
            layout="prose",
        ),
        T(
            "<<gs:{company!met} and {company2!met} met in {city!place of the meeting}>>[[ on"
            " {date}]]. // {^point}. // <<n:{person!negotiator} <<v:offered>>"
            " <<o:{a=money:1000:90000}>>, {person2!negotiator} asked for {b=money:1000:90000}; they"
            " {x=flip:signed/did not sign}.>>",
            "negotiation=business/contracts",
            "success satisfying important/ongoing neutral important",
            swap="a b",
        ),
        T(
            "Vote in the {meeting#}: <<gs:{a=plain:3:60} for, {b=plain:1:59} against>>,"
            " {c=plain:1:9} abstained. // <<n:So <<e:the motion to {task}"
            " {x=flip:passed/failed}>>.>>[[ // {person!counted the votes} counted.]]",
            "vote=society/governance",
            "success neutral notable/failure neutral notable",
            summary="The motion to {task} {x}: {a} for, {b} against.",
        ),
        T(
            "met with {person!met with} re {project#!subject}: <<gs:{point}>>. // asked for"
            " {a=plain:2:20} more days, <<n:got {b=plain:1:9}>> // follow-up {date}",
            "project talk=work/planning",
            "ongoing neutral routine",
            concepts="follow-up",
        ),
        T(
            "Subject: {meeting#} on {weekday}\n\nDear all,\n<<s:<<g:please <<v:send>> <<o:your"
            " {noun#}>>>> <<d:to {person!collects them}>> before {time}.>>"
            " {^point}.\nRegards,\n{person2!sender}",
            "invitation=work/meetings",
            "ongoing neutral routine",
            layout="prose",
        ),
    ),
)
