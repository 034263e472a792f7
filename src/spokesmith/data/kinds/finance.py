"""Money: payments, budgets, invoices, prices, results of firms, all invented."""

from spokesmith.data.kinds.family import Kind, T
from spokesmith.data.words import listed

KIND = Kind(
    name="finance",
    prefixes=(
        "Accounts, {date}: ",
        "Memo: ",
        "Q{q=plain:1:4} note: ",
        "Treasurer: ",
        "{weekday}: ",
    ),
    words={
        "post": listed("""
rent, payroll, travel costs, insurance, cloud hosting, office supplies, marketing
electricity, training, legal fees, raw materials, freight, catering, repairs
software licences, postage, heating, packaging, interest, depreciation, taxes, customs duty
fuel, cleaning, membership fees, school fees, groceries, childcare
"""),
        "asset": listed("""
the savings account, the current account, the reserve fund, the petty cash
the euro account, the pension plan, the joint account, the escrow account, the holiday fund
the credit card, the project account, the brokerage account, the building fund
the club account
"""),
        "measure": listed("""
revenue, gross margin, net profit, operating cost, cash flow, order intake, debt, inventory
turnover, headcount cost, churn, net assets, receivables
"""),
        "driver": listed("""
higher freight rates, a weak currency, two lost customers, the new price list
a late harvest, overtime in {m=month}, a tax refund, lower energy prices
{n=plain:3:60} new contracts, a write-off in {c=city}, early payments, the move to {c=city}
a rate cut of {n=plain:10:75} points, unsold stock, a recall of {n=num:200:9000} units
strong online sales, a double booking
"""),
        "paper": listed("""
invoice, receipt, credit note, purchase order, bank statement, payslip, tax return
audit report, expense claim, loan statement, quote, delivery note
"""),
        "id": (
            "{n=plain:1000:99999}",
            "INV-{n=plain:100:9999}",
            "R-{n=plain:100:9999}",
            "{y=plain:2021:2027}/{n=plain:10:999}",
        ),
        "instrument": listed("""
bonds, index funds, shares, treasury bills, a fixed deposit, gold, municipal bonds
preferred stock, a mortgage, a credit line, futures, a money market fund
"""),
        "rate": ("{n=dec:0.25:9.75}{_}%", "{n=dec:0.5:14.0}{_}%"),
        "sum": ("{m=money:100:990}", "{m=money:1000:9900}", "{m=money:10000:990000}"),
        "account": ("account {n=plain:1000:9999}", "account ending {n=plain:1000:9999}"),
        "item": listed("""
rent, electricity, insurance, groceries, fuel, wages, software licences, freight
advertising, repairs, school fees, heating oil, cloud hosting, legal fees, raw materials
packaging
"""),
        "other_driver": listed("""
fuel got dearer, two clients left, the {item2} contract was renewed
exports to {country} grew, the exchange rate moved by {n=pct:1:12}, a refund arrived
the meter was read twice, {things} sold out
"""),
    },
    types={"asset": "product", "id": "identifier", "account": "identifier"},
    templates=(
        T(
            "<<gs:{^paper} {id!document number} from {company!sender}: {sum},"
            " {x=flip:paid/unpaid}>>. // <<n:It was due on {date} for {post#}; {person!handles it}"
            " <<v:checked>> <<o:the entry>> <<d:at {time}>>.>>",
            "invoices=finance/payables",
            "success neutral routine/ongoing concerning notable",
            concepts="{paper}",
        ),
        T(
            "<<gs:{^measure#} of {company!reporting company} {x=flip:rose/fell} by {p=rate} in"
            " Q{q=plain:1:4}>>, on the back of <<b:{driver}>>. // <<n:The board"
            " {y=flip:raised/cut} its outlook for {y1=plain:2025:2028} and <<v:pays>> <<o:a"
            " dividend of {m=dec:0.10:4.90}>> <<d:per share>>.>>",
            "quarterly results=finance/reporting",
            "success satisfying important/failure concerning important",
        ),
        T(
            "<<gs:<<v:Moved>> <<o:{sum}>> <<d:from {asset!source account} to {asset2!target"
            " account}>>>>, <<t:to cover {post#}>>. // <<n:Reference {id!reference}, booked {date}"
            " by {person!booked it}.>>",
            "transfer=finance/banking",
            "success neutral routine",
            swap="asset asset2",
        ),
        T(
            "Budget {y=plain:2024:2029}: <<gs:{post#} {a=sum}, {post2#} {b=sum}, {post3#}"
            " {c=sum}>>. // <<n:{person!budget holder} {x=flip:expects a surplus of/expects a gap"
            " of} {d=sum} by {month}.>>",
            "budget=finance/planning",
            "ongoing satisfying notable/ongoing concerning notable",
            swap="a b",
        ),
        T(
            "<<gs:{company!debtor} owes {company2!creditor} {sum}>> on {paper#} {id!document}. //"
            " <<n:The second reminder went out on {date}; after {k=plain:5:30} days, <<o:{r=rate}"
            " interest>> is <<v:added>> <<d:to the sum>>.>>",
            "reminder=finance/receivables",
            "ongoing concerning notable",
            swap="company company2",
        ),
        T(
            "spent too much on {post#} again: <<gs:{a=sum} in {month}, {b=sum} in {month2}>>. //"
            " <<n:from {weekday} on i <<v:put>> <<o:{c=money:10:90}>> <<d:a week>> into"
            " {asset!savings goal} <<t:to make up for it>>>>",
            "household budget=finance/personal",
            "ongoing frustrating routine",
            swap="a b",
            gist="{post}: {a} in {month}, {b} in {month2}",
            summary="spent too much on {post} again: {a} in {month}, {b} in {month2}",
        ),
        T(
            "{company!audited} closed the books for {y1=plain:2021:2026} on {date}. <<n:<<s:During"
            " the audit {person!auditor} <<v:found>> <<o:{k=plain:2:40} entries>> <<d:under"
            " {post#}>> with no {paper#}, {a=sum} in all.>> The finance office blamed"
            " <<b:{driver}>> and {x=flip:could explain all of them/could not explain them} within"
            " {w=plain:2:9} weeks.>> {^measure} was restated from {b=sum} to {c=sum},"
            " {asset!corrected account} was corrected, and {person2!chief accountant} will"
            " {y=flip:sign the report/postpone the report} on {weekday}. The fee came to {d=sum}.",
            "audit=finance/control",
            "success satisfying important/failure concerning critical",
            gist="audit of {company}: {k} entries with no {paper}",
            layout="prose",
        ),
        T(
            "- Client: {company!client}\n- Account: {account!client account}\n- Position:"
            " {instrument#}\n- Value: {sum}\n- Return: {x=flip:+/-}{r=rate}\n- Review: {date}",
            "portfolio=finance/investing",
            "success neutral routine/ongoing concerning routine",
            gist="{company}: {instrument}, {sum}",
            summary="{company}, {account}: {instrument}, {sum}, return {x}{r}",
            layout="prose",
        ),
        T(
            "<<gs:{person!client} {x=flip:bought/sold} {instrument#} for {sum}>> at {r=rate}. //"
            " <<n:The bank in {city!bank} <<v:charged>> <<o:{f=money:5:80}>> <<d:in fees>>, booked"
            " to {asset!booked there}.>>",
            "investing=finance/trades",
            "success neutral notable",
        ),
        T(
            "FRAUD ALERT: <<gs:{sum} left {asset!affected account} at {time}>>, payee unknown. //"
            " <<n:{person!noticed it} <<v:blocked>> <<o:{account!blocked}>> <<d:within {span}>>;"
            " the bank {x=flip:returned/kept} the money.>>",
            "fraud=finance/security",
            "success concerning critical/failure concerning critical",
        ),
        T(
            "<<gs:Loan {id!loan number}: {sum} at {r=rate}, {k=plain:2:30} years>>. //"
            " <<n:{^company!lender} {x=flip:approved/rejected} it on {date}; {person!borrower} had"
            " <<v:offered>> <<o:{b=sum}>> <<d:as security>>.>>",
            "loan=finance/credit",
            "success satisfying important/failure frustrating important",
        ),
        T(
            "((hi,|reminder:|quick note:)) <<gs:{person!owes money} owes {person2!is owed}"
            " {m=money:4:90} for {post#}>>. // <<n:please <<v:settle>> <<o:it>> <<d:before"
            " {weekday}>>, receipt {id!receipt}>>",
            "shared costs=finance/personal",
            "ongoing neutral routine",
            swap="person person2",
        ),
        T(
            "<<gs:{^item#} <<v:rose>> <<o:from {a=money:100:9000} to {b=money:100:9000}>>>> because"
            " <<b:{other_driver}>>.[[ // <<n:{person!responsible} will cut {item2#} by {p=pct:2:40} from"
            " {month}.>>]]",
            "costs=money/budget",
            "unknown concerning notable",
            narrative="{^item} rose from {a} to {b} because {other_driver}.",
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
            "<<gs:<<k:Share price>> of {company!listed firm} {x=flip:up/down} {p=pct:1:29}>> to"
            " {a=dec:2.01:400.99}, after {other_driver}. // <<n:{person!analyst} <<v:expects>>"
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
            " {city2!market}>>. // <<n:The gap is due to <<b:{item#}>>, says {person!explains}.>>",
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
