"""Music: rehearsals, concerts, recordings, instruments."""

from spokesmith.data.kinds.family import Kind, T

KIND = Kind(
    name="music",
    prefixes=("Rehearsal log {date}: ", "Band chat: ", "Review: ", "Programme note. "),
    words={
        "work": (
            "Sonata No. {n=plain:2:32}",
            "String Quartet No. {n=plain:2:15}",
            "the slow movement",
            "Nocturne Op. {n=plain:9:90}",
            "the overture",
            "Symphony No. {n=plain:2:9}",
            "the wedding march",
            "Blue Lantern",
            "Winter Tram",
            "the fugue",
            "Song of the Ferry",
            "Étude Op. {n=plain:10:40}",
            "Salt and Honey",
            "the tango",
            "the third verse",
        ),
        "key": (
            "D minor",
            "G major",
            "E flat",
            "A minor",
            "C sharp minor",
            "F major",
            "B flat major",
            "7/8 time",
        ),
        "flaw": (
            "the {instrument} was flat",
            "the tempo dragged",
            "the hall echoed",
            "a string broke",
            "the choir came in late",
            "the microphone hummed at {n=plain:50:60} Hz",
            "page {n=plain:2:40} was missing",
            "the pedal squeaked",
        ),
        "damage": (
            "a cracked neck",
            "a loose key",
            "a torn pad",
            "a bent valve",
            "a worn bow",
            "two dead notes",
        ),
        "quality": (
            "warm",
            "crisp",
            "too loud",
            "uneven",
            "thrilling",
            "thin",
            "well balanced",
            "restless",
        ),
    },
    types={"work": "product"},
    templates=(
        T(
            "<<gs:{person!soloist} <<v:played>> <<o:{work#!played piece}>> <<d:on the"
            " {instrument#}>>>> in {city!place of the concert}[[ on {date}]]. // <<n:The sound was"
            " {quality}, though {flaw}.>>",
            "concert=music/performance",
            "success satisfying routine",
        ),
        T(
            "Rehearsal: <<gs:{work#!rehearsed} in {key}, {n=plain:60:180} bpm>>. // {^flaw}. //"
            " <<n:{person!conductor} {x=flip:wants/does not want} repeats from bar"
            " {m=plain:8:240}.>>",
            "rehearsal=music/practice",
            "ongoing neutral routine",
            narrative="{person} {x} repeats from bar {m}.",
        ),
        T(
            "<<gs:We <<v:recorded>> <<o:{n=plain:2:30} takes>> <<d:of {work#!recorded piece}>>>>."
            " // Take {a=plain:1:15} is {quality}, take {b=plain:16:30} is {quality2}. //"
            " <<n:{person!producer} mixes it by {date}.>>",
            "recording=music/studio",
            "ongoing neutral routine",
            swap="a b",
        ),
        T(
            "Tuning: <<gs:A at {a=plain:430:446} Hz instead of {b=plain:430:446} Hz>>, because"
            " <<b:{flaw}>>. // The {instrument#} needs new strings ({m=money:10:200}).",
            "tuning=music/instruments",
            "unknown neutral routine",
            swap="a b",
        ),
        T(
            "<<gs:{person!teacher} <<v:taught>> <<o:{person2!pupil}>> <<d:the {instrument#}>>>> for"
            " {n=plain:2:20} years. // <<n:In {y=plain:1890:2024} they {x=flip:performed/cancelled}"
            " {work!piece} together.>>",
            "teaching=music/history",
            "unknown neutral routine",
            swap="person person2",
        ),
        T(
            "setlist\n1 {work!song}\n2 {work2!song}\n3 {work3!song}\nencore:"
            " <<g:{work4=work!encore}>>\n({time}, {city!place})",
            "setlist=music/performance",
            gist="setlist with encore {work4}",
            summary="{work}, {work2} and {work3}, encore {work4}, at {time} in {city}.",
        ),
        T(
            "{x=flip:Loved/Hated} the new album by {person!artist}: <<gs:{n=plain:8:16} songs,"
            " {quality} and {quality2}>>. // {^work#!best song} has the best {instrument#} solo.",
            "album review=music/review",
            "unknown exciting routine/unknown frustrating routine",
        ),
        T(
            "<<gs:Ticket sale for {work#!on the programme} opens at {time}>>, {a=money:10:90}"
            " stalls, {b=money:5:60} balcony. // <<n:{x=flip:Sold out/Half empty} after {span}.>>",
            "ticket sale=music/event",
            "success exciting routine/ongoing concerning routine",
            swap="a b",
        ),
        T(
            "practice diary: {n=plain:10:120} min scales in {key}, <<gs:{work#!practised} at"
            " {a=plain:40:90} bpm, goal {b=plain:91:160}>>. // left hand {x=flip:better/worse}",
            "practice=music/practice",
            "ongoing satisfying routine/ongoing frustrating routine",
        ),
        T(
            "The {instrument#} has {damage}. // <<gs:{company!repairs it} <<v:repairs>> <<o:it>>"
            " for {m=money:30:900}>>; ready by {date}. // <<n:{person!owner} plays a borrowed"
            " {instrument2} until then.>>",
            "instrument repair=music/instruments",
            "ongoing neutral routine",
        ),
    ),
)
