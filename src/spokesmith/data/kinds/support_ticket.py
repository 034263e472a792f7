"""Support: customers' problems, answers, escalations, security incidents."""

from spokesmith.data.kinds.family import Kind, T

KIND = Kind(
    name="support_ticket",
    prefixes=("{ticket} ", "Prio {k=plain:1:4}: ", "Help desk, {time}: ", "[{company}] "),
    words={
        "problem": (
            "the <<k:login page>> loops",
            "the <<k:invoice>> shows {n=money:2:900} too much",
            "the <<k:app>> crashes on start",
            "the <<k:password mail>> never arrives",
            "the <<k:export>> lacks {n=plain:2:90} rows",
            "the <<k:scanner>> reads nothing",
            "the <<k:card>> was charged twice",
            "<<k:sync>> stops at {n=pct:10:99}",
            "the <<k:screen>> stays black",
            "<<k:search>> finds nothing",
            "the <<k:label>> prints upside down",
            "two <<k:accounts>> were merged",
            "the <<k:licence key>> is refused",
        ),
        "device": (
            "a phone",
            "a tablet",
            "Windows {n=plain:7:11}",
            "an old laptop",
            "the till",
            "{software}",
            "a Mac",
        ),
        "reason": (
            "a certificate ran out on {d=date}",
            "the vendor changed the format",
            "old cookies are kept",
            "the time zone is wrong",
            "the cache holds {n=plain:2:90} stale pages",
            "the driver is from {n=plain:2009:2019}",
            "two servers disagree",
            "a firewall drops port {n=plain:80:9000}",
        ),
        "fix": (
            "clearing the cache",
            "a reset",
            "reinstalling {software}",
            "a new cable",
            "logging in again",
            "an update to {version}",
            "turning off the VPN",
            "a fresh token",
        ),
        "threat": (
            "a phishing mail",
            "{n=num:20:9000} failed logins",
            "a leaked key",
            "an open port {n=plain:20:9000}",
            "a lost badge",
            "an unknown USB stick",
            "a forged invoice",
            "a scan from 10.{n=plain:0:255}.4.7",
        ),
    },
    templates=(
        T(
            "Customer {person!customer} on {device}: <<gs:{problem}>>. // <<n:{person2!agent}"
            " <<v:suggested>> <<o:{fix}>>, which {x=flip:helped/did not help}.>>",
            "support case=support/software",
            "success satisfying routine/ongoing frustrating notable",
        ),
        T(
            "<<gs:{ticket!case} <<v:escalated>> from {person!first agent} to {person2!second"
            " agent}>> at {time}: {problem}. // <<n:The customer, {company!customer}, has waited"
            " {span}.>>",
            "escalation=support/process",
            "ongoing concerning notable",
            swap="person person2",
        ),
        T(
            "Status: {x=flip:solved/waiting}\nCase: {ticket!case}\nProblem:"
            " <<gs:{problem}>>\nTried: {fix}, {fix2}\nAgent: {person!agent}",
            "support case=support/software",
            "success neutral routine/ongoing neutral routine",
        ),
        T(
            "<<gs:{^threat#} reported by {person!reported it}>>[[ on {date}]]. //"
            " <<n:{team!responsible} <<v:{y=flip:blocked/missed}>> <<o:it>> after {span};"
            " {n=plain:0:40} accounts were affected.>>",
            "security incident=support/security",
            "success concerning important/failure concerning critical",
        ),
        T(
            "Why {problem}? // <<gs:Because <<b:{reason}>>>>. // <<n:We <<v:recommend>> <<o:{fix}>>"
            " until {version!fixed version} is out.>>",
            "known issue=support/software",
            "ongoing neutral notable",
            summary="It is because {reason}: {problem}.",
        ),
        T(
            "chat transcript\nagent {first!agent}: how can I help?\nvisitor:"
            " <<gs:{problem}>>\nagent {first}: please try {fix}\nvisitor: {x=flip:works,"
            " thanks/same as before}",
            "support chat=support/chat",
            "success satisfying routine/ongoing frustrating routine",
        ),
        T(
            "CSAT for {month}: <<gs:{a=dec:2.1:4.9} of 5, {b=dec:2.1:4.9} in {month2}>>. //"
            " {n=num:90:9000} cases, first answer after {span}. // <<n:Most common: {problem}.>>",
            "satisfaction=support/statistics",
            "unknown neutral notable",
            swap="a b",
        ),
        T(
            "Refund {r=ticket!refund}: <<gs:{a=money:5:900} to {person!customer}"
            " {x=flip:approved/denied}>>. // <<n:Reason given: <<b:{problem}>>.>>",
            "refund=support/billing",
            "success neutral routine/failure frustrating routine",
        ),
        T(
            "<<gs:<<v:Reset>> <<o:the password>> <<d:of {email!account}>>>>, asked by"
            " {person!caller} by phone. // <<n:Identity {x=flip:was/was not} checked.>> // valid"
            " for {n=plain:2:48} h",
            "account=support/security",
            "success neutral routine/success concerning notable",
        ),
    ),
)
