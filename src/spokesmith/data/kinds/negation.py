"""What did not happen, is no longer so, or is missing: the gold says so as well."""

from spokesmith.data.kinds.family import Kind, T
from spokesmith.data.words import listed

KIND = Kind(
    name="negation",
    prefixes=("{date}: ", "For the record: ", "FYI: ", "{weekday}: "),
    words={
        "passed": listed("""
        the budget, the minutes, the new logo, the merger, the second offer, the site plan
        the recall, the extension, the speed limit, the naming rights
        """),
        "lacking": listed("""
        a helmet, a permit, a receipt, sugar, warranty, notice, anaesthesia, supervision, a licence
        a deposit, gloves, sound, an appointment, comment
        """),
        "act": listed("""
        crossed the lake, entered the plant, took the exam, sold the car, left the room
        rebuilt the engine, cut the tree, ran the race, mixed the batch, gave the talk
        """),
        "sign": listed("""
        fever, a rash, nausea, chest pain, swelling, night sweats, dizziness, a cough, bleeding
        shortness of breath, weight loss, numbness
        """),
        "culprit": listed("""
        the cable, the battery, the firmware, the gasket, the cache, the driver, the thermostat
        the proxy, the fuse, the bearing
        """),
        "feature": listed("""
        dark mode, offline maps, the old login, paper invoices, the free plan, cash payment
        the night line, single-use cups, fax orders, the phone hotline
        """),
        "verb": listed("sign, attend, pay, reply, resign, object, testify, travel, apply, appear"),
        "allergen": listed("nuts, gluten, milk, soy, celery, mustard, sesame, eggs, fish"),
        "deed": listed("""
        the window was forced, the lock was changed, the seal was broken, the data was encrypted
        the tank was full, the alarm was set, the valve was open, the form was signed
        """),
    },
    templates=(
        T(
            "<<gs:The board {x=flip:approved/did not approve} {passed}>> on {date}. // <<n:{person!board"
            " member} {y=flip:voted for it/voted against it}, with {n=plain:2:20} to"
            " {m=plain:2:20}.>>",
            "vote=work/governance",
            "success neutral notable/failure neutral notable",
            concepts="{passed}",
        ),
        T(
            "<<gs:{person!who did it} {act} {x=flip:with/without} {lacking}>>[[, {person2!witness}"
            " says]]. // It was {time}.",
            "report=safety/reports",
            "unknown neutral routine/unknown concerning routine",
            concepts="{lacking}",
        ),
        T(
            "<<gs:{person!will stay away} will not {verb}, and neither will {person2!stays away"
            " too}>>. // <<n:{person3!will come} {x=flip:will/might}; the date stays"
            " {date}.>>",
            "absences=work/attendance",
            "unknown neutral routine",
            concepts="date",
            swap="person2 person3",
        ),
        T(
            "<<gs:Neither {culprit#} nor {culprit2#} was the cause>>; {culprit3#} was. // <<n:{person!found it}"
            " <<v:replaced>> <<o:{culprit3}>> <<d:within {span}>>.>>",
            "root cause=technology/faults",
            "success neutral notable",
            gist="Neither {culprit} nor {culprit2}: {culprit3} was the cause",
            summary="Neither {culprit} nor {culprit2} was the cause; {culprit3} was.",
            swap="culprit culprit3",
        ),
        T(
            "<<gs:{company!seller} no longer offers {feature#}>>[[ in {country!market}]]. // <<n:{^feature2#}"
            " {x=flip:stays/goes as well}, for now without {lacking}.>>",
            "withdrawal=commerce/service",
            "unknown neutral notable/unknown frustrating notable",
        ),
        T(
            "No {sign}, no {sign2}. <<gs:The patient, {a=plain:19:94}, {x=flip:reports/denies} {sign3#} and"
            " never took {drug!asked about}>>. {person!examined} found nothing new.",
            "findings=medicine/examination",
            "unknown concerning notable/unknown neutral routine",
            summary="The patient, {a}, {x} {sign3} and never took {drug}; no {sign}, no {sign2}.",
            layout="prose",
        ),
        T(
            "<<gs:{file!unchanged file} was not changed; {file2!changed file} was>>. // <<n:{person!author} did not run"
            " the tests, since <<b:{deed}>>.>>",
            "change=software/version history",
            "unknown concerning routine",
            concepts="tests",
            swap="file file2",
        ),
        T(
            "{^dish#!dish}: <<gs:contains {allergen}, does not contain {allergen2} or"
            " {allergen3}>>.[[ // Not made with {ingredient#}.]] // {n=num:90:900} kcal",
            "label=food/allergens",
            swap="allergen allergen2",
            layout="prose",
        ),
        T(
            "<<gs:{person!accused} never {x=flip:lied/complained}; {y=flip:the witness/the client}"
            " did>>. // The report of {date} does not say that {deed}, only that"
            " {deed2}.",
            "statement=law/evidence",
            "unknown neutral notable",
            concepts="report",
            swap="deed deed2",
        ),
        T(
            "Nobody from {company!absent firm} came, and none of the {n=plain:12:90} {things#} arrived."
            " // <<gs:{company2!other firm} {x=flip:delivered/did not deliver either}>>.",
            "delivery=business/logistics",
            "success neutral routine/failure frustrating notable",
            summary="Nobody from {company} came; {company2} {x}.",
            swap="company company2",
        ),
        T(
            "<<gs:Don't use {software!not to be used} for {project!project}, use {software2!to be used}>>."
            " // <<n:It cannot read more than {n=num:100:9000} {things}, nor does it keep {noun#}.>>",
            "advice=software/tools",
            "unknown neutral notable",
            swap="software software2",
        ),
        T(
            "The {adjective} {noun#} is not for sale. // <<gs:Not {a=money:20:900} but"
            " {b=money:20:900} was the offer>>, and {person!owner} {x=flip:took/did not take} it.",
            "offer=commerce/offers",
            "success neutral routine/failure neutral routine",
            swap="a b",
        ),
        T(
            "<<gs:{service!service} {x=flip:isn't/is} down>>, {person!on call} {y=flip:hasn't/has} paged"
            " anyone, and {deed}. No data was lost.",
            "status=software/incidents",
            "unknown neutral notable",
            summary="{service} {x} down, {person} {y} paged anyone; no data was lost.",
            concepts="data",
            layout="prose",
        ),
        T(
            "<<gs:{team!team} stopped the trial before {month}; not one of {n=plain:20:900}"
            " {things#} had failed>>. // <<n:Hardly anyone {x=flip:objected/agreed}, {person!in"
            " charge} least of all.>>",
            "trial=research/trials",
            "unknown neutral notable",
            gist="stopped the trial before {month}; not one of {n} {things} had failed",
        ),
    ),
)
