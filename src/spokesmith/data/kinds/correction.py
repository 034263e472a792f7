"""Texts that correct themselves on the way: the later word holds."""

from spokesmith.data.kinds.family import Kind, T

KIND = Kind(
    name="correction",
    prefixes=("{date}: ", "[{time}] ", "Voice memo: "),
    words={
        "turn": (
            "actually,",
            "no wait,",
            "correction:",
            "sorry,",
            "scratch that,",
            "I mean",
            "rather,",
            "hold on,",
        ),
        "event": (
            "the review",
            "the concert",
            "the dentist",
            "the delivery",
            "the exam",
            "the interview",
            "the hike",
            "the bus to {city}",
            "the parents' evening",
            "the flight to {city}",
            "the release of {project}",
        ),
        "when": (
            "at noon",
            "before bed",
            "after meals",
            "in the morning",
            "every {n=plain:4:12} h",
        ),
        "culprit": (
            "the cache",
            "the firewall",
            "the old fuse",
            "a loose cable",
            "the DNS entry",
            "the timer",
            "the pump",
        ),
    },
    templates=(
        T(
            "{^event#} is on {weekday}, {turn} <<gs:not {weekday} but {weekday2}>>[[ at {time}]].",
            "schedule=planning/correction",
            "unknown neutral routine",
            gist="{event} is on {weekday2}, not {weekday}",
            summary="{^event} is on {weekday2}, not {weekday}.",
            swap="weekday weekday2",
            layout="prose",
        ),
        T(
            "{person!first named} <<v:paid>> <<o:{a=money:20:900}>> for the {noun#}. // {^turn} it"
            " was {person2!paid}, not {person}.",
            "payment=money/correction",
            "unknown neutral routine",
            gist="{person2}, not {person}, paid {a} for the {noun}",
            summary="It was {person2}, not {person}, who paid {a} for the {noun}.",
            swap="person person2",
        ),
        T(
            "The cause was {culprit}... {turn} <<gs:it was {culprit2#}, not {culprit}>>. //"
            " <<n:{service!was down} was down for {span}, {person!found it} found it at {time}.>>",
            "root cause=software/correction",
            "success neutral notable",
            swap="culprit culprit2",
        ),
        T(
            "Total: {a=money:100:9000}. // {^turn} <<gs:the total is {b=money:100:9000}>>, because"
            " <<b:the {noun#} was {x=flip:left out/counted twice}>>.",
            "invoice=money/correction",
            "unknown neutral notable",
            gist="the total is {b}, not {a}",
            summary="The total is {b}, not {a}, because the {noun} was {x}.",
            swap="a b",
        ),
        T(
            "bring {n=plain:2:20} {things}, {turn} <<g:{m=plain:2:20} {things}>>, to {city!meeting"
            " place} by {time}",
            "errand=home life/correction",
            "ongoing neutral routine",
            gist="bring {m} {things} to {city} by {time}",
            summary="Bring {m} {things}, not {n}, to {city} by {time}.",
            swap="n m",
            layout="prose",
            concepts="{things}",
        ),
        T(
            "Earlier I wrote that {service!in question} runs {version!wrong version}. // <<gs:It"
            " actually runs {version2!right version}, not {version}>>; checked on {host!checked"
            " machine}.",
            "version=software/correction",
            "unknown neutral routine",
            gist="{service} runs {version2}, not {version}",
            summary="{service} runs {version2}, not {version}, as checked on {host}.",
            swap="version version2",
        ),
        T(
            "CORRECTION ({date}): the {club!one side} match {x=flip:was/was not} cancelled. // An"
            " earlier note said it {y=flip:was not/was}. // <<n:{person!wrote the note}"
            " <<v:apologises>>.>>",
            "correction=sports/news",
            "unknown neutral routine",
            gist="the {club} match {x} cancelled",
            summary="The {club} match {x} cancelled; an earlier note said it {y}.",
        ),
        T(
            "Give {a=plain:5:400} mg of {drug!prescribed} — {turn} {b=plain:5:400} mg, not {a} —"
            " {when}.",
            "dose=medicine/correction",
            "unknown concerning important",
            gist="{b} mg of {drug}, not {a} mg",
            summary="Give {b} mg of {drug}, not {a}, {when}.",
            swap="a b",
            layout="prose",
        ),
        T(
            "meeting point: {city!first place}. edit: <<gs:not {city}, {city2!right place}>>. //"
            " edit 2: {time} instead of {time2}. // {first!drives} drives",
            "meeting point=travel/correction",
            "ongoing neutral routine",
            gist="meeting point: {city2}, not {city}",
            summary="The meeting point is {city2}, not {city}, at {time} instead of {time2}.",
            swap="city city2; time time2",
        ),
        T(
            '{person!speaker}: "We sold {a=num:100:9000} {things#}, {turn} {b=num:100:9000}."[[ // The {team!will check}'
            " will check.]]",
            "sales=business/correction",
            "unknown neutral routine",
            gist="We sold {b} {things}, not {a}",
            summary="{person}: we sold {b} {things}, not {a}.",
            swap="a b",
        ),
        T(
            "I {x=flip:thought/feared} {ingredient} goes into {dish#!dish}; {turn} <<gs:it takes"
            " {ingredient2#} and no {ingredient}>>.[[ // {first!told me} told me.]]",
            "ingredient=cooking/correction",
            "unknown neutral routine",
            gist="{dish} takes {ingredient2} and no {ingredient}",
            summary="{^dish} takes {ingredient2} and no {ingredient}.",
            swap="ingredient ingredient2",
        ),
        T(
            "the patch in {file!wrong file}, {turn} in {file2!right file}, {x=flip:works/fails}. //"
            " {ticket!ticket} {y=flip:can be closed/stays open}",
            "patch=software/correction",
            "success neutral notable/failure frustrating notable",
            gist="the patch in {file2} {x}",
            summary="The patch in {file2}, not in {file}, {x}; {ticket} {y}.",
            swap="file file2",
        ),
    ),
)
