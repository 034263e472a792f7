"""Travel: trains, flights, hotels, routes, delays."""

from spokesmith.data.kinds.family import Kind, T

KIND = Kind(
    name="travel",
    prefixes=("Trip notes: ", "{date}: ", "Itinerary. ", "Postcard: ", "Booking info: "),
    words={
        "vehicle": (
            "flight {airline}{n=plain:100:9999}",
            "the {time2} train",
            "bus {n=plain:2:90}",
            "the night ferry",
            "the sleeper",
            "train IC {n=plain:100:999}",
            "the airport shuttle",
            "a rental car",
        ),
        "airline": ("LX", "TP", "KQ", "ET", "AZ", "OS", "NH", "LO", "AV", "FI"),
        "opinion": (
            "far too crowded",
            "quiet and cheap",
            "best at dusk",
            "not for small children",
            "sunny all week",
            "rain since {weekday}",
            "the food is superb",
            "friendly people",
            "long queues",
            "{n=plain:2:90} stairs and no lift",
        ),
        "sight": (
            "the old harbour",
            "the fish market",
            "the cable car",
            "the botanical garden",
            "the salt museum",
            "the clock tower",
            "the ruins",
            "the night bazaar",
            "the glass bridge",
        ),
        "reason": (
            "<<k:fog>> closed the airport",
            "a <<k:tree>> fell on the track",
            "the <<k:crew>> was late",
            "of a <<k:strike>>",
            "the <<k:engine>> overheated",
            "the <<k:visa desk>> closed at {n=plain:14:18}:00",
            "the <<k:border>> was shut",
            "{n=plain:20:90} cm of <<k:snow>> fell",
        ),
        "stay": (
            "a hostel",
            "the {company} hotel",
            "a campsite",
            "a room above a bakery",
            "a guest house",
            "a cabin by the lake",
        ),
    },
    types={"sight": "place", "vehicle": "product"},
    templates=(
        T(
            "<<gs:{^vehicle} from {city!departure} to {city2!arrival} was {x=flip:on"
            " time/cancelled}>>[[ because <<b:{reason}>>]]. // <<n:{person!traveller} <<v:reached>>"
            " <<o:{city2}>> <<d:at {time}>>.>>",
            "journey=travel/transport",
            "success neutral routine/failure frustrating notable",
            swap="city city2",
        ),
        T(
            "Booked: <<gs:{n=plain:2:14} nights in {city!stay}, {a=money:20:300} a night>>. //"
            " {^stay} near {sight#!nearby sight}. // <<n:Cancel free of charge until {date}.>>",
            "booking=travel/lodging",
            "success neutral routine",
        ),
        T(
            "Day 1 {city!first stop}, {sight}\nDay 2 {city2!second stop}, {sight2}\nDay 3"
            " {city3!third stop}\nbudget: {a=money:100:900}",
            "itinerary=travel/planning",
            gist="{city}, {city2}, {city3}, budget {a}",
            summary="Day 1 {city}, day 2 {city2}, day 3 {city3}, budget {a}.",
            swap="city city2",
            concepts="itinerary, budget",
        ),
        T(
            "<<gs:{person!lost luggage} <<v:lost>> <<o:a {adjective} <<k:suitcase>>>> <<d:in"
            " {city!where it was lost}>>>>. // <<n:Claim {c=ticket!claim} says it {x=flip:was"
            " found/was not found} on {date}.>>",
            "luggage=travel/mishap",
            "success neutral routine/ongoing frustrating notable",
        ),
        T(
            "{^sight#!visited} in {city!city} is <<gs:{x=flip:worth/not worth} the {a=money:2:60}"
            " ticket>>: {opinion}. // Open {t=time} to {t2=time}.",
            "sightseeing=travel/review",
            "unknown satisfying routine/unknown frustrating routine",
            swap="t t2",
        ),
        T(
            "<<gs:Drove {n=num:60:2400} km from {city!start} to {city2!end}>> in {h=plain:2:29}"
            " hours, {f=dec:4.1:11.9} l/100 km. // <<n:Stopped in {city3!stop} because"
            " <<b:{reason}>>.>>",
            "road trip=travel/car",
            "success neutral routine",
            swap="city city2",
        ),
        T(
            "<<k:visa>> for {country!destination}: <<gs:{x=flip:granted/refused} on {date}>>, fee"
            " {a=money:20:200}. // <<n:{person!applicant} <<v:applied>> <<d:in {city!embassy}>>"
            " with {k=plain:2:9} photos.>>",
            "visa=travel/documents",
            "success satisfying important/failure frustrating important",
        ),
        T(
            "<<gs:<<v:take>> <<o:{vehicle}>> at {time}, change in {city!change}>>, <<k:platform>>"
            " {a=plain:1:24}. // {city2!arrival} by {t=time}. // {first!picks up} will pick you up",
            "directions=travel/transport",
            "ongoing neutral routine",
            swap="city city2",
        ),
        T(
            "Hi {first!recipient}, greetings from {city!place of the holiday}! //"
            " <<gs:{n=plain:14:39} °C, {opinion}>>. // Yesterday {sight#!visited}, tomorrow"
            " {sight2#!planned visit}. // Love, {first2!sender}",
            "postcard=travel/holiday",
            "unknown satisfying routine",
            swap="sight sight2",
        ),
        T(
            "Because <<b:{reason}>>, <<gs:{n=num:20:900} passengers spent the night in"
            " {city!stranded}>>. // <<n:{company!carrier} <<v:paid>> <<o:{a=money:50:400}>> each"
            " and {x=flip:apologised/gave no reason}.>>",
            "stranded=travel/disruption",
            "failure frustrating notable",
        ),
    ),
)
