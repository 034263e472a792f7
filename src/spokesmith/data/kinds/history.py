"""History: made-up events of made-up people, told as chronicles tell them."""

from spokesmith.data.kinds.family import Kind, T

KIND = Kind(
    name="history",
    prefixes=(
        "Local history: ",
        "From the archive: ",
        "Chapter {k=plain:2:30}. ",
        "Museum label: ",
    ),
    words={
        "thing": (
            "the stone bridge",
            "the salt road",
            "the first printing house",
            "the old lighthouse",
            "the grain store",
            "the canal",
            "the cathedral roof",
            "the tram line",
            "the city wall",
            "the silk mill",
            "the observatory",
            "the harbour chain",
        ),
        "calamity": (
            "a flood",
            "a fire",
            "the plague",
            "a failed harvest",
            "a long siege",
            "an earthquake",
            "a bank crash",
            "a strike",
            "a hard winter",
            "a storm surge",
        ),
        "office": (
            "mayor",
            "abbess",
            "governor",
            "harbour master",
            "guild leader",
            "bishop",
            "envoy",
            "librarian",
        ),
        "century": ("12th", "13th", "14th", "15th", "16th", "17th", "18th", "19th"),
    },
    types={"thing": "place", "calamity": "event"},
    templates=(
        T(
            "<<gs:In {a=plain:1102:1899} {fullname!builder} <<v:built>> <<o:{thing#!built}>> <<d:in"
            " {city!place}>>>>. // <<n:{^calamity#} {x=flip:destroyed/spared} it in"
            " {b=plain:1900:1960}.>>",
            "building=history/architecture",
            "failure neutral notable/success neutral notable",
        ),
        T(
            "<<gs:{fullname!successor} <<v:succeeded>> <<o:{fullname2!predecessor}>> <<d:as"
            " {office#} of {city!city}>>>> in {a=plain:1102:1899}. // <<n:The reason was"
            " {calamity#}, which <<e:cost {n=num:90:9000} lives>>.>>",
            "succession=history/politics",
            "unknown neutral notable",
            swap="fullname fullname2",
        ),
        T(
            "{^thing#!described} dates from the {century} century; <<gs:its {n=plain:3:40} arches"
            " span {m=dec:9.5:190.5} m>>. // Repairs of {a=plain:1901:1990} cost {c=num:900:90000}"
            " crowns.",
            "monument=history/architecture",
        ),
        T(
            "Because of <<b:{calamity#}>>, <<gs:{n=num:200:90000} people <<v:left>> <<o:{city!left"
            " city}>>>> for {city2!where they went} between {a=plain:1500:1700} and"
            " {b=plain:1701:1899}. // <<n:Only {k=plain:2:30} families {x=flip:came"
            " back/stayed}.>>",
            "migration=history/population",
            "unknown concerning notable",
            swap="city city2",
        ),
        T(
            "The treaty of {a=plain:1300:1899} between {city!signatory} and {city2!signatory}"
            " <<gs:{x=flip:ended/did not end} the quarrel over {thing#!quarrelled over}>>. //"
            " <<n:{fullname!negotiator} <<v:signed>> <<o:it>>[[ after {n=plain:2:40} days of"
            " talks]].>>",
            "treaty=history/diplomacy",
            "success neutral notable/failure neutral notable",
        ),
        T(
            "{a=plain:1201:1399} {thing} begun\n{b=plain:1400:1599} {calamity}\n{c=plain:1600:1799}"
            " <<g:{thing} {x=flip:rebuilt/torn down}>>\n{d=plain:1800:1950} {fullname!wrote its"
            " history} writes its history",
            "timeline=history/chronicle",
            gist="{thing} {x}",
            summary="{^thing} was begun in {a} and {x} in {c}.",
            concepts="{thing}",
        ),
        T(
            "<<gs:{fullname!inventor}, born {a=plain:1450:1850} in {city!birthplace},"
            " <<v:invented>> <<o:a {noun#}>>>> that ran for {n=plain:2:90} years. //"
            " <<n:{fullname2!rival} {x=flip:copied/praised} it in {country!country of the"
            " rival}.>>",
            "invention=history/technology",
            "success neutral notable",
            swap="fullname fullname2",
        ),
        T(
            'Letter, {a=plain:1600:1899}: "<<gs:{calamity} has reached us; send {n=plain:2:90}'
            ' {things}>>." // It is signed by {fullname!signed} and was found in {thing#!where it'
            " was found}.",
            "letter=history/sources",
            "unknown concerning routine",
        ),
        T(
            "Tax roll of {city!taxed city}, {a=plain:1300:1799}: <<gs:{b=num:90:900} households,"
            " {c=num:900:9000} sheep>>[[, {d=plain:2:40} mills]]. // <<n:In {e=plain:1800:1899}"
            " there were {f=num:90:900} households.>>",
            "tax roll=history/economy",
            swap="b f",
        ),
        T(
            "<<gs:{fullname!defeated} <<v:lost>> <<o:the <<k:vote>>>> <<d:to"
            " {fullname2!elected}>>>> by {a=plain:2:90} ballots in {y=plain:1850:1990}. //"
            " <<n:{^calamity#} {x=flip:had/had not} been the main issue.>>",
            "election=history/politics",
            "unknown neutral notable",
            swap="fullname fullname2",
        ),
    ),
)
