"""Releases, roll-outs and roll-backs."""

from spokesmith.data.kinds.family import Kind, T

GOOD = "success satisfying notable"
BAD = "failure frustrating important"

KIND = Kind(
    name="deploy",
    prefixes=("[{time}] ", "{date} {time} ", "#releases ", "Ops: ", "INFO ", "Release log: "),
    words={
        "stage": (
            "production",
            "staging",
            "canary",
            "the EU region",
            "the test cluster",
            "pre-prod",
            "all nodes",
            "the US region",
            "the beta ring",
            "the demo environment",
        ),
        "trouble": (
            "<<k:error rates>> rose to {n=pct:3:60}",
            "<<k:p99 latency>> jumped to {n=num:300:9000}{_}ms",
            "<<k:health checks>> failed on {n=plain:2:9} pods",
            "<<k:logins>> returned HTTP {n=plain:500:504}",
            "the <<k:migration>> locked the orders table",
            "<<k:disk usage>> hit {n=pct:80:99}",
            "<<k:memory>> climbed past {n=num:2:64}{_}GB",
            "the <<k:queue>> grew to {n=num:900:90000} messages",
        ),
        "change": (
            "the new pricing rules",
            "a smaller base image",
            "the session rewrite",
            "two schema changes",
            "a hotfix for uploads",
            "the redesigned checkout",
            "async exports",
            "connection pooling",
            "the {m=plain:2:30} pending fixes",
            "stricter rate limits",
            "the new search ranking",
        ),
        "check": ("smoke tests", "health checks", "the canary", "integration tests", "load tests"),
        "place": ("rack", "zone"),
    },
    types={"stage": "place"},
    templates=(
        T(
            "<<gs:{^person!ran the deploy} <<v:deployed>> <<o:{service!deployed service}"
            " {version!new version}>> <<d:to {stage#}>>>> at {time}. // <<n:{^check}"
            " {x=flip:passed/failed} after {span}.>>[[ // Logs are in {syspath!holds the logs}.]]",
            "deployment=software/operations",
            "success satisfying notable/failure frustrating important",
        ),
        T(
            "<<gs:{service!rolled back service} <<v:rolled>> <<o:back>> <<d:from {version!withdrawn"
            " version} to {version2!restored version}>>>> because <<b:{trouble}>>. //"
            " <<n:{person!decided the rollback} made the call at {time}[[ and {person2!informed the"
            " others} told the {team!informed of it}]].>>",
            "rollback=software/operations",
            BAD,
            swap="version version2",
        ),
        T(
            "<<gs:Release {version!release} of {project!released project} is out>>. // It"
            " <<v:contains>> <<o:{change#}>>[[ and {change2#}]]. // <<n:Rollout"
            " {x=flip:finished/stopped} at {n=pct:5:99} of {stage}.>>",
            "release=software/release",
            "success exciting notable/ongoing concerning notable",
        ),
        T(
            "{date} {time} INFO deploy service={service!deployed service} version={version!new"
            " version} env={e=flip:prod/staging} status={s=flip:ok/failed} took={n=num:20:900}s",
            "deploy log=software/operations",
            "success neutral routine/failure concerning notable",
            gist="deploy {service} {version} {s}",
            concepts="deploy, {e}",
            layout="prose",
        ),
        T(
            "Shipped! <<gs:{version!new version} of {service!released service} <<v:went>>"
            " <<o:live>> <<d:in {stage}>>>>[[ at {time}]]. Deploy time <<n:went from {a=num:10:90}"
            " to {b=num:10:90} minutes>> ((thanks to|after)) {change#}.",
            "release speed=software/delivery",
            "success exciting notable",
            swap="a b",
            narrative="Deploy time went from {a} to {b} minutes.",
        ),
        T(
            "<<gs:We <<v:froze>> <<o:deploys>> of {service!frozen service} <<d:until {date}>>>>. //"
            " Reason: <<b:{trouble}>> after {version!bad version}. // <<n:{person!owner}"
            " {x=flip:is/is not} confident that a patch lands before {weekday}.>>",
            "deploy freeze=software/operations",
            "ongoing concerning important",
        ),
        T(
            "deploy checklist for {service!service to deploy} {version!version}\n[x] {check}\n[x]"
            " backup to {syspath!backup target}\n[{x=flip:x/ }] migrate {host!machine}\n[ ] tell"
            " {person!to be told}",
            "deploy checklist=software/operations",
            "ongoing neutral routine",
            summary="deploy checklist for {service} {version}",
            concepts="deploy checklist, backup",
            layout="prose",
        ),
        T(
            "<<g:The <<k:canary>> on {host!canary machine} looked {x=flip:healthy/unhealthy}>>, so"
            " <<e:{person!on call} {y=flip:promoted/stopped} {version!version under test}>>. //"
            " <<n:Error rate {z=flip:fell/rose} from {a=dec:2.1:4.9}{_}% to {b=dec:0.1:1.9}{_}%"
            " within {span}.>>",
            "canary release=software/operations",
            "success satisfying notable/failure concerning important",
            summary="The canary on {host} looked {x}, so {person} {y} {version}.",
        ),
        T(
            "<<gs:{person!asked} <<v:asked>> <<o:{person2!was asked}>> <<d:to deploy"
            " {service!service to deploy}>>>>[[ before {time}]]. // {^change#} must be live by"
            " {date}.",
            "deploy request=software/operations",
            "ongoing neutral routine",
            swap="person person2",
            narrative="{person} asked {person2} to deploy {service}; {change} must be live by"
            " {date}.",
        ),
        T(
            "<<gs:<<v:Upgraded>> <<o:{software!upgraded software}>> from {version!old version} to"
            " {version2!new version} on {n=plain:2:60} hosts>>. // <<n:<<k:Downtime>> was {span};"
            " {host!trouble spot} needed a manual restart because <<b:{trouble}>>.>>",
            "upgrade=software/maintenance",
            GOOD,
            swap="version version2",
        ),
    ),
)
