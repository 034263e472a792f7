"""Home life: repairs, chores, children, pets, moving, neighbours."""

from spokesmith.data.kinds.family import Kind, T
from spokesmith.data.words import listed

KIND = Kind(
    name="home",
    prefixes=(
        "Fridge note: ",
        "Home, {date}: ",
        "{weekday}: ",
        "Flat {f=plain:2:60}: ",
        "To all: ",
    ),
    words={
        "thing": listed("""
boiler, dishwasher, washing machine, kitchen tap, radiator, doorbell, smoke alarm, fridge
oven, toaster, garage door, shower, bathroom fan, kettle, gutter, router, thermostat
hall lamp, freezer, window latch, cellar pump, vacuum cleaner, gate, water heater, blind
lock, bookshelf, sofa bed, chimney, tumble dryer
"""),
        "room": listed("""
the kitchen, the cellar, the attic, the hall, the bathroom, the garage, the nursery
the guest room, the balcony, the stairwell, the laundry room, the pantry, the porch
the study, the living room, the shed, the landing, the back yard
"""),
        "fault": listed("""
water dripped from the ceiling, it tripped the fuse, a smell of gas filled the hall
it made a grinding noise for {n=plain:3:50} minutes, the display showed E{n=plain:2:99}
the pressure fell to {n=dec:0.2:1.1} bar, the cable was chewed, the hinge snapped
limescale blocked the valve, the seal was worn, the pipe had frozen, a mouse got in
"""),
        "part": listed("""
seal, hinge, valve, pump, fuse, filter, hose, belt, thermostat knob, battery, washer
drain plug, cable, handle, heating rod
"""),
        "chore": listed("""
take out the bins, defrost the freezer, change the bed linen, descale the kettle
water the plants, sweep the stairs, wash {n=plain:3:20} windows, sort the post
hang up the coats, air {r=room}, mop {r=room}, empty the lint filter
iron {n=plain:3:15} shirts, vacuum {r=room}, bring back {n=plain:6:40} bottles
clean the oven, test the smoke alarm
"""),
        "buy": listed("""
{n=plain:2:9} light bulbs, a litre of milk, {n=plain:2:6}{_}kg of cat litter, dish soap
{n=plain:3:12} rolls of tape, {n=plain:4:24} AA batteries, a new door mat, bin bags
{n=plain:2:20} screws, washing powder, a spare key, {n=plain:2:9} litres of white paint
"""),
        "pet": listed("""
the cat, the dog, the parrot, the tortoise, the rabbit, the hamster, the puppy, the kitten
the gecko, the guinea pig
"""),
        "petname": listed("""
Biscuit, Mango, Pixel, Nori, Tofu, Captain, Waffles, Luna, Pepper, Moss, Bandit, Olive
Sprocket, Gizmo, Hazelnut, Figaro, Button, Ziggy
"""),
        "parcel": listed("""
a parcel, a rug, the mattress, a box of books, the desk, two chairs, the crib, a letter
the bicycle, a lamp, the curtain rods, a wardrobe
"""),
        "noise": listed("""
drilling, loud music, a barking dog, moving furniture, trumpet practice, a party, hammering
a car alarm, stamping, a leaf blower
"""),
        "paint": listed("""
sage green, chalk white, mustard, slate blue, terracotta, pale pink, charcoal, sand, mint
cream, plum, teal
"""),
        "why": listed("""
the filter was full, a hose had cracked, the battery was flat, {other_pet} chewed the cable
the water is hard, it was {n=plain:9:28} years old, mice got in, the fuse was too small
"""),
        "noisy": listed("""
neighbours, gulls, pipes, foxes, students upstairs, church bells, trams
"""),
        "appliance": listed("""
dishwasher, boiler, washing machine, fridge, doorbell, shower, radiator, smoke alarm, oven
gate motor, garage door, coffee machine, ceiling fan, hob, thermostat
"""),
        "event": listed("""
swimming lesson, school play, dentist visit, birthday party, house move, piano lesson
vaccination, flea market, parents' evening, cycling test
"""),
        "other_fault": listed("""
leaks, makes a grinding noise, shows error E{n=plain:1:90}, trips the fuse, stays cold
smells of rubber, beeps every {n=plain:2:60} seconds, stops after {n=plain:2:40} minutes
will not start
"""),
        "other_pet": listed("""
the cat, the dog, our parrot, the tortoise, the rabbit, the neighbour's cat, the goldfish
"""),
    },
    types={"room": "place", "petname": "product"},
    templates=(
        T(
            "<<gs:The {thing#} in {room!where it stands} {x=flip:works again/is broken again}>>."
            " // <<n:{^fault}, so {person!looked at it} <<v:replaced>> <<o:the {part}>> <<d:for"
            " {m=money:6:90}>>.>>",
            "home repair=household/repairs",
            "success satisfying routine/failure frustrating notable",
        ),
        T(
            "<<gs:{person!repairs it} comes {weekday} at {time} for the {thing#}>>. //"
            " <<n:Call-out is {m=money:30:190}; please <<v:clear>> <<o:{room!to be cleared}>>"
            " <<d:before that>> and {chore}.>>",
            "appointment=household/repairs",
            "ongoing neutral routine",
        ),
        T(
            "{^weekday} chores:\n- {first!has a task}: {chore}\n- {first2!has a task}: {chore2}\n-"
            " {first3!has a task}: {chore3}\nPocket money: {m=money:2:20}",
            "chores=household/planning",
            "ongoing neutral routine",
            swap="first first2",
            gist="{^weekday} chores: {first}, {first2}, {first3}",
            summary="{^weekday} chores: {first}: {chore}, {first2}: {chore2}",
            layout="prose",
        ),
        T(
            "Please <<gs:<<v:buy>> <<o:{buy}>>, {buy2} and {buy3}>>, not more than"
            " {m=money:10:80}. // <<n:{person!pays} {x=flip:pays/does not pay}; the shop shuts at"
            " {time}.>>",
            "shopping=household/errands",
            "ongoing neutral routine",
            concepts="shopping",
        ),
        T(
            "<<gs:{^parcel} for {person!recipient} is with {person2!neighbour} in flat"
            " {k=plain:2:90}>>. // <<n:The courier <<v:rang>> <<o:twice>> <<d:at {time}>>; collect"
            " it {x=flip:before/after} {weekday}, code {c=plain:1000:9999}.>>",
            "delivery=household/post",
            "ongoing neutral routine",
            swap="person person2",
        ),
        T(
            "<<gs:{^pet} {petname!pet's name} {x=flip:is back/is missing}>>! // <<n:{person!saw"
            " it} <<v:saw>> <<o:{petname}>> <<d:in {room!seen there}>> at {time}, {span} after"
            " {noise} next door led to <<e:a fright>>.>>",
            "pets=household/animals",
            "success satisfying notable/ongoing concerning notable",
            concepts="{pet}",
        ),
        T(
            "<<s:We moved into {street=plain:2:180} Alder Lane on {date}, with {n=plain:20:140}"
            " boxes.>> <<n:On the first night the {thing#} failed: {fault}. {person!neighbour}"
            " from flat {k=plain:2:60} <<v:lent>> <<o:us a spare {part}>> <<d:until {weekday}>>,"
            " and by {time} {room!repaired first} was {x=flip:dry and warm/still cold and wet}.>>"
            " {petname!pet} hid in {room2!hiding place} the whole time. Next we will paint"
            " {room3!to be painted} {paint}, {chore} and buy {buy}. The landlord,"
            " {person2!landlord}, {y=flip:has paid/refuses to pay} the {m=money:40:900}.",
            "moving house=household/moving",
            "success satisfying notable/ongoing frustrating notable",
            gist="moved into {street} Alder Lane on {date}",
            layout="prose",
        ),
        T(
            "((hey|sorry|hi)) {person!neighbour}, <<gs:{noise#} {x=flip:has stopped/is back}"
            " as of {time}>>. // <<n:{y=flip:thank you/please think of the baby}, we <<v:sleep>>"
            " <<o:in {room!bedroom for now}>> <<d:until {weekday}>>>>",
            "neighbours=household/noise",
            "success satisfying routine/ongoing frustrating routine",
        ),
        T(
            "<<gs:<<v:Painted>> <<o:{room!painted room}>> <<d:in {paint#} instead of {paint2}>>>>."
            " // <<n:It took {k=plain:2:14} litres and {h=plain:3:30} hours; {person!saw the"
            " result} {x=flip:loves/hates} it.>>",
            "decorating=household/decorating",
            "success satisfying routine/failure frustrating routine",
            swap="paint paint2",
        ),
        T(
            "Meter readings {date}: <<gs:water {a=plain:100:990}, gas {b=num:1000:9900}, power"
            " {c=num:10000:99000}>>. // <<n:{person!read the meters} <<v:sent>> <<o:them>> <<d:at"
            " {time}>>; the bill is {x=flip:lower/higher} by {m=money:9:200}.>>",
            "meter readings=household/energy",
            "success satisfying routine/ongoing concerning routine",
            concepts="meter readings",
        ),
        T(
            "DO NOT use the {thing#}!! <<gs:{^fault}>>. // <<n:{person!shut it off} <<v:shut>>"
            " <<o:it off>> <<d:at {time}>>, the engineer is due {weekday}; {x=flip:nobody is"
            " hurt/one of us is hurt}.>>",
            "safety=household/repairs",
            "ongoing concerning important/failure concerning critical",
            gist="DO NOT use the {thing}",
            summary="DO NOT use the {thing}!! {^fault}",
        ),
        T(
            "<<gs:Moved the {thing#} from {room!old place} to {room2!new place}>>, <<t:to make"
            " space for {parcel}>>. // <<n:{person!helped} <<v:carried>> <<o:it>> <<d:down"
            " {k=plain:3:40} steps>>; the wall is {x=flip:fine/scratched}.>>",
            "furniture=household/moving",
            "success satisfying routine/success frustrating routine",
            swap="room room2",
        ),
        T(
            "<<gs:The {appliance#} {other_fault}>>[[ since {weekday}]]. // <<n:{person!repairs it}"
            " <<v:came>> at {time} and <<v:found>> <<o:the cause>>: <<b:{why}>>. The bill was"
            " {m=money:30:500}.>>",
            "repair=home life/repairs",
            "success neutral routine",
        ),
        T(
            "<<gs:{first!child} has a {event#} on {date} at {time}>>. // {person!drives there}"
            " <<v:drives>>, {person2!picks up} picks up. // <<n:Bring a {adjective} {noun}.>>",
            "appointment=home life/family",
            "ongoing neutral routine",
            swap="person person2",
        ),
        T(
            "{^other_pet#} weighs <<gs:{a=dec:0.4:39.9} kg, {b=dec:0.4:39.9} kg in {month}>>. // <<n:The"
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
            "<<gs:{first!hid it} <<v:hid>> <<o:the {noun#}>> from {first2!looked for it}>> in the"
            " {appliance#}. // <<n:{first2} {x=flip:found it/gave up} after {span}.>>",
            "family story=home life/family",
            "success exciting routine/failure neutral routine",
            swap="first first2",
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
