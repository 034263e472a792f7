"""Home life: repairs, children, pets, moving, neighbours."""

from spokesmith.data.kinds.family import Kind, T

KIND = Kind(
    name="home_life",
    prefixes=("Diary, {date}: ", "Note on the fridge: ", "Family chat: ", "{weekday}: "),
    words={
        "appliance": (
            "dishwasher",
            "boiler",
            "washing machine",
            "fridge",
            "doorbell",
            "shower",
            "radiator",
            "smoke alarm",
            "oven",
            "gate motor",
            "garage door",
            "coffee machine",
            "ceiling fan",
            "hob",
            "thermostat",
        ),
        "fault": (
            "leaks",
            "makes a grinding noise",
            "shows error E{n=plain:1:90}",
            "trips the fuse",
            "stays cold",
            "smells of rubber",
            "beeps every {n=plain:2:60} seconds",
            "stops after {n=plain:2:40} minutes",
            "will not start",
        ),
        "pet": (
            "the cat",
            "the dog",
            "our parrot",
            "the tortoise",
            "the rabbit",
            "the neighbour's cat",
            "the goldfish",
        ),
        "noisy": (
            "neighbours",
            "gulls",
            "pipes",
            "foxes",
            "students upstairs",
            "church bells",
            "trams",
        ),
        "event": (
            "swimming lesson",
            "school play",
            "dentist visit",
            "birthday party",
            "house move",
            "piano lesson",
            "vaccination",
            "flea market",
            "parents' evening",
            "cycling test",
        ),
        "why": (
            "the filter was full",
            "a hose had cracked",
            "the battery was flat",
            "{pet} chewed the cable",
            "the water is hard",
            "it was {n=plain:9:28} years old",
            "mice got in",
            "the fuse was too small",
        ),
    },
    templates=(
        T(
            "<<gs:The {appliance#} {fault}>>[[ since {weekday}]]. // <<n:{person!repairs it}"
            " <<v:came>> at {time} and <<v:found>> <<o:the cause>>: <<b:{why}>>. The bill was"
            " {m=money:30:500}.>>",
            "repair=home life/repairs",
            "success neutral routine",
        ),
        T(
            "<<gs:{appliance#} {x=flip:fixed/still broken}>>, {why}. // cost {a=money:10:400}, a"
            " new one is {b=money:90:900}. // {first!decides} {y=flip:is happy/wants to sell it}",
            "repair=home life/repairs",
            "success satisfying routine/failure frustrating routine",
            gist="{appliance} {x}, {why}",
        ),
        T(
            "<<gs:{first!child} has a {event#} on {date} at {time}>>. // {person!drives there}"
            " <<v:drives>>, {person2!picks up} picks up. // <<n:Bring a {adjective} {noun}.>>",
            "appointment=home life/family",
            "ongoing neutral routine",
            swap="person person2",
        ),
        T(
            "{^pet#} weighs <<gs:{a=dec:0.4:39.9} kg, {b=dec:0.4:39.9} kg in {month}>>. // <<n:The"
            " vet, {person!vet}, <<v:prescribed>> <<o:{n=plain:10:90} g>> of food a day.>>",
            "pet care=home life/pets",
            "unknown neutral routine",
            swap="a b",
        ),
        T(
            "Dear neighbours, <<gs:on {date} we {x=flip:drill/do not drill} from {time} to"
            " {t=time}>>. // <<n:It is the last wall; sorry for the noise.>> {person!signed}, flat"
            " {n=plain:1:90}",
            "notice=home life/neighbours",
            "ongoing neutral routine",
            layout="prose",
        ),
        T(
            "[ ] {noun}\n[x] {noun2}\n[ ] {event} {time}\n[{x=flip:x/ }] {appliance}"
            " filter\n<<g:{first!in charge} does the rest>>",
            "chores=home life/planning",
            "ongoing neutral routine",
            summary="{first} does the rest: {noun}, {event} {time}.",
            concepts="{event}",
        ),
        T(
            "Moved from {city!old home} to {city2!new home}: <<gs:{n=plain:12:120} boxes,"
            " {m=money:300:4000}>>. // <<n:The {appliance#} {x=flip:survived/did not survive};"
            " {person!helped} helped for {h=plain:2:12} hours.>>",
            "moving=home life/moving",
            "success neutral notable",
            swap="city city2",
        ),
        T(
            "<<gs:{first!hid it} <<v:hid>> <<o:the {noun#}>> from {first2!looked for it}>> in the"
            " {appliance#}. // <<n:{first2} {x=flip:found it/gave up} after {span}.>>",
            "family story=home life/family",
            "success exciting routine/failure neutral routine",
            swap="first first2",
        ),
        T(
            "Meter reading {date}: <<gs:water {a=dec:90.1:990.9} m³, gas {b=dec:900.1:9990.9} m³>>,"
            " power {c=num:1000:90000} kWh. // Last year {d=num:1000:90000} kWh.",
            "meter reading=home life/energy",
            "unknown neutral routine",
            swap="c d",
            concepts="water, gas, power",
        ),
        T(
            "<<gs:I {x=flip:slept well/could not sleep} last night>> because <<b:the {noisy}"
            " {y=flip:were quiet/were loud}>>. // {n=plain:2:9} cups of coffee so far. //"
            " <<n:{event#} at {time}.>>",
            "diary=home life/diary",
            "unknown satisfying routine/unknown frustrating routine",
        ),
    ),
)
