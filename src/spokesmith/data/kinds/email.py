"""Letters and e-mails: requests, offers, complaints, thanks."""

from spokesmith.data.kinds.family import Kind, T

KIND = Kind(
    name="email",
    prefixes=("Fwd: ", "Subject: Re: {noun}\n", "From: {email}\n", "Sent {date}, {time}. "),
    words={
        "hello": ("Dear {first!recipient},", "Hello {first!recipient},", "Hi {first!recipient},"),
        "bye": (
            "Best, {first2!sender}",
            "Regards, {first2!sender}",
            "Yours, {first2!sender}",
            "/{first2!sender}",
        ),
        "goods": (
            "the {adjective} {noun}",
            "{n=plain:2:90} {things}",
            "the {instrument}",
            "order {n=plain:1000:99999}",
            "the {things}",
            "your {noun}",
            "the sample kit",
            "{n=plain:2:40} boxes of {ingredient}",
        ),
        "defect": (
            "arrived broken",
            "came {n=plain:2:30} days late",
            "is the wrong colour",
            "never arrived",
            "was billed twice",
            "has a dent",
            "lacks its manual",
            "weighs {n=dec:1.1:9.9} kg less",
        ),
        "favour": (
            "send the contract to {email!send it here}",
            "confirm by {d=date}",
            "pick a date in {month}",
            "sign page {n=plain:2:40}",
            "return the form before {d=date}",
            "call {company!to be called}",
            "bring {n=plain:2:20} copies",
            "forward this to {person3!gets it next}",
            "book {n=plain:2:12} rooms",
        ),
    },
    templates=(
        T(
            "{hello} // <<gs:could you {favour}>>? // <<n:We need it <<t:to finish the <<k:report>>"
            " for {company2!receives the report}>>.>> // {bye}",
            "request=communication/email",
            "ongoing neutral routine",
        ),
        T(
            "{hello} // <<gs:{goods} {defect}>>. // <<n:I <<v:want>> <<o:{a=money:5:400} back>> or"
            " a replacement by {date}.>> // {bye}",
            "complaint=commerce/complaint",
            "failure frustrating notable",
        ),
        T(
            "{hello} // thank you for {goods}. // <<gs:It {x=flip:fits/does not fit}>>, and the"
            " price of {a=money:5:400} was {y=flip:fair/too high}. // {bye}",
            "feedback=commerce/feedback",
            "success satisfying routine/failure frustrating routine",
        ),
        T(
            "{hello} // <<gs:we <<v:offer>> <<o:{goods}>> <<d:for {a=money:20:900}>>>>, delivery"
            " within {n=plain:2:30} days. // <<n:The offer ends on {date}; {b=pct:2:20} off above"
            " {c=money:900:9000}.>> // {bye}",
            "offer=commerce/offer",
            "ongoing neutral routine",
        ),
        T(
            "{hello} // <<gs:I {x=flip:accept/decline} the <<k:post>> in {city!place of work}>>. //"
            " <<n:I can <<v:start>> <<o:work>> <<d:on {date}>>; the pay of {a=money:900:9000} a"
            " month is {y=flip:fine/too low}.>> // {bye}",
            "job offer=work/hiring",
            "success satisfying important/failure neutral important",
            narrative="The pay of {a} a month is {y}.",
        ),
        T(
            "From: {person!sender}\nTo: {person2!recipient}\nDate: {date}\n\n<<gs:Please"
            " {favour}>>. {^goods} {defect}.",
            "request=communication/email",
            "ongoing neutral routine",
            swap="person person2",
        ),
        T(
            "{hello} // <<gs:{person!introduced} is our <<k:new contact>> in {city!office}>>, in"
            " place of {person2!former contact}. // <<n:Reach {person} at {email!address}.>> //"
            " {bye}",
            "new contact=work/people",
            "unknown neutral notable",
            swap="person person2",
        ),
        T(
            "{hello} // sorry for the delay, <<b:{goods} {defect}>>. // <<gs:You <<v:get>> <<o:a"
            " new one>> <<d:by {date}>>>>[[ and {a=money:2:50} off]]. // {bye}",
            "apology=commerce/service",
            "ongoing neutral routine",
        ),
        T(
            "<<k:Out of office>>: <<gs:{person!away} is away until {date}>>. // <<n:{person2!stands"
            " in} <<v:reads>> <<o:the mail>>; urgent: {email!urgent cases}.>>",
            "absence=work/email",
            "ongoing neutral routine",
            swap="person person2",
        ),
    ),
)
