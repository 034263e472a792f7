"""Source code in several languages, with quotes, backslashes and indentation."""

from spokesmith.data.kinds.family import Kind, T

KIND = Kind(
    name="code",
    alone=True,
    words={
        "verb": (
            "parse",
            "load",
            "merge",
            "split",
            "scale",
            "hash",
            "format",
            "filter",
            "count",
            "trim",
        ),
        "thing": (
            "token",
            "row",
            "price",
            "name",
            "chunk",
            "path",
            "score",
            "label",
            "user",
            "offset",
        ),
        "classname": ("RateGate", "TokenStore", "FrameQueue", "PlantBed", "OrderBook", "SeatMap"),
        "sl": ("//",),
        "table": (
            "orders",
            "users",
            "invoices",
            "events",
            "plants",
            "patients",
            "flights",
            "tracks",
        ),
        "column": (
            "created_at",
            "total",
            "email",
            "city",
            "status",
            "weight_kg",
            "score",
            "country",
        ),
        "pattern": (
            r"^\d+-[a-z]+$",
            r"\bfoo\s*=\s*(\w+)",
            r"[A-Z]{{2,}},",
            r"(\\d+)\\.(\\d+)",
            r"\t+|\n",
        ),
        "remark": (
            "retry on timeout",
            "keep the order stable",
            "see {ticket}",
            "off by one before {version}",
            "thread safe",
            "slow for more than {n=plain:100:90000} rows",
            "do not log the secret",
            "UTC only",
            "copied from {symbol}",
            "must stay sorted",
        ),
        "literal": (
            '"say \\"hi\\""',
            "'it\\'s'",
            '"C:\\\\temp\\\\new"',
            '"line\\nbreak"',
            '"tab\\there"',
            '"äöü ñ"',
            '"a, b; c"',
            '""',
            '"{n=plain:2:900} items"',
        ),
    },
    types={"table": "identifier"},
    templates=(
        T(
            'def <<g:{verb}_{thing}(text, limit={n=plain:2:900})>>:\n    """{^remark}."""\n    if'
            " len(text) > limit:\n        raise ValueError({literal})\n    return text[:{m=plain:1:60}]",
            "python function=software/code",
            summary="def {verb}_{thing}(text, limit={n}) raises ValueError if len(text) > limit.",
            gist="def {verb}_{thing}(text, limit={n})",
            concepts="limit",
        ),
        T(
            "function {verb}Fields(x) {{\n  {sl} {remark}\n  const parts = x.split({literal});\n "
            " return parts.map(trim).slice(0, {n=plain:2:90});\n}}",
            "javascript function=software/code",
            gist="function {verb}Fields(x)",
            summary="function {verb}Fields(x) returns parts.map(trim).slice(0, {n}).",
            concepts="split, trim",
        ),
        T(
            "SELECT {column}, COUNT(*)\nFROM {table!queried table}\nWHERE {column2} {x=flip:>=/<}"
            " {n=plain:10:9000}\nGROUP BY {column}\nORDER BY 2 DESC\nLIMIT {m=plain:2:90};",
            "sql query=software/database",
            gist="SELECT {column}, COUNT(*) FROM {table}",
            summary="SELECT {column}, COUNT(*) FROM {table} WHERE {column2} {x} {n}.",
            concepts="{table}",
        ),
        T(
            "func {verb}(path string) error {{\n\tdata, err := os.ReadFile(path)\n\tif err != nil {{\n\t\treturn"
            ' fmt.Errorf("{verb} %q: %w", path, err)\n\t}}\n\tfmt.Println(len(data), {n=plain:2:900}) {sl}'
            " {remark}\n\treturn nil\n}}",
            "go function=software/code",
            gist="func {verb}(path string) error",
            summary="func {verb}(path string) error with os.ReadFile(path): {remark}.",
            concepts="path",
        ),
        T(
            "fn {verb}_{thing}(input: &str) -> Option<u{n=plain:8:64}> {{\n    {sl} {remark}\n   "
            " let value = input.trim().parse().ok()?;\n    if value > {m=plain:2:900} {{ None }}"
            " else {{ Some(value) }}\n}}",
            "rust function=software/code",
            gist="fn {verb}_{thing}(input: &str) -> Option<u{n}>",
            summary="fn {verb}_{thing}(input: &str) gives None if value > {m}.",
            concepts="input, value",
        ),
        T(
            "#!/bin/bash\nset -euo pipefail\nfor f in {syspath!input}; do\n  grep -c '{pattern}' \"$f\" ||"
            ' echo "none in $f"\ndone\nsleep {n=plain:1:90}',
            "shell script=software/code",
            gist="grep -c in {syspath}",
            summary="for f in {syspath}: grep -c '{pattern}'.",
            concepts="grep",
        ),
        T(
            "public class {classname} {{\n    private static final int LIMIT = {n=plain:2:9000};\n "
            "   {sl} {remark}\n    public boolean {x=flip:isOpen/isClosed}() {{ return count"
            " {y=flip:</>=} LIMIT; }}\n}}",
            "java class=software/code",
            gist="public class {classname}",
            summary="public class {classname} with LIMIT = {n} and {x}().",
            concepts="limit",
        ),
        T(
            "diff --git a/{file} b/{file}\n@@ -{a=plain:1:400} +{a} @@\n-   "
            " {verb}_{thing}({n=plain:2:400})\n+    {verb}_{thing}({m=plain:2:400})",
            "diff=software/version control",
            gist="{verb}_{thing}({n}) to {verb}_{thing}({m})",
            summary="-{verb}_{thing}({n}) +{verb}_{thing}({m}) in {file}.",
            swap="n m",
        ),
        T(
            "#define {variable!macro} {n=plain:2:9000}\nint {verb}(char *s, size_t n) {{\n    while"
            " (n-- && *s != '\\0') s++;  /* {remark} */\n    return n == 0 ? -{m=plain:1:9} :"
            " 0;\n}}",
            "c function=software/code",
            gist="int {verb}(char *s, size_t n)",
            summary="#define {variable} {n}; int {verb}(char *s, size_t n).",
        ),
        T(
            ">>> import re\n>>> re.{f=flip:match/search}(r'{pattern}', {literal})\n>>>"
            " <<g:len({thing}s)>>\n{n=plain:2:9000}",
            "python session=software/code",
            gist="len({thing}s) {n}",
            summary="re.{f}(r'{pattern}', {literal}); len({thing}s) is {n}.",
            concepts="re",
        ),
        T(
            "Regex for {thing#}s in {file!uses the regex}: <<gs:`{pattern}`>>, tested with"
            " {literal}[[ on {n=plain:20:9000} lines]]. {^remark}.",
            "regular expression=software/code",
            gist="Regex for {thing}s in {file}",
            summary="Regex for {thing}s in {file}: `{pattern}`, tested with {literal}.",
        ),
        T(
            "git {x=flip:push/pull} origin feature/{thing}-{n=plain:2:900}\n# {remark}\ngit log"
            " --oneline -{m=plain:2:30} | grep {commit!searched commit}",
            "git commands=software/version control",
            gist="git {x} origin feature/{thing}-{n}",
            summary="git {x} origin feature/{thing}-{n}, then git log for {commit}.",
        ),
    ),
)
