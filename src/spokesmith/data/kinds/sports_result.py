"""Matches, races and transfers of invented clubs."""

from spokesmith.data.kinds.family import Kind, T

KIND = Kind(
    name="sports_result",
    prefixes=("{weekday}: ", "Full time! ", "Sport, {date}: ", "Result: ", "League news: "),
    words={
        "club": (
            "Harbor City",
            "Northgate United",
            "Valley Hawks",
            "Iron Bears",
            "Lake Wolves",
            "Red Harriers",
            "Coastal Kings",
            "Mountain Lynx",
            "Old Town Athletic",
            "Eastfield",
            "Westmere",
            "Granite FC",
            "Sporting Olmo",
            "Real Tejada",
            "Inter Bassano",
            "Viking Tromso",
            "FK Drava",
            "Union Kehl",
            "Thunderbirds",
            "Night Owls",
            "Blue Dolphins",
            "Pioneers",
            "Salt Lake Rowers",
            "Dynamo Sava",
            "Torpedo Vilno",
            "CD Almeja",
            "Racing Brume",
            "Olympique Serres",
            "Zalgiris Nemuno",
            "Kawasemi SC",
            "Black Stallions",
            "Desert Foxes",
            "Polar Tigers",
            "Savanna Stars",
            "Highland Rams",
            "Ajax Tern",
            "Quarry Town",
            "Mill Lane Rangers",
            "Ferry Road",
            "Ostland BK",
            "Delta Herons",
            "Port Aloe",
        ),
        "cup": (
            "the Harvest Cup",
            "the Coastal League",
            "the regional final",
            "the Winter Shield",
            "the Amber Trophy",
            "the second round",
            "the derby",
            "the Lakes Cup",
            "the semi-final",
            "the youth league",
            "the opening match",
            "the Three Rivers Cup",
            "the quarter-final",
            "the promotion play-off",
            "the Friendship Cup",
            "the veterans' league",
        ),
        "race": (
            "the river marathon",
            "the hill sprint",
            "the city half marathon",
            "the spring triathlon",
            "the 1500 m",
            "the 400 m hurdles",
            "the mountain stage",
            "the pier swim",
            "the night run",
            "the 10 km cross-country",
            "the team time trial",
            "the 50 km ski race",
            "the regatta",
            "the canal mile",
            "the forest trail race",
            "the vineyard loop",
            "the velodrome pursuit",
        ),
        "arena": (
            "Quarry Park",
            "the Olm Arena",
            "Stone Lane",
            "Harbour Stadium",
            "the Birch Dome",
            "Mill Field",
            "the Salt Hall",
            "Kestrel Park",
            "Lantern Road",
            "the Ice Barn",
            "the Old Dock Ground",
            "Poplar Court",
            "the Sunrise Pavilion",
            "Viaduct Street",
            "the Granary",
            "Beacon Hill",
        ),
        "role": (
            "keeper",
            "striker",
            "captain",
            "left back",
            "point guard",
            "playmaker",
            "sweeper",
            "defender",
            "winger",
            "substitute",
            "centre forward",
            "rookie",
        ),
        "injury": (
            "a torn hamstring",
            "a sprained ankle",
            "a broken finger",
            "a knock on the head",
            "a sore groin",
            "a bruised rib",
            "cramp",
            "a dislocated shoulder",
            "a calf strain",
            "a fractured wrist",
            "a twisted knee",
        ),
        "moment": (
            "a red card after {n=plain:12:70} minutes",
            "a missed penalty",
            "an own goal",
            "a save in the last minute",
            "heavy rain",
            "a power cut of {n=plain:4:40} minutes",
            "{n=plain:11:29} turnovers",
            "a long video review",
            "{n=plain:2:9} minutes of stoppage time",
            "a late equaliser that was ruled out",
            "a goal from {n=plain:25:45} metres",
        ),
        "weather": (
            "heavy rain",
            "a burst pipe",
            "black ice",
            "hail",
            "flooding",
            "a broken floodlight",
            "snow",
            "a storm warning",
            "a cracked goalpost",
            "thick fog",
            "a gas leak",
        ),
        "goals": ("{n=plain:3:9}", "{n=plain:4:7}"),
        "few": ("0", "1", "2"),
        "stroke": (
            "clean",
            "tense",
            "scrappy",
            "one-sided",
            "memorable",
            "goalless first-half",
            "loud",
        ),
        "finish": (
            "{h=plain:2:5}:{m=plain:10:59}:{s=plain:10:59}",
            "{m=plain:14:59}:{s=plain:10:59}",
            "{m=plain:3:58} min {s=plain:2:59} s",
        ),
        "bike": (
            "gusts of {n=plain:30:80} km/h",
            "wet cobbles",
            "heat of {n=plain:31:39}{_}°C",
            "thick fog",
            "a headwind",
            "a late start",
            "melting snow",
            "a detour at km {n=plain:3:38}",
        ),
    },
    types={"arena": "place", "cup": "event", "race": "event"},
    templates=(
        T(
            "<<gs:{club!winner} <<v:beat>> <<o:{club2!loser}>> {a=goals}-{b=few} in {cup!match"
            " played}>>. // <<n:{person!scored} scored in minute {m=plain:2:44} and"
            " {person2!scored} in minute {k=plain:46:89}.>>[[ // Attendance: {t=num:300:48000}.]]",
            "match result=sport/team games",
            "success exciting notable",
            swap="club club2",
            concepts="match",
        ),
        T(
            "<<gs:{club!home team} {x=flip:won/lost} at {arena!venue}>>, {a=goals}-{b=few} the"
            " score. // <<n:{person!coach} called it a {stroke} evening and <<v:praised>> <<o:the"
            " {role}>>.>>",
            "match report=sport/matches",
            "success exciting notable/failure frustrating notable",
            gist="{club} {x} at {arena}",
            summary="{club} {x} at {arena}, {a}-{b} the score",
        ),
        T(
            "<<gs:{fullname!winner} <<v:won>> <<o:{race!race held}>> in {finish}>>, ahead of"
            " {fullname2!behind {fullname}} and {fullname3!behind {fullname2}}. // <<n:<<b:{^bike}>> slowed the field"
            " after {k=plain:2:30} km; only {n=plain:12:390} of {m=num:400:9000} starters"
            " finished.>>",
            "race result=sport/endurance",
            "success exciting notable",
            swap="fullname fullname2",
        ),
        T(
            "{club!home team} {a=plain:0:9} : {b=plain:0:9} {club2!away team} ({cup},"
            " {arena!venue}, {date})",
            "score=sport/results",
            swap="a b",
            gist="{club} {a} : {b} {club2}",
            concepts="{cup}",
        ),
        T(
            "<<gs:<<o:{fullname!transferred player}>> <<v:moves>> <<d:from {club!old club} to"
            " {club2!new club}>>>> for {m=money:20000:900000}. // <<n:The"
            " {age=plain:18:34}-year-old {role#} signed until {y=plain:2026:2031} and"
            " {x=flip:passed/failed} the medical on {weekday}.>>",
            "transfer=sport/transfers",
            "success exciting notable/ongoing concerning notable",
            swap="club club2",
            gist="{fullname} moves from {club} to {club2}",
            summary="{fullname} moves from {club} to {club2} for {m}",
        ),
        T(
            "<<gs:{fullname!injured player} is out for {w=plain:2:14} weeks>> because"
            " of <<b:{injury#}>>. // <<n:It happened in training on {weekday};"
            " {fullname2!replacement} will <<v:take>> <<o:the place>> <<d:as {role}>> against"
            " {club!next opponent}.>>",
            "injury=sport/health",
            "ongoing concerning notable",
            swap="fullname fullname2",
        ),
        T(
            "For {k=plain:30:70} minutes nothing suggested what would follow at {arena!venue}."
            " <<s:<<g:{club!led the match} <<v:led>> <<o:{club2!trailed}>> <<d:by {a=plain:2:4}"
            " goals>>>> and controlled the middle.>> <<n:Then came {moment}, and {person!turned"
            " the match}, the {role#}, scored {c=plain:2:5} times before the whistle. {club2}"
            " {x=flip:came back to win/fell just short} in {cup!match played}, watched by"
            " {t=num:900:60000} people.>> {person2!coach} blamed <<b:{moment2}>>.",
            "comeback=sport/team games",
            "success exciting important/failure frustrating notable",
            layout="prose",
            concepts="{cup}",
        ),
        T(
            "Table after round {r=plain:3:34}:\n1. {club!leads the table} {a=plain:50:79} pts\n2."
            " {club2!in the table} {b=plain:30:49} pts\n3. {club3!in the table} {c=plain:10:29} pts",
            "league table=sport/standings",
            swap="club club2",
            gist="Table after round {r}: {club} {a} pts",
            summary="Table after round {r}: {club} {a} pts, {club2} {b} pts, {club3} {c} pts",
            layout="prose",
        ),
        T(
            "<<gs:{^cup!postponed match} at {arena!venue} is {x=flip:off/back on}>>. //"
            " <<n:Referee {person!referee} <<v:inspected>> <<o:the pitch>> <<d:at {time}>>;"
            " {weather} on {weekday} had raised doubts.>>",
            "fixture=sport/schedule",
            "failure frustrating routine/success satisfying routine",
        ),
        T(
            "what a game!! <<gs:{club!our club} {x=flip:through to/out of} {cup!competition}>>"
            " after penalties, {a=plain:3:5} to {b=plain:0:2}. <<n:{fullname!goalkeeper}"
            " {y=flip:saved three/missed the last one} and the whole {arena!venue}"
            " {z=flip:sang/went silent}>>",
            "penalty shoot-out=sport/matches",
            "success exciting notable/failure frustrating notable",
            layout="prose",
        ),
        T(
            "<<gs:New record in {race!race held}: {m=plain:28:58}:{a=plain:10:29} by"
            " {fullname!record holder}>>. // <<n:The old mark of {m}:{b=plain:30:59}, set by"
            " {fullname2!former record holder} in {y=plain:1968:2018}, had stood until"
            " {weekday}.>>",
            "record=sport/athletics",
            "success exciting important",
            swap="fullname fullname2",
        ),
        T(
            "<<gs:{club!club} {x=flip:extended the contract of/parted ways with} coach"
            " {person!coach}>>. // <<n:The board met for {span} after {k=plain:3:9}"
            " {y=flip:wins/defeats} in a row; {fullname!club president} will <<v:meet>> <<o:the"
            " press>> <<d:at {time}>>.>>",
            "coaching=sport/clubs",
            "success satisfying notable/failure concerning notable",
        ),
    ),
)
