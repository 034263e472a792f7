"""Clauses, notices and notes on contracts between invented parties."""

from spokesmith.data.kinds.family import Kind, T

FIRM = "unknown neutral notable"

KIND = Kind(
    name="legal_clause",
    prefixes=(
        "Clause {c=plain:2:40}. ",
        "Draft, {date}: ",
        "§ {c=plain:2:90} ",
        "Contract note: ",
        "Article {c=plain:2:30}. ",
    ),
    words={
        "party": (
            "the Tenant",
            "the Supplier",
            "the Licensee",
            "the Contractor",
            "the Borrower",
            "the Buyer",
            "the Employee",
            "the Agency",
            "the Franchisee",
            "the Distributor",
            "the Consultant",
            "the Carrier",
            "the Publisher",
            "the Subscriber",
            "the Insured",
            "the Lessee",
            "the Manufacturer",
        ),
        "counterparty": (
            "the Landlord",
            "the Customer",
            "the Licensor",
            "the Principal",
            "the Lender",
            "the Seller",
            "the Employer",
            "the Client",
            "the Franchisor",
            "the Author",
            "the Company",
            "the Insurer",
            "the Lessor",
            "the Shipper",
            "the Municipality",
        ),
        "duty": (
            "keep the premises insured",
            "deliver the goods",
            "pay the outstanding fee",
            "return all confidential material",
            "repair any defect",
            "maintain accurate records",
            "provide {n=plain:2:24} monthly reports",
            "submit the final drawings",
            "vacate the unit",
            "replace faulty parts",
            "name a data protection officer",
            "remove the signage",
            "deposit {m=money:200:900} as security",
            "train {n=plain:2:40} operators",
            "grant site access",
            "settle all invoices",
            "disclose every subcontractor",
            "destroy the backup copies",
        ),
        "ban": (
            "sublet the property",
            "assign this agreement",
            "hire the other party's staff",
            "copy the software",
            "use the trademark",
            "disclose the price list",
            "alter the facade",
            "resell the licences",
            "engage a subcontractor",
            "keep animals on the premises",
            "publish the test results",
            "work for a competitor",
            "export the data",
            "store fuel on site",
        ),
        "subject": (
            "liability",
            "termination",
            "confidentiality",
            "late payment",
            "warranty",
            "renewal",
            "indemnity",
            "data protection",
            "force majeure",
            "governing law",
            "arbitration",
            "insurance",
            "delivery",
            "non-competition",
            "intellectual property",
            "rent increase",
            "audit rights",
        ),
        "deed": (
            "lease",
            "supply contract",
            "licence agreement",
            "loan agreement",
            "service contract",
            "franchise agreement",
            "employment contract",
            "purchase deed",
            "publishing contract",
            "maintenance agreement",
            "consulting agreement",
            "joint venture agreement",
            "settlement",
        ),
        "event": (
            "a strike",
            "insolvency",
            "a change of control",
            "a flood",
            "a data breach",
            "late delivery",
            "repeated non-payment",
            "a regulatory ban",
            "an embargo",
            "gross negligence",
            "a missed audit",
        ),
        "court": (
            "the Court of Appeal",
            "the Labour Tribunal",
            "the District Court of {c=city}",
            "the Commercial Court of {c=city}",
            "the Regional Court of {c=city}",
            "an arbitrator in {c=city}",
            "the Rent Tribunal",
            "the Patent Court",
            "the High Court of {c=city}",
        ),
        "mode": (
            "in writing",
            "by registered letter",
            "by e-mail",
            "before a notary",
            "by courier",
        ),
        "period": (
            "{n=plain:5:90} days",
            "{n=plain:2:18} months",
            "{n=plain:2:8} weeks",
            "{n=plain:5:45} business days",
            "{n=plain:2:10} years",
        ),
        "number": ("{n=plain:2:24}.{m=plain:1:9}", "{n=plain:2:30}", "{n=plain:2:19}({letter})"),
        "letter": ("a", "b", "c", "d", "e"),
    },
    types={"party": "organization", "counterparty": "organization", "court": "organization"},
    templates=(
        T(
            "<<gs:{^party!bound party} shall {duty}>> within {period} of {counterparty!receives"
            " performance}'s written notice. // <<n:If {party} fails to do so, {counterparty} may"
            " <<v:terminate>> <<o:this {deed#}>> <<d:with effect from the following month>>.>>",
            "obligation=law/contracts",
            FIRM,
        ),
        T(
            "<<gs:{^party!party under the clause} {x=flip:may/may not} {ban}>> without the prior"
            " consent of {counterparty!gives consent}, given {mode}. // <<n:Clause {number}"
            " <<v:sets>> <<o:a fee of {m=money:300:900}>> <<d:for each case>> that comes to"
            " light.>>",
            "permission=law/contracts",
            FIRM,
        ),
        T(
            "Under this {deed#}, <<gs:liability of {party!party liable} is {x=flip:limited/not"
            " limited} to {m=money:3000:900000}>>[[ per calendar year]]. // This applies to"
            " {event}, {event2} and {event3}. // Claims must be <<n:<<v:raised>> {mode} <<d:within"
            " {period}>>>>.",
            "liability=law/contracts",
            "unknown neutral important",
            narrative="Claims must be raised {mode} within {period}.",
        ),
        T(
            "<<gs:Either party may <<v:terminate>> <<o:this {deed#}>> <<d:after {period}>>>>, with"
            " notice given {mode}. // <<n:In the case of <<b:{event}>>, notice takes effect at"
            " once.>> // Clauses {a=plain:4:12} and {b=plain:13:28} survive.",
            "termination=law/contracts",
            FIRM,
        ),
        T(
            "This {deed#}, signed on {date} in {city!place of signing}, is made between"
            ' {company!first party} ("{party}") and {company2!second party}'
            ' ("{counterparty}"). <<n:<<s:{^party} <<v:undertakes>> <<o:to {duty}>> and to'
            " {duty2}.>> In return {counterparty} pays {m=money:900:90000} in {k=plain:2:12}"
            " instalments.>> Disputes go to {court!settles disputes}[[, and the law of"
            " {country!governing law} applies]]. Clause {number} on {subject#} prevails over any"
            " earlier agreement.",
            "agreement=law/contracts",
            "unknown neutral important",
            gist="{deed} between {company} and {company2}",
            layout="prose",
        ),
        T(
            "<<gs:{company!sued} {x=flip:won/lost} the {subject#} case against {company2!other"
            " side}>>. // <<n:{^court} <<v:ruled>> on {date} that clause {number} of the {deed#}"
            " {y=flip:is void/is valid}.>>",
            "ruling=law/litigation",
            "success satisfying important/failure frustrating important",
        ),
        T(
            "<<gs:{company!debtor} owes {company2!creditor} {m=money:900:99000}>> under the"
            " {deed#} of {date}. // <<n:Payment is due within {k=plain:5:90} days; after that,"
            " interest of {p=dec:1.5:9.5}% a year <<v:accrues>>.>>",
            "debt=law/payment",
            "ongoing neutral notable",
            swap="company company2",
        ),
        T(
            "- Parties: {company!contract party}, {company2!contract party}\n- Deed: {deed#}\n-"
            " Term: {period}\n- Fee: {m=money:200:9000} a month\n- Notice: {period2}, {mode}\n-"
            " Renewal: {x=flip:automatic/only by mutual consent}",
            "contract summary=law/contracts",
            FIRM,
            gist="{deed}, {company} and {company2}",
            summary="{deed} of {company} and {company2}: term {period}, notice {period2}",
            layout="prose",
        ),
        T(
            "Legal says <<gs:we should <<v:strike>> <<o:clause {number}>>, the one on"
            " {subject#}>>. // <<n:{person!lawyer} fears that {court!possible forum} would read"
            ' "{period}" as "{period2}" because <<b:the {deed} never defines it>>.>>',
            "contract review=law/drafting",
            "ongoing concerning notable",
        ),
        T(
            "<<gs:Amendment {k=plain:2:9} to the {deed#} of {date}>>: // in clause {number},"
            ' "<<o:{period}>>" is <<v:replaced>> <<d:by "{period2}">>. // <<n:The change takes'
            " effect after {w=plain:2:9} weeks; all other terms stay as they are.>>",
            "amendment=law/contracts",
            FIRM,
            swap="period period2",
            summary="Amendment {k} to the {deed} of {date}: {period} is replaced by {period2}",
        ),
        T(
            "NOTICE OF DEFAULT. <<gs:{company!in default} has not paid {m=money:900:90000} due on"
            " {date}>>. // <<n:Unless the sum <<v:reaches>> <<o:{company2!creditor}>> <<d:within"
            " {k=plain:3:30} days>>, the {deed#} ends and {court!competent court} will be asked"
            " <<t:to order eviction>>.>>",
            "default=law/enforcement",
            "ongoing concerning critical",
        ),
        T(
            "Force majeure: <<gs:{x=flip:neither/each} party is liable for delay caused by"
            " {event#}>>. // <<n:The party affected must <<v:inform>> <<o:the other>> <<d:within"
            " {h=plain:12:96} hours>>; if the delay lasts more than {period}, the {deed} may be"
            " ended in writing.>>",
            "force majeure=law/contracts",
            FIRM,
        ),
    ),
)
