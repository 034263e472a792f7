"""Identifiers and paths that are long or close to each other: all of them have to be exact."""

from typing import TYPE_CHECKING

from spokesmith.data import words
from spokesmith.data.kinds.family import Kind, T
from spokesmith.data.words import listed

if TYPE_CHECKING:
    from spokesmith.data.kinds.pattern import Draw

LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def hexadecimal(draw: "Draw", count: str) -> str:
    """So many hexadecimal digits."""
    return f"{draw.random.getrandbits(4 * int(count)):0{count}x}"


def uuid(draw: "Draw") -> str:
    """A random UUID."""
    digits = hexadecimal(draw, "32")
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-b{digits[17:20]}-{digits[20:]}"


def token(draw: "Draw", count: str) -> str:
    """So many small letters and digits, as in the names of pods."""
    return "".join(draw.random.choice(LETTERS) for _ in range(int(count)))


def pod(draw: "Draw") -> str:
    """The name of a pod: deployment, replica set, pod."""
    name = draw.random.choice(words.SERVICES)
    return f"{name}-{hexadecimal(draw, '9')}-{token(draw, '5')}"


def deep_path(draw: "Draw") -> str:
    """A path of five to seven parts."""
    some = draw.random.sample(words.FILE_STEMS, 4)
    root = draw.random.choice(("/srv/data", "/opt/app/releases", "/mnt/nas01", "/usr/local/share"))
    day = f"{draw.random.randint(2019, 2027)}/{draw.random.randint(1, 12):02d}"
    end = draw.random.choice(("parquet", "log.gz", "json", "tar.zst", "py", "csv", "yaml"))
    return f"{root}/{some[0]}/{day}/{some[1]}-{some[2]}/{some[3]}.{end}"


def long_url(draw: "Draw") -> str:
    """An address with a path and several parameters."""
    host, slug = draw.random.choice(words.DOMAINS), draw.random.choice(words.SLUGS)
    first, second = draw.random.sample(words.FILE_STEMS, 2)
    return (
        f"https://{host}/v{draw.random.randint(1, 4)}/{slug}?{first}={draw.random.randint(2, 9999)}"
        f"&{second}={token(draw, '6')}&page={draw.random.randint(2, 90)}"
    )


def account(draw: "Draw") -> str:
    """An account number in groups of four."""
    groups = " ".join(f"{draw.random.randrange(10000):04d}" for _ in range(4))
    return f"{draw.random.choice(('DE', 'NL', 'PT', 'NO', 'PL'))}{draw.random.randint(10, 98)} {groups}"


