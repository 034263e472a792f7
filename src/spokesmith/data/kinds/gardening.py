"""Gardening: sowing, pests, harvests, weather in the garden."""

from spokesmith.data.kinds.family import Kind, T

KIND = Kind(
    name="gardening",
    prefixes=("Garden diary {date}: ", "Allotment {k=plain:1:90}: ", "Plot notes. "),
    words={
        "pest": (
            "slugs",
            "aphids",
            "late frost",
            "blight",
            "mildew",
            "carrot fly",
            "pigeons",
            "vine weevil",
            "a hailstorm",
        ),
        "care": (
            "netting",
            "copper tape",
            "nettle tea",
            "a mulch of straw",
            "{n=plain:2:30} litres of compost",
            "bone meal",
            "pruning",
            "a cold frame",
            "watering at {time}",
            "neem oil",
            "companion planting",
            "wood ash",
        ),
        "spot": (
            "the north bed",
            "the greenhouse",
            "bed {n=plain:1:12}",
            "the balcony",
            "the raised bed",
            "the south wall",
        ),
        "yield": (
            "{n=dec:0.4:19.9} kg",
            "{n=plain:2:90} pods",
            "{n=plain:3:60} heads",
            "two buckets",
            "a handful",
            "{n=plain:4:40} jars",
        ),
    },
    types={"spot": "place"},
    templates=(
        T(
            "<<gs:<<v:Sowed>> <<o:{plant#}>> <<d:in {spot!where they were sown}>>>> on {date},"
            " {n=plain:1:12} cm deep, {m=plain:5:80} cm apart. // <<n:First shoots"
            " {x=flip:showed/did not show} after {k=plain:4:30} days.>>",
            "sowing=gardening/sowing",
            "ongoing satisfying routine/ongoing concerning routine",
        ),
        T(
            "<<gs:{^pest#} <<v:damaged>> <<o:{plant#}>> <<d:in {spot!damaged bed}>>>>; {n=pct:5:95}"
            " lost. // <<n:{person!gardener} tried {care#}, with {x=flip:success/no success}.>>",
            "pests=gardening/pests",
            "success neutral routine/failure frustrating notable",
        ),
        T(
            "Harvest: <<gs:{yield} of {plant#}, {yield2} of {plant2#}>>[[, the {x=flip:best/worst}"
            " since {y=plain:2001:2024}]].",
            "harvest=gardening/harvest",
            "success satisfying routine",
            swap="yield yield2",
        ),
        T(
            "<<gs:<<v:Move>> <<o:{plant#}>> from {spot!old bed} to {spot2!new bed}>> before"
            " {month}, <<t:to protect them from {pest}>>. // Add {care#}.",
            "planning=gardening/layout",
            "ongoing neutral routine",
            swap="spot spot2",
        ),
        T(
            "{a=plain:-6:12}°C at night, {b=plain:13:36}°C by day, {r=plain:0:40} mm rain //"
            " <<gs:{plant#} {x=flip:are fine/look limp}>>, {plant2} covered with fleece",
            "weather=gardening/weather",
            "unknown neutral routine/unknown concerning routine",
            layout="prose",
        ),
        T(
            "{person!gave advice} says: <<gs:{care#} {x=flip:helps/does not help} against"
            " {pest#}>>. // <<n:{person2!tried it} <<v:used>> <<o:{care2}>> in {spot!bed} and lost"
            " {n=plain:0:30} plants.>>",
            "advice=gardening/pests",
            "unknown neutral routine",
            swap="person person2",
        ),
        T(
            "Week {n=plain:2:52}\n- {plant}: {a=dec:2.1:90.9} cm\n- {plant2}: {b=dec:2.1:90.9}"
            " cm\n- to do: <<g:{care}>> in {spot!where it is needed}",
            "growth log=gardening/growth",
            gist="{plant} {a} cm, {plant2} {b} cm",
            summary="{^plant} {a} cm and {plant2} {b} cm in week {n}.",
            swap="a b",
            concepts="{plant}, {plant2}",
        ),
        T(
            "Swapped {n=plain:2:20} seedlings with {person!swapped with}: <<gs:gave {plant#}, got"
            " {plant2#}>>. // <<n:Planted out on {date} with {care}.>>",
            "seed swap=gardening/community",
            "success satisfying routine",
            swap="plant plant2",
        ),
        T(
            "<<gs:{company!ran the test} <<v:tested>> <<o:the soil>> of {spot!tested bed}>>: pH"
            " {a=dec:4.9:8.1}, before liming {b=dec:4.1:4.8}. // <<n:{^plant#} {x=flip:can/cannot}"
            " grow there.>>",
            "soil test=gardening/soil",
            "unknown neutral routine",
        ),
        T(
            "Pruned {plant#} because <<b:{pest} got into the wood>>. // <<gs:Cut back to"
            " {n=plain:10:90} cm>>. // <<n:Next cut in {month}; {first!owns the saw} has the"
            " saw.>>",
            "pruning=gardening/care",
            "success neutral routine",
        ),
    ),
)
