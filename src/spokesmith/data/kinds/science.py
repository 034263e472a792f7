"""Science notes: biology, physics, astronomy, geology, maths, with made-up findings."""

from spokesmith.data.kinds.family import Kind, T

KIND = Kind(
    name="science",
    prefixes=("Field notes {date}: ", "Abstract. ", "Lecture {k=plain:1:30}: ", "Data sheet. "),
    words={
        "animal": (
            "storks",
            "otters",
            "bumblebees",
            "cave bats",
            "reed frogs",
            "puffins",
            "snow hares",
            "eels",
            "fire ants",
            "sea turtles",
            "wolves",
            "barn owls",
            "swifts",
            "salmon",
            "lynx",
            "moths",
        ),
        "habitat": (
            "the delta",
            "the upper valley",
            "the reed bed",
            "the salt marsh",
            "the oak wood",
            "the reservoir",
            "plot {n=plain:1:40}",
            "the lava field",
            "the north slope",
        ),
        "body": (
            "the comet",
            "the exoplanet {catalogue}-{n=plain:10:999}b",
            "the asteroid {n=plain:1000:99999}",
            "the nebula",
            "the pulsar",
            "the third moon",
            "the dust ring",
            "the binary star",
        ),
        "catalogue": ("KX", "TRO", "LHT", "GJ", "WQ"),
        "quantity_word": (
            "density",
            "mass",
            "period",
            "temperature",
            "brightness",
            "half-life",
            "pressure",
            "viscosity",
            "wavelength",
            "growth rate",
            "body length",
            "salinity",
            "albedo",
            "age",
        ),
        "sciunit": (
            "K",
            "kPa",
            "nm",
            "mm",
            "days",
            "km/s",
            "g/cm³",
            "mV",
            "Hz",
            "µg/L",
            "years",
            "lux",
        ),
        "cause": (
            "a warm spring",
            "less sea ice",
            "a new parasite",
            "road noise",
            "a wet winter",
            "overfishing",
            "a volcanic eruption",
            "light pollution",
            "a change of diet",
            "tidal heating",
        ),
    },
    types={"body": "place", "habitat": "place"},
    templates=(
        T(
            "<<gs:Counted {a=num:12:9000} {animal#} in {habitat!counting place}>>, {b=num:12:9000}"
            " last year. // <<n:{person!observer} suspects <<b:{cause}>>.>>",
            "count=science/ecology",
            "unknown neutral notable",
            swap="a b",
        ),
        T(
            "<<gs:The {quantity_word#} of {body!measured body} is {a=dec:0.1:900.9} ±"
            " {b=dec:0.1:9.9} {sciunit}>>, measured over {span}. // <<n:Theory predicts"
            " {c=dec:0.1:900.9}.>>",
            "measurement=science/astronomy",
            "unknown neutral routine",
            swap="a c",
        ),
        T(
            "<<gs:{^animal#} {x=flip:migrate/do not migrate} through {habitat!studied place}>>. //"
            " <<n:{person!tagged them} <<v:tagged>> <<o:{n=plain:3:90} of them>>[[ in {month}]];"
            " the farthest went {d=num:100:9000} km because of <<b:{cause}>>.>>",
            "migration=science/biology",
            "success neutral notable",
        ),
        T(
            "H0: no effect of {cause#} on {animal#}. <<gs:p = {p=dec:0.001:0.999}, n ="
            " {n=plain:8:900}>>, so <<e:H0 is {x=flip:rejected/kept}>>.",
            "statistics=science/statistics",
            "success neutral notable/unknown neutral routine",
            gist="p = {p}, n = {n}, H0 is {x}",
        ),
        T(
            "<<gs:{fullname!author} and {fullname2!author} <<v:found>> <<o:{quantity_word#} of"
            " {a=dec:0.1:90.9} {sciunit}>>>> in {habitat!sample site}[[ (Vol. {v=plain:2:90}, p."
            " {q=plain:10:990})]]. // <<n:{fullname2} {x=flip:repeated/could not repeat} it in"
            " {city!second laboratory}.>>",
            "publication=science/research",
            "success neutral notable/failure concerning notable",
        ),
        T(
            "Drill core {k=plain:1:90}: sand to {a=dec:0.5:9.9} m, clay to {b=dec:10.1:29.9} m,"
            " <<gs:granite below {c=dec:30.1:99.9} m>>. // <<n:Water at {w=dec:1.1:29.9} m.>>",
            "drill core=science/geology",
            gist="granite below {c} m",
            concepts="sand, clay, granite",
        ),
        T(
            "Let x = {a=plain:2:90} and y = {b=plain:2:90}. // <<gs:The proof {x=flip:holds/fails}"
            " for n > {n=plain:2:40}>>: step {k=plain:2:9} needs x {y=flip:even/odd}. //"
            " <<n:{person!checked it} <<v:checked>> <<o:it>> by hand.>>",
            "proof=science/mathematics",
            "success satisfying routine/failure frustrating routine",
            swap="a b",
            concepts="proof",
        ),
        T(
            "sensor"
            " {s=plain:1:90}\tt={t=dec:-20.1:39.9}\trh={r=plain:10:99}\tok={x=flip:1/0}\nsensor"
            " {s2=plain:1:90}\tt={t2=dec:-20.1:39.9}\trh={r2=plain:10:99}\tok=1",
            "sensor data=science/climate",
            gist="sensor {s} t={t}, sensor {s2} t={t2}",
            summary="sensor {s} t={t} rh={r}, sensor {s2} t={t2} rh={r2}.",
            swap="t t2",
            concepts="sensor",
        ),
        T(
            "Without {cause#}, <<gs:{animal#} would be {a=plain:2:9} times as common>>, a model by"
            " {person!modeller} says. // <<n:It ran {n=num:20:9000} scenarios and"
            " {x=flip:fits/misses} the counts.>>",
            "model=science/ecology",
            "unknown neutral routine",
        ),
    ),
)
