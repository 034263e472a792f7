"""Names that occur twice: namesakes, near names, one person named in two ways, equal numbers."""

from typing import TYPE_CHECKING

from spokesmith.data import words
from spokesmith.data.kinds.family import Kind, T
from spokesmith.data.words import listed

if TYPE_CHECKING:
    from spokesmith.data.kinds.pattern import Draw

NEAR = {
    one: other
    for pair in listed("""
    Ana/Anna, Jon/John, Marc/Mark, Sara/Sarah, Eric/Erik, Nadia/Nadja, Lena/Lina, Tomas/Thomas
    Sofia/Sophia, Carla/Karla, Stefan/Stephan, Mina/Minna, Aisha/Aysha, Lucas/Lukas, Ines/Inez
    Katya/Katja, Mia/Maia, Ron/Roan, Elif/Elie, Hana/Hanna, Juan/Joan, Petra/Petrus, Kim/Kym
    """)
    for one, other in (pair.split("/"), pair.split("/")[::-1])
}


def near_name(draw: "Draw", slot: str) -> str:
    """The name that is easily taken for the one in `slot`."""
    return NEAR[draw.slots[slot]]


def relative(draw: "Draw", slot: str) -> str:
    """Another first name with the surname of the person in `slot`."""
    first, surname = draw.slots[slot].split(" ", 1)
    others = [name for name in words.FIRST_NAMES if name != first]
    return f"{draw.random.choice(others)} {surname}"


def namesake(draw: "Draw", slot: str) -> str:
    """Another surname with the first name of the person in `slot`."""
    first, surname = draw.slots[slot].split(" ", 1)
    others = [name for name in words.LAST_NAMES if name != surname]
    return f"{first} {draw.random.choice(others)}"


def surname_of(draw: "Draw", slot: str) -> str:
    """The surname of the person in `slot`."""
    return draw.slots[slot].split(" ", 1)[1]


def first_of(draw: "Draw", slot: str) -> str:
    """The first name of the person in `slot`."""
    return draw.slots[slot].split(" ", 1)[0]


def longer(draw: "Draw", slot: str) -> str:
    """A machine whose name begins with that in `slot`."""
    return f"{draw.slots[slot]}{draw.random.randint(0, 9)}"


