"""Handovers: state of work, open points, whom to ask, in several sentences."""

from spokesmith.data.kinds.family import Kind, T

KIND = Kind(
    name="handover_note",
    prefixes=("Handover {date}. ", "Shift change {time}: ", "Last day notes. ", "On-call log. "),
    words={
        "state": (
            "the {noun} order is still open",
            "{service} runs on {host} only",
            "backups ran at {time}",
            "{n=plain:2:40} tickets are waiting",
            "the pump in hall {n=plain:1:9} leaks",
            "{project} is {n=pct:20:95} done",
            "the spare key is in drawer {n=plain:1:30}",
            "alert {ticket} can be ignored",
            "bed {n=plain:1:40} is free",
            "the forklift needs a new battery",
            "the night gate code changed",
            "room {n=plain:100:499} is locked",
            "stock of {ingredient} is down to {n=plain:2:40} kg",
            "the invoice of {company} is unpaid",
        ),
        "todo": (
            "restart {service2} before {time}",
            "call {company2} back",
            "check the {noun2} twice a day",
            "sign the {noun2} list",
            "renew the certificate by {date}",
            "empty the fridge",
            "answer {ticket2}",
            "water {plant}",
            "read {file2}",
            "post the parcel to {city2}",
            "pay {company2} {n=money:20:900}",
            "lock gate {n=plain:2:9}",
        ),
        "caveat": (
            "do not reboot {host2}",
            "never use the left lift",
            "the login needs a token",
            "{software} is slow on {weekday}",
            "mind the step at the ramp",
            "the scale shows {n=plain:2:30} g too much",
            "the alarm goes off at {n=plain:60:90} dB",
        ),
    },
    templates=(
        T(
            "Handover from {person!hands over} to {person2!takes over}, {date} //"
            " <<s:<<g:{^state}>>.>> // {^state2}. // <<n:Next: {todo}; then {todo2}.>>[[ //"
            " Careful: {caveat}.]][[ // Questions to {person3!answers questions}.]]",
            "handover=work/operations",
            "ongoing neutral notable",
            swap="person person2",
        ),
        T(
            "I am away until {date}. // <<gs:{person!stands in} <<v:takes>> <<o:over>>"
            " <<d:{project#!project handed over}>>>>. // {^state}. // <<n:Please {todo}.>>[[ //"
            " Also {todo2}, because <<b:{state2}>>.]]",
            "absence=work/planning",
            "ongoing neutral notable",
        ),
        T(
            "DONE\n- {state}\nOPEN\n- <<gs:{todo}>>\n- {todo2}\nWATCH OUT\n- {caveat}\nContact:"
            " {person!contact}, {email!address of the contact}",
            "handover=work/operations",
            "ongoing neutral notable",
            layout="prose",
            narrative="Open: {todo}, {todo2}.",
        ),
        T(
            "Night shift: <<gs:{x=flip:quiet/busy}, {n=plain:2:40} calls>>. // {^state}. //"
            " <<n:{person!on shift} <<v:handed>> <<o:the keys>> <<d:to {person2!next shift} at"
            " {time}>>.>>[[ // {^caveat}.]]",
            "shift report=work/operations",
            "success neutral routine/ongoing concerning notable",
            swap="person person2",
        ),
        T(
            "For whoever is next: <<gs:{caveat}>>! // {^state}. {^state2}. // <<n:To <<v:keep>>"
            " <<o:things running>>, {todo}.>>[[ // Passwords are in {syspath!holds the"
            " passwords}.]]",
            "advice=work/operations",
            "ongoing concerning notable",
        ),
        T(
            "<<gs:{project#!status given} status for {person!receives the note}>>: {state},"
            " {state2}. // Risk: {caveat}. // <<n:{person2!author} <<v:starts>> in the {team!new"
            " team} on {date}, so <<e:{todo} stays with {person}>>.>>",
            "project status=work/planning",
            "ongoing neutral notable",
            swap="person person2",
        ),
        T(
            "1) {state}\n2) {todo} ((asap|today|this week))\n3) {todo2}\n<<gs:{x=flip:all/not all}"
            " of it is agreed with {person!agreed}>>, see {url!details}",
            "to-do list=work/planning",
            "ongoing neutral routine",
            layout="prose",
            narrative="{^todo}, {todo2}.",
        ),
        T(
            "on-call {weekday}: <<gs:{a=plain:1:19} pages, {b=plain:0:9} real>>. // {service!paged}"
            " paged at {time} because <<b:{state}>>. // <<n:{person!on call}"
            " <<v:{x=flip:fixed/muted}>> <<o:it>>; {todo} ((next|tomorrow)).>>",
            "on-call=software/operations",
            "success neutral notable/ongoing concerning notable",
            swap="a b",
        ),
        T(
            "House sitting: <<gs:<<v:feed>> <<o:the cat>> at {time}>>. // {^todo}. // {^caveat}. //"
            " <<n:If anything breaks, call {person!neighbour} or {person2!plumber}.>>",
            "house sitting=home life/care",
            "ongoing neutral routine",
            swap="person person2",
        ),
        T(
            "to {team!receives the handover}: <<gs:{service!handed over} is yours from {date}>>. //"
            " docs in {file!documentation}, deploy with {symbol!deploy command}. // <<n:{^state}."
            " {^todo}.>>",
            "ownership=software/collaboration",
            "ongoing neutral notable",
        ),
    ),
)
