"""Chat: requests, news and complaints between people, one or more voices."""

from spokesmith.data.kinds.family import Kind, T

KIND = Kind(
    name="chat_message",
    prefixes=("[{time}] ", "{date}, {time} - ", "#general ", "DM: "),
    words={
        "opener": (
            "hey",
            "hi",
            "yo",
            "morning",
            "quick one:",
            "sorry to bother,",
            "btw",
            "ok so",
            "lol",
        ),
        "request": (
            "review {ticket!to be reviewed}",
            "send me {file!wanted file}",
            "water {plant}",
            "bring the {noun} on {weekday}",
            "book a table for {n=plain:2:12}",
            "restart {service}",
            "pick up the {noun} at {time}",
            "call {company!to be called}",
            "feed the <<k:cat>>",
            "share the <<k:slides>>",
            "rename {symbol!to be renamed}",
            "top up the <<k:parking meter>>",
            "check {host!machine to check}",
            "lend me the {adjective} {noun}",
        ),
        "news": (
            "the {noun} arrived",
            "we hit {n=num:1000:90000} users",
            "the <<k:flat>> is ours",
            "{project} got funded",
            "the <<k:baby>> weighs {n=dec:2.1:4.9}{_}kg",
            "I ran {n=dec:5.1:42.2}{_}km",
            "the <<k:visa>> came through",
            "our <<k:paper>> got in",
            "{service} survived the weekend",
        ),
        "gripe": (
            "the {noun} broke again",
            "{service} has been down for {span}",
            "my <<k:train>> is {n=plain:10:95} min late",
            "nobody answered {ticket}",
            "the <<k:wifi>> in room {n=plain:1:400} is useless",
            "they charged me {n=money:20:400} twice",
            "the <<k:meeting>> ran over by {span}",
            "the <<k:printer>> ate page {n=plain:2:90}",
        ),
        "ending": ("", " thanks!", " cheers", " no rush", " asap pls", " 🙏", " ok?", " thx"),
    },
    templates=(
        T(
            "{opener} {person!asked}, <<gs:can you {request}>> ((by|before)) {weekday}?{ending}",
            "request=communication/chat",
            "ongoing neutral routine",
            layout="prose",
        ),
        T(
            "{first!first speaker}: <<gs:{news}!>>\n{first2!replied}: wow, ((congrats|nice|great"
            " news))![[\n{first}: party on {weekday} at {time}, bring {first3!guest}]]",
            "good news=communication/chat",
            "success exciting notable",
            layout="prose",
        ),
        T(
            "ugh, <<gs:{gripe}>>.{ending}[[ // {^gripe2} too.]]",
            "complaint=communication/chat",
            "failure frustrating routine",
        ),
        T(
            "{first!asked}: who <<v:moved>> <<o:the {noun#}>>?\n{first2!moved it}: <<g:me, it is in"
            " ((room|box|drawer)) {n=plain:2:90}>>\n{first}: ok {x=flip:good/not good}",
            "question=communication/chat",
            layout="prose",
            summary="{first2} moved the {noun}.",
            swap="first first2",
        ),
        T(
            "@{first!addressed} <<gs:{x=flip:I merged/I did not merge} {ticket!pull request}>>,"
            " {y=flip:you can start/please wait} with {project!next project}.{ending}",
            "pull request=software/collaboration",
            "success neutral routine/ongoing neutral routine",
            layout="prose",
        ),
        T(
            "{person!sender} <<gs:<<v:told>> <<o:{person2!recipient}>> that {news}>>[[ and asked"
            " for {request}]]",
            "news=communication/chat",
            "success exciting notable",
            gist="{person} told {person2} that {news}",
            swap="person person2",
            layout="prose",
        ),
        T(
            "running late, <<gs:<<v:start>> <<o:without me>>>>. // should be at {city!meeting"
            " place} around {time}, {n=plain:5:55} min after you. // {first!has the keys} has the"
            " keys",
            "delay=communication/chat",
            "ongoing neutral routine",
        ),
        T(
            "{opener} <<gs:<<k:dinner>> at ours {x=flip:is on/is off}>>, {weekday} {time}. //"
            " <<n:{first!cook} {y=flip:makes/wanted to make} {dish#!on the menu} for"
            " {n=plain:3:14}.>>",
            "invitation=home life/dinner",
            "ongoing exciting routine/failure neutral routine",
        ),
        T(
            "re: {noun#}: <<gs:{person!payer} <<v:owes>> <<o:{person2!lender}>>"
            " <<d:{m=money:3:400}>>>>. // settle up by {date}{ending}",
            "debt=money/friends",
            "ongoing neutral routine",
            swap="person person2",
        ),
        T(
            "{first!asks}: <<g:is {service!service asked about}"
            " {x=flip:up/down}?>>\n{first2!answers}: yes, {x} since {time}\n{first}:"
            " {y=flip:phew/oh no}",
            "status question=software/operations",
            "success neutral routine/failure concerning notable",
            summary="{service} is {x} since {time}.",
            layout="prose",
        ),
        T(
            "so {opener} I <<v:tried>> <<o:{software!tried out}>> for {span} and <<gs:I"
            " {x=flip:love/hate} it>>. // {gripe} though, {first!recommended it} warned me",
            "opinion=software/tools",
            "unknown satisfying routine/unknown frustrating routine",
            gist="I {x} {software}",
            summary="I tried {software} for {span} and I {x} it.",
        ),
    ),
)