KIND = Kind(
    name="same_names",
    prefixes=("{date}: ", "Note: ", "Mind the names: "),
    words={
        "near": tuple(NEAR),
        "nearto": near_name,
        "kin": relative,
        "namesake": namesake,
        "surnameof": surname_of,
        "firstof": first_of,
        "longer": longer,
        "role": listed("""
        chairs the board, runs the archive, teaches chess, drives the van, keeps the accounts
        leads the choir, repairs the boats, edits the paper, owns the bakery, trains the juniors
        """),
        "award": listed("the cup, the grant, the vote, the scholarship, the auction, the raffle"),
        "doing": listed("""
        signed the lease, found the keys, wrote the report, missed the bus, closed the ticket
        paid the fine, opened the gate, fed the horses, sold the piano, fixed the pump
        """),
        "street": listed("North Street, Mill Lane, Quay Road, Chapel Hill, Orchard Way"),
        "area": listed("the north side, the east wing, the upper floor, the harbour, the old mill"),
    },
    types={
        **dict.fromkeys(("near", "nearto", "kin", "namesake", "surnameof", "firstof"), "person"),
        "longer": "identifier",
        "street": "place",
    },
    templates=(
        T(
            "<<gs:{near!winner} <<v:won>> <<o:{award#}>>, {nearb=nearto:near!next best} came"
            " second>>. // <<n:{near} had {a=plain:40:99} points, {nearb} {b=plain:10:39}.>>",
            "result=people/competition",
            "success exciting notable",
            swap="near nearb",
        ),
        T(
            "<<gs:{fullname!not related} {doing}, {kin=kin:fullname!same surname} {doing2}>>. //"
            " <<n:The two are not related, says {person!knows them}.>>",
            "namesakes=people/names",
            swap="fullname kin",
            concepts="related",
        ),
        T(
            "<<gs:{fullname!same first name} {role}, {other=namesake:fullname!same first name} {role2}>>: say"
            " which {f=firstof:fullname} you mean.[[ // Mail for the second goes to"
            " {email!address}.]]",
            "namesakes=people/names",
            concepts="{f}",
            gist="{fullname} {role}",
            summary="{fullname} {role}, {other} {role2}.",
            swap="role role2",
        ),
        T(
            "<<gs:{fullname!main person} {doing}>> on {weekday}. // <<n:Later {last=surnameof:fullname}"
            " {doing2} and went home at {time}; {f=firstof:fullname} had not slept for {span}.>>",
            "diary=people/day",
            concepts="{weekday}",
        ),
        T(
            "{kin2=fullname!parent} and {kid=kin:kin2!child}: <<gs:{x=flip:the parent/the child}"
            " {doing}>>, {y=flip:the child/the parent} did not. // {last=surnameof:kin2} is a common"
            " name in {city!home town}.",
            "family=people/family",
            concepts="{city}",
        ),
        T(
            "<<gs:{host!machine} is {x=flip:up/down}, {next=longer:host!machine} is"
            " {y=flip:down/up}>>. // <<n:{person!mixed them up} <<v:restarted>> <<o:the wrong one>>"
            " <<d:at {time}>>.>>",
            "outage=software/incidents",
            "ongoing concerning notable",
            concepts="{host}",
        ),
        T(
            "{city!place}, {date}: <<gs:{club!host} plays in {city} twice, against {club2!guest}"
            " on {weekday} and against {club3!guest} on {weekday2}>>.",
            "fixtures=sports/schedule",
            "ongoing neutral routine",
            concepts="{weekday}, {weekday2}",
            swap="club2 club3",
            layout="prose",
        ),
        T(
            "{first!buyer} <<v:bought>> <<o:{n=plain:2:40} {things#}>> <<d:for {m=money:5:90}>>,"
            " {first2!other buyer} also {n} {things}, but for {m2=money:5:90}. // <<gs:{first} paid"
            " {m}, {first2} paid {m2}>>.",
            "purchases=commerce/purchases",
            "success neutral routine",
            swap="first first2",
        ),
        T(
            "{near!neighbour} lives at {a=plain:2:99} {street!address}, {nearb=nearto:near!neighbour} at"
            " {b=plain:2:99} {street2!other address}. // <<gs:The parcel for {near} went to"
            " {nearb}>>, and {x=flip:came back/was never seen again}.",
            "mix-up=people/post",
            "success neutral routine/failure frustrating routine",
            concepts="parcel",
        ),
        T(
            "<<gs:Mr {s=surname} senior {doing} and Mr {s} junior {doing2}>>. // <<n:The old"
            " man is {a=plain:66:94}, the young one {b=plain:19:44}; both live in {city!home}.>>",
            "family=people/family",
            concepts="senior, junior",
        ),
        T(
            "<<gs:{project!project} is the name of the project, the {project} meeting is on {weekday},"
            " and room {project} is on floor {n=plain:2:30}>>.[[ // {person!asked} asked about"
            " all three.]]",
            "naming=work/planning notes",
            concepts="room, floor",
            gist="{project}: a project, a meeting on {weekday} and a room on floor {n}",
            summary="{project} is a project, a meeting on {weekday} and a room on floor {n}.",
        ),
        T(
            '{fullname!speaker}: "I {doing}."\n{kin=kin:fullname!speaker}: "No, you {doing2}."'
            '\n{fullname}: "{f=first!named by {fullname}} {doing3}."',
            "dispute=people/talk",
            layout="prose",
            gist="{fullname}: I {doing}. {kin}: No",
            summary="{fullname}: I {doing}. {kin}: No, you {doing2}. {fullname}: {f} {doing3}.",
            concepts="{doing}",
            swap="fullname kin",
        ),
        T(
            "Watch {area}: <<gs:{near!on the first shift} has the shift from {t=time},"
            " {nearb=nearto:near!on the second shift} that from {t2=time}>>. // <<n:{near}'s badge is"
            " {a=plain:1000:9999}, {nearb}'s is {b=plain:1000:9999}.>>",
            "shifts=work/shifts",
            "ongoing neutral routine",
            concepts="badge",
            swap="near nearb",
        ),
    ),
)
