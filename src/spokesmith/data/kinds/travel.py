"""Travel: journeys, bookings, delays, walks, lodging, mishaps."""

from spokesmith.data.kinds.family import Kind, T
from spokesmith.data.words import listed

KIND = Kind(
    name="travel",
    prefixes=(
        "Trip log, {date}: ",
        "Day {d=plain:2:40}: ",
        "Travel note: ",
        "{weekday}: ",
        "Postcard: ",
    ),
    words={
        "carrier": listed("""
Azul Airlines, Ferrovia, Northern Ferries, SkyTern, Red Coach Lines, Alpine Rail
Island Hopper, Baltic Air, Sunbus, Meridian Airways, Coast Express, Polar Wings
TransSavanna, Lagoon Water Taxi, Desert Star Buses, Kite Air
"""),
        "lodging": listed("""
Hotel Miramar, the Blue Lantern, Casa Olmo, the Ferry Inn, Pension Adler, Riad Noor
the Harbour Hostel, Villa Cedro, the Old Mill, Ryokan Hanae, Camp Lynx, Hotel Atlas
the Station Hotel, Quinta do Vale, the Lakeside Lodge, Hut {n=plain:2:40}, Guesthouse Mira
the Tea House, Cabin {n=plain:2:40}, Fjord Hotel
"""),
        "flight": listed("""
AZ{n=plain:101:989}, ST {n=plain:1101:9890}, BA{n=plain:101:989}, KW{n=plain:101:989}
train {n=plain:101:989}, bus {n=plain:11:98}, ferry {n=plain:2:29}, IC {n=plain:101:989}
"""),
        "sight": listed("""
the salt museum, the old town, the botanical garden, the cable car, the fish market
the cathedral tower, the lava fields, the night bazaar, the castle, the canals
the rope bridge, the hot springs, the lighthouse, the mosaic hall, the sand dunes
the puppet theatre, the cave paintings, the waterfall, the tea terraces, the harbour
"""),
        "thing": listed("""
my passport, the charger, one suitcase, a red backpack, the rail pass, my glasses
the tent poles, a camera, the hiking boots, the visa copy, a blue umbrella, the adapter
"""),
        "hitch": listed("""
fog, a strike, a snowdrift, a missing crew, a signal failure, a flat tyre, high waves
a rockfall on the road, an overbooked cabin, a power cut, a cancelled connection
volcanic ash, engine trouble, a closed border, a long passport queue, a landslide
"""),
        "meal": listed("""
grilled sardines, dumplings, a bowl of ramen, flatbread with cheese, fried plantain
goat stew, pickled herring, mango ice cream, chestnut soup, rice and beans, sweet pastries
tea with salt, roast corn, octopus salad
"""),
        "feel": listed("""
windy, crowded, quiet, steep, cheap, humid, dusty, friendly, foggy, lively
"""),
        "seat": (
            "{n=plain:1:42}A",
            "{n=plain:1:42}C",
            "{n=plain:1:42}F",
            "{n=plain:10:99} in coach {m=plain:1:14}",
        ),
        "code": (
            "{a=letter}{b=letter}{n=plain:1000:9999}",
            "{a=letter}{n=plain:10:99}{b=letter}{m=plain:10:99}",
        ),
        "letter": tuple("ABCDEFGHJKLMNPQRSTUVWXYZ"),
        "distance": ("{n=plain:4:38}{_}km", "{n=dec:3.1:29.9}{_}km", "{n=plain:3:24} miles"),
        "height": ("{n=num:400:4900}{_}m",),
        "climate": ("{n=plain:2:39}{_}°C", "-{n=plain:2:19}{_}°C"),
        "opinion": listed("""
far too crowded, quiet and cheap, best at dusk, not for small children, sunny all week
rain since {weekday}, the food is superb, friendly people, long queues
{n=plain:2:90} stairs and no lift
"""),
        "reason": listed("""
<<k:fog>> closed the airport, a <<k:tree>> fell on the track, the <<k:crew>> was late
of a <<k:strike>>, the <<k:engine>> overheated
the <<k:visa desk>> closed at {n=plain:14:18}:00, the <<k:border>> was shut
{n=plain:20:90} cm of <<k:snow>> fell
"""),
        "airline": listed("""
LX, TP, KQ, ET, AZ, OS, NH, LO, AV, FI
"""),
        "other_sight": listed("""
the old harbour, the fish market, the cable car, the botanical garden, the salt museum
the clock tower, the ruins, the night bazaar, the glass bridge
"""),
        "vehicle": listed("""
flight {airline}{n=plain:100:9999}, the {time2} train, bus {n=plain:2:90}, the night ferry
the sleeper, train IC {n=plain:100:999}, the airport shuttle, a rental car
"""),
    },
    types={
        "carrier": "organization",
        "lodging": "place",
        "sight": "place",
        "flight": "identifier",
        "code": "identifier",
        "other_sight": "place",
        "vehicle": "product",
    },
    templates=(
        T(
            "<<gs:{^flight!booked connection} from {city!departure} to {city2!destination}, {date}"
            " {time}>>. // Seat {seat}, booking {code!booking code}, {m=money:20:900}. //"
            " <<n:{person!traveller} {x=flip:has checked in/has not checked in}, with"
            " {b=plain:2:5} bags of {k=plain:8:32}{_}kg.>>",
            "booking=travel/transport",
            "ongoing neutral routine",
            swap="city city2",
        ),
        T(
            "<<gs:{carrier!operator} {flight!connection} to {city!destination} {x=flip:left on"
            " time/was cancelled}>> after warnings of {hitch}. // <<n:{person!traveller}"
            " {y=flip:arrives/leaves again} at {time}[[ on {weekday}]].>>",
            "delay=travel/transport",
            "success satisfying routine/failure frustrating notable",
        ),
        T(
            "Because of <<b:{hitch}>> <<gs:we are stuck in {city!stuck here} for {k=plain:3:40}"
            " hours>>. // <<n:{carrier!carrier} <<v:put>> <<o:us>> <<d:up at {lodging!overnight"
            " stay}>>, {m=money:3:40} food voucher each, new departure {time}.>>",
            "delay=travel/transport",
            "ongoing frustrating notable",
        ),
        T(
            "<<gs:Walked {distance} from {sight!start} to {sight2!end}>>, {climate}, {feel}. //"
            " <<n:Lunch: {meal} for {m=money:3:40}. {person!fellow walker} <<v:lost>>"
            " <<o:{thing}>> <<d:on the way>> and {x=flip:found it/gave it up} {span} later.>>",
            "walk=travel/sightseeing",
            "success satisfying routine/failure frustrating routine",
            swap="sight sight2",
        ),
        T(
            "Left {thing} at {lodging!where it was left}, room {r=plain:101:780}. //"
            " <<gs:{person!finder} {x=flip:will send it to/cannot send it to} {city!home}>>,"
            " <<n:postage would be {m=money:6:60}; they <<v:keep>> <<o:it>> <<d:until {date}>>.>>",
            "lost property=travel/luggage",
            "ongoing satisfying routine/ongoing frustrating routine",
            gist="Left {thing} at {lodging}",
            summary="Left {thing} at {lodging}, room {r}; {person} {x} {city}",
        ),
        T(
            "Itinerary {month}:\n{a=plain:1:8}. {city!first stop}, {lodging!stay}\n{b=plain:9:17}."
            " {city2!second stop}, {lodging2!stay}\n{c=plain:18:27}. {city3!last stop},"
            " {sight!last sight}\nTotal: {m=money:400:6000}",
            "itinerary=travel/planning",
            "ongoing neutral routine",
            swap="city city2",
            gist="Itinerary {month}: {city}, {city2}, {city3}",
            summary="Itinerary {month}: {city}, {city2}, {city3}, total {m}",
            layout="prose",
        ),
        T(
            "We reached {city!reached} at {time}, after {h=plain:5:30} hours on {flight!night"
            " journey} and {k=plain:2:5} changes. <<n:<<s:{person!host} <<v:met>> <<o:us>>"
            " <<d:with {meal}>> and told us that {sight!planned visit} had closed because of"
            " <<b:{hitch}>>.>> So we took the road to {sight2!visited instead}, {distance} uphill"
            " to {height}, at {climate}.>> The place was {feel} and {feel2}, and the {x=flip:view"
            " made up for everything/view was not worth it}. Back at {lodging!stay} the bill came"
            " to {m=money:30:600} for {n=plain:2:6} nights.",
            "travel diary=travel/diary",
            "success satisfying notable/failure frustrating routine",
            gist="reached {city} after {h} hours on {flight}",
            layout="prose",
        ),
        T(
            "<<gs:{lodging!guesthouse} in {city!place} {x=flip:is worth it/is not worth it}>>:"
            " {m=money:20:300} a night, {feel}, {k=plain:2:40} minutes to {sight!near}. //"
            " <<n:{person!guest} <<v:stayed>> <<o:{d=plain:2:12} nights>> and would"
            " {y=flip:gladly/never} return.>>",
            "hotel review=travel/lodging",
            "success satisfying routine/failure frustrating routine",
        ),
        T(
            "((tip:|fyi|heads-up:)) <<gs:buy tickets for {sight!attraction} {x=flip:online/at the"
            " door}>>, {m=money:4:60} instead of {m2=money:4:60}. // <<n:queue was {span} at"
            " {time}; {person!told me} <<v:says>> <<o:{weekday}>> is best>>",
            "advice=travel/sightseeing",
            swap="m m2",
            concepts="tickets",
        ),
        T(
            "<<gs:{person!missed it} {x=flip:caught/missed} {flight!connection} to"
            " {city!destination}>> by {k=plain:2:19} minutes. // <<n:The next one <<v:leaves>>"
            " <<o:platform {p=plain:2:24}>> <<d:at {time}>>; {person2!waits there} is waiting at"
            " {lodging!meeting place}.>>",
            "connection=travel/transport",
            "success satisfying routine/failure frustrating routine",
        ),
        T(
            "<<gs:Visa for {country!destination}: {x=flip:granted/refused}>>, {k=plain:3:60} days"
            " after we applied. // <<n:{person!applicant} {y=flip:flies on/had planned to fly on}"
            " {date} with {carrier!carrier}, which cost {m=money:90:900}. The embassy in"
            " {city!embassy} <<v:keeps>> <<o:the copies>> <<d:for {w=plain:2:12} weeks>>.>>",
            "visa=travel/documents",
            "success satisfying important/failure frustrating important",
        ),
        T(
            "<<gs:Rented a car in {city!pick-up}, return in {city2!drop-off}>>: {m=money:90:900}"
            " for {d=plain:3:20} days. // <<n:The tank was {x=flip:full/empty}, and"
            " {person!driver} <<v:noted>> <<o:{k=plain:2:7} scratches>> <<d:at {time}>>.>>",
            "car rental=travel/transport",
            "ongoing neutral routine/ongoing frustrating routine",
            swap="city city2",
        ),
        T(
            "<<gs:{person!lost luggage} <<v:lost>> <<o:a {adjective} <<k:suitcase>>>> <<d:in"
            " {city!where it was lost}>>>>. // <<n:Claim {c=ticket!claim} says it {x=flip:was"
            " found/was not found} on {date}.>>",
            "luggage=travel/mishap",
            "success neutral routine/ongoing frustrating notable",
        ),
        T(
            "{^other_sight#!visited} in {city!city} is <<gs:{x=flip:worth/not worth} the {a=money:2:60}"
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
            "<<gs:<<v:take>> <<o:{vehicle}>> at {time}, change in {city!change}>>, <<k:platform>>"
            " {a=plain:1:24}. // {city2!arrival} by {t=time}. // {first!picks up} will pick you up",
            "directions=travel/transport",
            "ongoing neutral routine",
            swap="city city2",
        ),
        T(
            "Hi {first!recipient}, greetings from {city!place of the holiday}! //"
            " <<gs:{n=plain:14:39} °C, {opinion}>>. // Yesterday {other_sight#!visited}, tomorrow"
            " {other_sight2#!planned visit}. // Love, {first2!sender}",
            "postcard=travel/holiday",
            "unknown satisfying routine",
            swap="other_sight other_sight2",
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