KIND = Kind(
    name="long_identifiers",
    words={
        "hex": hexadecimal,
        "uuid": uuid,
        "token": token,
        "pod": pod,
        "deep": deep_path,
        "longurl": long_url,
        "account": account,
        "digest": ("sha256:{h=hex:64}",),
        "hash": ("{h=hex:40}",),
        "mac": (
            "{a=hex:2}:{b=hex:2}:{c=hex:2}:{d=hex:2}:{e=hex:2}:{f=hex:2}",
            "{a=hex:2}-{b=hex:2}-{c=hex:2}-{d=hex:2}-{e=hex:2}-{f=hex:2}",
        ),
        "doi": ("10.{n=plain:1000:9999}/{w=word}.{y=plain:2009:2027}.{m=plain:10:999}",),
        "arn": (
            "arn:aws:s3:::{p=token:6}-{n=plain:10:99}/{w=word}/{h=hex:8}",
            "gs://{p=token:6}-{n=plain:10:99}/{w=word}/part-{m=plain:10000:99999}.avro",
        ),
        "package": (
            "org.{w=word}.{v=word}.{s=symbol}",
            "com.example.{w=word}.internal.{v=word}.{s=symbol}",
        ),
        "image": ("registry.example.com/{w=word}/{v=word}:{x=version}-{h=hex:7}",),
        "build": ("{x=version}+build.{n=plain:100:9999}.{h=hex:7}",),
        "part": ("{a=token:3}-{n=plain:1000:9999}-{b=token:2}/{m=plain:10:99}",),
        "namespace": listed("staging, prod, kube-system, billing, edge, sandbox, observability"),
        "status": listed("Running, Pending, CrashLoopBackOff, Completed, Evicted, Terminating"),
    },
    types={
        **dict.fromkeys(
            ("uuid", "pod", "digest", "hash", "mac", "doi", "arn", "package", "build"),
            "identifier",
        ),
        **dict.fromkeys(("part", "account", "namespace", "hex"), "identifier"),
        "deep": "file",
        "longurl": "url",
        "image": "software",
    },
    templates=(
        T(
            "<<g:Request>> {uuid!failed request} failed with {n=plain:400:504}, its retry"
            " {uuid2!retry} {x=flip:went through/failed as well}. // {person!reported} <<v:sent>>"
            " <<o:the trace>> <<d:at {time}>>.",
            "request trace=software/tracing",
            "success neutral routine/failure concerning notable",
            gist="Request failed with {n}, its retry {x}",
            summary="Request {uuid} failed with {n}; retry {uuid2} {x}.",
            swap="uuid uuid2",
        ),
        T(
            "commit {hash!commit}\nAuthor: {fullname!author} <{email}>\nDate:   {date} {time}\n\n   "
            " move {file!moved} to {file2!new place}",
            "commit=software/version history",
            gist="move {file} to {file2}",
            summary="{fullname} on {date}: move {file} to {file2}",
            layout="prose",
            concepts="commit",
            swap="file file2",
        ),
        T(
            "NAME   READY   STATUS   RESTARTS\n{pod!pod}   1/1   {status}   {n=plain:0:90}\n{pod2!pod}"
            "   0/1   {status2}   {m=plain:0:90}[[\nnamespace: {namespace!namespace}]]",
            "pods=software/containers",
            gist="pods {status} and {status2}",
            summary="{pod} {status} {n}; {pod2} {status2} {m}",
            layout="prose",
            concepts="status",
            swap="status status2",
        ),
        T(
            "<<gs:{person!copied} <<v:copied>> <<o:{deep!source}>> <<d:to {deep2!target}>>>> at"
            " {time}, {n=num:2:900} MB in all.",
            "file copy=software/files",
            "success neutral routine",
            gist="{person} copied a file",
            summary="{person} copied {deep} to {deep2}.",
            swap="deep deep2",
            layout="prose",
        ),
        T(
            "Image {image!image} {x=flip:passed/failed} the scan. // Digest: {digest!digest}. //"
            " <<n:{cve!finding} and {cve2!finding} are {y=flip:fixed/open}.>>",
            "image scan=software/security",
            "success neutral notable/failure concerning important",
            gist="the scan {x}, {cve} and {cve2} {y}",
            summary="{image} {x} the scan; {cve} and {cve2} are {y}.",
            concepts="scan",
            layout="prose",
        ),
        T(
            "curl -H 'X-Trace: {uuid!trace}' '{longurl!called address}'\n# answers {n=plain:200:504}"
            " in {a=plain:2:900} ms",
            "api call=software/web",
            gist="curl answers {n} in {a} ms",
            summary="curl '{longurl}' answers {n} in {a} ms",
            layout="prose",
            concepts="curl",
        ),
        T(
            "{first!sent the link}: look at {longurl!shared link}\n{first2!answers}:"
            " <<g:{x=flip:works for me/gives me a blank page}>>, I used {longurl2!link that was"
            " used}",
            "shared link=communication/links",
            "success neutral routine/failure frustrating routine",
            gist="{first2}: {x}",
            summary="{first}: {longurl}. {first2}: {x}.",
            layout="prose",
            concepts="look",
            swap="first first2",
        ),
        T(
            "<<gs:Please <<v:pay>> <<o:{a=money:20:9000}>> <<d:to {account!recipient account}>>>>,"
            " not to {account2!old account}; reference {part!reference}. // {company!recipient}"
            " closed the old one.",
            "payment=money/transfers",
            "ongoing neutral notable",
            concepts="reference",
            gist="Please pay {a} to {account}",
            summary="Please pay {a} to {account}, not to {account2}.",
            swap="account account2",
        ),
        T(
            "{mac!device}  {ip!address}  {host!host}\n{mac2!device}  {ip2!address}  {host2!host}",
            "devices=software/network",
            gist="{ip} {host}, {ip2} {host2}",
            summary="{mac} {ip} {host}; {mac2} {ip2} {host2}",
            layout="prose",
            concepts="{host}",
            swap="ip ip2",
        ),
        T(
            "{digest!checksum}  {deep!checked file}\n{digest2!checksum}  {deep2!checked"
            " file}\n{deep}: {x=flip:OK/FAILED}",
            "checksums=software/files",
            "success neutral routine/failure concerning notable",
            gist="checksums: {x}",
            summary="{deep}: {x}",
            layout="prose",
            concepts="sha256",
        ),
        T(
            "<<gs:{package!class} is {x=flip:kept/removed} in {build!build}>>; callers should"
            " <<v:use>> <<o:{package2!replacement}>>. // <<n:{person!maintainer} asks for a note in"
            " {file!notes}.>>",
            "deprecation=software/releases",
            "unknown neutral notable",
            gist="{package} is {x}",
            summary="{package} is {x} in {build}.",
            concepts="callers",
        ),
        T(
            "Dataset doi:{doi!data set} replaces doi:{doi2!older data set}. // The files are at"
            " {arn!storage}, <<g:{n=num:100:90000} {things#} in all>>. // <<n:Contact: {email!contact}.>>",
            "data set=research/data",
            "success neutral routine",
            summary="doi:{doi} replaces doi:{doi2}: {n} {things} in all.",
            swap="doi doi2",
        ),
        T(
            "Order {part!ordered part} x{n=plain:2:90}, {part2!ordered part} x{m=plain:2:90}; serial"
            " {uid!serial number}[[; deliver to {city!delivery}]]",
            "parts order=business/orders",
            "ongoing neutral routine",
            gist="Order {part} x{n}, {part2} x{m}",
            summary="Order {part} x{n} and {part2} x{m}; serial {uid}.",
            layout="prose",
            concepts="order",
            swap="part part2",
        ),
        T(
            "E {time} worker[{n=plain:100:99999}]: {symbol!failing function}({variable!argument}="
            "{h=hex:12}) at {deep!file}:{k=plain:2:900}: no such key '{pod!missing key}'",
            "log line=software/logging",
            "failure concerning routine",
            gist="worker[{n}]: {symbol}: no such key",
            summary="worker[{n}] at {deep}:{k}: no such key '{pod}'",
            layout="prose",
            concepts="worker",
        ),
        T(
            '{hex=hex:7} {verb=adjective} {noun}\n{hex2=hex:7} revert "{noun2}"\n{hex3=hex:7} add'
            " {file!added}\n(HEAD is {hex}, {n=plain:2:60} commits ahead of {hex3})",
            "commit list=software/version history",
            gist="HEAD is {hex}, {n} commits ahead of {hex3}",
            summary='{hex} {verb} {noun}, {hex2} revert "{noun2}", {hex3} add {file}.',
            layout="prose",
            concepts="commits",
            swap="hex hex3",
        ),
    ),
)
