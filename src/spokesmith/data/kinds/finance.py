"""Money: budgets, invoices, prices, results of firms."""

from spokesmith.data.kinds.family import Kind, T

KIND = Kind(
    name="finance",
    prefixes=("Ledger {date}: ", "Budget note: ", "Q{k=plain:1:4} memo. ", "Bank: "),
    words={
        "item": (
            "rent",
            "electricity",
            "insurance",
            "groceries",
            "fuel",
            "wages",
            "software licences",
            "freight",
            "advertising",
            "repairs",
            "school fees",
            "heating oil",
            "cloud hosting",
            "legal fees",
            "raw materials",
            "packaging",
        ),
        "driver": (
            "fuel got dearer",
            "two clients left",
            "the {item2} contract was renewed",
            "exports to {country} grew",
            "the exchange rate moved by {n=pct:1:12}",
            "a refund arrived",
            "the meter was read twice",
            "{things} sold out",
        ),
    },
    templates=(
        T(
            "<<gs:{^item#} <<v:rose>> <<o:from {a=money:100:9000} to {b=money:100:9000}>>>> because"
            " <<b:{driver}>>.[[ // <<n:{person!responsible} will cut {item2#} by {p=pct:2:40} from"
            " {month}.>>]]",
            "costs=money/budget",
            "unknown concerning notable",
            narrative="{^item} rose from {a} to {b} because {driver}.",
        ),
        T(
            "<<gs:{company!reporting firm} <<v:reported>> <<o:a {x=flip:profit/loss} of"
            " {a=dec:1.1:90.9} million>>>> for {y=plain:2015:2026}, {b=dec:1.1:90.9} million the"
            " year before. // <<n:<<k:Sales>> in {country!market} {z=flip:rose/fell} by"
            " {p=pct:2:60}.>>",
            "results=business/finance",
            "success satisfying notable/failure concerning important",
        ),
        T(
            "Invoice {n=plain:100:99999}, {date}\n{item}: {a=money:20:900}\n{item2}:"
            " {b=money:20:900}\nbilled to: {company!billed}\nstatus: <<g:{x=flip:paid/overdue}>>",
            "invoice=money/billing",
            "success neutral routine/ongoing concerning notable",
            gist="Invoice {n} to {company}: {x}",
            summary="Invoice {n} to {company}, {item} {a}, {item2} {b}, status {x}.",
            swap="a b",
            concepts="{item}, {item2}",
        ),
        T(
            "<<gs:{person!payer} <<v:transferred>> <<o:{a=money:20:9000}>> <<d:to"
            " {person2!payee}>>>> for {item#}[[ on {date}]]. // <<n:The balance went from"
            " {b=money:100:9000} to {c=money:100:9000}.>>",
            "transfer=money/banking",
            "success neutral routine",
            swap="person person2; b c",
        ),
        T(
            "The bank {x=flip:approved/declined} the loan: <<gs:{a=num:5000:900000} over"
            " {n=plain:3:30} years at {p=dec:1.1:9.9} %>>. // <<n:{person!borrower} wants it <<t:to"
            " pay for {item#}>>; {person2!adviser} advised.>>",
            "loan=money/credit",
            "success satisfying important/failure frustrating important",
        ),
        T(
            "month | {item} | {item2}\n{month} | {a=num:100:9000} | {b=num:100:9000}\n{month2} |"
            " {c=num:100:9000} | {d=num:100:9000}",
            "budget table=money/budget",
            gist="{item} and {item2} in {month} and {month2}",
            summary="{month}: {item} {a}, {item2} {b}; {month2}: {item} {c}, {item2} {d}.",
            swap="a b; c d",
            concepts="{item}, {item2}",
        ),
        T(
            "<<gs:<<k:Share price>> of {company!listed firm} {x=flip:up/down} {p=pct:1:29}>> to"
            " {a=dec:2.01:400.99}, after {driver}. // <<n:{person!analyst} <<v:expects>>"
            " <<o:{b=dec:2.01:400.99}>> <<d:by {month}>>.>>",
            "shares=business/markets",
            "unknown exciting notable/unknown concerning notable",
            swap="a b",
        ),
        T(
            "saving plan: {a=money:20:400} a month, <<gs:goal {b=money:900:9000} by {month}"
            " {y=plain:2026:2032}>>. // less {item#}, no new {noun}. // {first!saves too}"
            " {x=flip:joins/does not join}",
            "saving=money/household",
            "ongoing neutral routine",
        ),
        T(
            "<<gs:Price of {ingredient#}: {a=money:2:90} in {city!market}, {b=money:2:90} in"
            " {city2!market}>>. // <<n:The gap comes from <<b:{item#}>>, says {person!explains}.>>",
            "prices=money/markets",
            "unknown neutral routine",
            swap="a b",
        ),
        T(
            "Tax return {y=plain:2018:2026}: <<gs:{x=flip:refund/back payment} of"
            " {a=money:50:3000}>>. // {^item#} of {b=money:50:3000} {z=flip:was/was not} accepted."
            " // <<n:Appeal until {date}.>>",
            "tax=money/tax",
            "success satisfying notable/ongoing concerning notable",
            swap="a b",
        ),
    ),
)
