"""Measurements: tables, before and after, comparisons."""

from spokesmith.data.kinds.family import Kind, T

BETTER = "success satisfying notable"

KIND = Kind(
    name="benchmark",
    prefixes=("Results: ", "Bench {date}\n", "Run {k=plain:2:900}: ", "perf: "),
    words={
        "metric": (
            "p99 latency",
            "p50 latency",
            "startup time",
            "peak memory",
            "build time",
            "throughput",
            "binary size",
            "cold start",
            "page load",
            "index size",
            "CPU load",
            "frame time",
            "cache misses",
            "boot time",
            "training time",
            "time to first byte",
            "disk reads",
        ),
        "unit": (
            "ms",
            "s",
            "MB",
            "GB",
            "req/s",
            "MiB",
            "tokens/s",
            "kB",
            "FPS",
            "µs",
            "ops/s",
            "J",
        ),
        "cause": (
            "batching the writes",
            "an index on created_at",
            "a larger cache",
            "dropping debug logs",
            "the new allocator",
            "lazy loading",
            "moving to SSDs",
            "gzip",
            "vector instructions",
            "removing a lock",
            "the switch to {software}",
            "smaller images",
            "fewer round trips",
        ),
        "setup": (
            "on {host!test machine}",
            "with {n=plain:2:64} threads",
            "on a {n=plain:4:128}-core box",
            "with batch size {n=plain:2:256}",
            "over {n=num:100:9000} runs",
            "at {n=num:50:5000} clients",
            "with {software}",
            "on battery",
            "under load",
        ),
        "item": (
            "parse",
            "sort",
            "join",
            "encode",
            "decode",
            "insert",
            "scan",
            "lookup",
            "compress",
            "hash",
            "render",
            "merge",
            "tokenize",
            "resize",
            "encrypt",
            "replay",
            "export",
            "import",
            "search",
        ),
        "product": (
            "Lumo 7",
            "Tern X2",
            "Pixelbook Mini",
            "Aster Pad",
            "Volt 14",
            "Nova Slate",
            "Kite 5",
            "Orb Watch",
        ),
        "model": (
            "baseline",
            "v1",
            "v2",
            "small",
            "large",
            "tiny",
            "quantized",
            "fp16",
            "int8",
            "tuned",
        ),
    },
    templates=(
        T(
            "<<gs:{^metric#} of {service!measured service} <<v:went>> <<o:from {a=num:10:990} to"
            " {b=num:10:990}{_}{unit}>>>> after {cause#}[[ ({setup})]].",
            "performance=software/performance",
            "unknown neutral notable",
            swap="a b",
            narrative="After {cause}, {metric} went from {a} to {b}{_}{unit}.",
        ),
        T(
            "| case | before | after |\n|---|---|---|\n| <<g:{item}>> | {a=num:20:900}{_}{unit} |"
            " {b=num:20:900}{_}{unit} |\n| {item2} | {c=num:20:900}{_}{unit} |"
            " {d=num:20:900}{_}{unit} |[[\n| {item3} | {e=num:20:900}{_}{unit} |"
            " {f=num:20:900}{_}{unit} |]]",
            "benchmark=software/performance",
            "unknown neutral routine",
            swap="a b; c d",
            layout="prose",
            gist="before and after for {item} and {item2}",
            summary="{item}: {a}{_}{unit} before, {b}{_}{unit} after; {item2}: {c}{_}{unit} before,"
            " {d}{_}{unit} after.",
            concepts="{item}, {item2}",
        ),
        T(
            "name\t{metric#}"
            " ({unit})\terrors\n{model}\t{a=dec:1.1:99.9}\t{x=plain:0:40}\n{model2}\t{b=dec:1.1:99.9}\t{y=plain:0:40}[[\n{model3}\t{c=dec:1.1:99.9}\t{z=plain:0:40}]]",
            "comparison=research/measurement",
            swap="a b; x y",
            layout="prose",
            gist="{metric} of {model} and {model2}",
            summary="{metric} ({unit}): {model} {a}, {model2} {b}.",
        ),
        T(
            "<<gs:{software!one contender} beats {software2!other contender} on {metric#}>>:"
            " {a=num:100:400} vs {b=num:500:900}{_}{unit} {setup}. // <<n:The gap <<v:closes>>"
            " <<d:at {n=num:1000:20000} rows>>.>>",
            "comparison=software/performance",
            "unknown neutral notable",
            swap="software software2",
        ),
        T(
            "BenchmarkDecode-{n=plain:2:32}   {r=plain:1000:99999}   {a=plain:100:99999} ns/op  "
            " {b=plain:0:4096} B/op   {c=plain:0:60} allocs/op",
            "benchmark=software/performance",
            layout="prose",
            gist="BenchmarkDecode-{n} {a} ns/op",
            concepts="allocs",
        ),
        T(
            "<<gs:{cause#} {x=flip:cut/raised} {metric#} by {p=pct:3:80}>>[[ {setup}]]. //"
            " <<n:{person!ran the measurement} <<v:repeated>> <<o:the run>> <<d:{n=plain:3:50}"
            " times>>; the spread stayed under {q=dec:0.1:4.9}{_}{unit}.>>",
            "tuning=software/performance",
            "success satisfying notable/failure concerning notable",
        ),
        T(
            "{model}: accuracy {a=dec:61.1:98.9}, loss {b=dec:0.011:2.999}\n{model2}: accuracy"
            " {c=dec:61.1:98.9}, loss {d=dec:0.011:2.999}\n<<g:{person!trained them} keeps"
            " {model}>>",
            "evaluation=research/machine learning",
            "success neutral notable",
            swap="a c; b d",
            layout="prose",
            summary="{model} has accuracy {a}, {model2} has accuracy {c}; {person} keeps {model}.",
            concepts="accuracy, loss",
        ),
        T(
            "<<gs:Load test of {service!tested service} {x=flip:held/failed} at {n=num:500:50000}"
            " users>>. // <<n:{^metric#} was {a=num:10:900}{_}{unit} at the start and"
            " {b=num:10:900}{_}{unit} after {span}.>>[[ // Raw data: {syspath!raw data}]]",
            "load test=software/performance",
            "success satisfying notable/failure concerning important",
            swap="a b",
        ),
        T(
            "<<gs:<<k:Battery test>>: {product!tested device} <<v:lasted>> <<o:{a=dec:4.1:19.9}"
            " hours>> at {b=plain:50:400} nits>>. // <<n:Screen off, it lost {p=pct:1:9} in"
            " {span}.>>",
            "battery life=hardware/testing",
            "unknown neutral routine",
        ),
        T(
            "{metric#} {setup}: <<gs:{item} {a=dec:1.01:9.99}x {x=flip:faster/slower}, {item2}"
            " {b=dec:1.01:9.99}x {y=flip:slower/faster}>>, {item3} unchanged",
            "benchmark=software/performance",
            "unknown neutral routine",
            swap="a b",
        ),
    ),
    types={"product": "product"},
)
