"""News in brief: local events, politics, accidents, culture; all made up."""

from spokesmith.data.kinds.family import Kind, T

KIND = Kind(
    name="news",
    prefixes=("{paper}: ", "Breaking: ", "{date} | ", "In brief: ", "Radio news, {time}: "),
    words={
        "paper": ("The Courier", "Morning Post", "Harbour Gazette", "Evening Sun"),
        "award": (
            "Rudder Prize",
            "Lantern Award",
            "Book of the Year",
            "Golden Spade",
            "Young Chef Medal",
        ),
        "site": (
            "the town hall",
            "the harbour",
            "a school",
            "the ring road",
            "the market square",
            "a bakery",
            "the river park",
            "platform {n=plain:1:24}",
            "the swimming pool",
            "the north tower",
            "a warehouse",
        ),
        "mishap": (
            "a gas leak",
            "a burst pipe",
            "a power cut",
            "a small fire",
            "thick fog",
            "a bomb from the war",
            "a fallen tree",
            "a lorry without brakes",
            "a flock of geese",
            "a software fault",
        ),
        "project_word": (
            "a tram line",
            "a footbridge",
            "{n=plain:20:900} flats",
            "a cycle path",
            "a library",
            "a wind farm",
            "a flood wall",
            "a night market",
            "a clinic",
            "{n=plain:2:30} playgrounds",
        ),
        "group": (
            "residents",
            "taxi drivers",
            "nurses",
            "farmers",
            "students",
            "fishers",
            "teachers",
            "tenants",
        ),
        "demand": (
            "higher pay",
            "lower rents",
            "a speed limit of {n=plain:20:50} km/h",
            "clean water",
            "a new bus route",
            "more staff",
            "cheaper tickets",
            "longer opening hours",
        ),
    },
    templates=(
        T(
            "<<gs:{^mishap#} <<v:closed>> <<o:{site}>> <<d:in {city!place}>>>> on {weekday}. //"
            " <<n:{n=num:20:900} people had to leave; {x=flip:nobody/one man} was hurt, said"
            " {person!spokesperson}.>>",
            "accident=news/local",
            "unknown concerning notable",
        ),
        T(
            "<<gs:{city!city} will <<v:build>> <<o:{project_word#}>>>> for {a=dec:1.1:90.9} million"
            " euros. // <<n:The council voted {x=flip:for/against} a delay; work starts in"
            " {month}.>>[[ // {person!mayor} called it overdue.]]",
            "building=news/politics",
            "ongoing neutral notable",
        ),
        T(
            "<<gs:{n=num:200:90000} {group#} <<v:marched>> through {city!place of the march}>>,"
            " <<t:to demand {demand}>>. // <<n:Police {x=flip:counted/did not count} {a=plain:2:40}"
            " arrests.>>",
            "protest=news/society",
            "ongoing concerning notable",
        ),
        T(
            "<<gs:{company!employer} <<v:cuts>> <<o:{a=num:20:900} <<k:jobs>>>> in {city!loses"
            " jobs} and adds {b=num:20:900} in {city2!gains jobs}>>. // <<n:The union calls it"
            " {y=flip:fair/unfair}.>>",
            "jobs=news/business",
            "unknown concerning important",
            swap="city city2",
        ),
        T(
            "<<gs:{fullname!winner} <<v:defeated>> <<o:{fullname2!loser}>>>> in the <<k:vote>> for"
            " <<k:mayor>> of {city!city}: {a=dec:50.1:69.9} % to {b=dec:20.1:49.9} %. //"
            " <<n:Turnout {x=flip:rose/fell} to {c=dec:30.1:89.9} %.>>",
            "election=news/politics",
            "unknown neutral important",
            swap="fullname fullname2",
        ),
        T(
            "<<gs:{^site} in {city!place} {x=flip:opens/closes} on {date}>>. // <<n:<<k:Entry>>"
            " costs {a=money:2:30}, {b=money:1:20} for children.>>",
            "opening=news/culture",
            "unknown neutral routine",
        ),
        T(
            "{^group#} and {company!employer} {x=flip:agreed on/broke off talks about}"
            " <<gs:{demand}>> after {span}. // <<n:{person!speaks for the workers}"
            " <<v:{y=flip:praised/blamed}>> <<o:{person2!speaks for the firm}>>.>>",
            "talks=news/work",
            "success satisfying notable/failure frustrating notable",
            gist="{group} and {company} {x} {demand}",
        ),
        T(
            "The {plain_year=plain:2020:2027} {award#} goes to <<gs:{fullname!winner of the prize}"
            " from {country!home of the winner}>>. // <<n:{fullname2!runner-up} came second by"
            " {n=plain:1:30} points.>>",
            "award=news/culture",
            "success exciting notable",
            swap="fullname fullname2",
        ),
        T(
            "<<k:Weather warning>> for {city!warned place}: <<gs:<<k:gusts>> of {a=plain:60:160}"
            " km/h, {b=plain:20:120} mm of rain>> until {time}. // <<n:Trains to"
            " {city2!destination} {x=flip:run/do not run}.>>",
            "weather warning=news/weather",
            "ongoing concerning important",
        ),
    ),
)
