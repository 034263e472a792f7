"""Error reports: tracebacks, compiler errors, crash logs."""

from spokesmith.data.kinds.family import Kind, T

CRASH = "failure concerning notable"

KIND = Kind(
    name="stack_trace",
    prefixes=("[{host}] ", "got this in CI:\n", "{date} {time}\n", "Crash report:\n"),
    words={
        "complaint": (
            "<<k:invalid literal>> for int() with base 10: '{n=dec:1.1:9.9}'",
            "<<k:list index>> out of range",
            "'NoneType' object has no <<k:attribute>> 'items'",
            "<<k:division by zero>>",
            "<<k:key>> 'user_id' not found",
            "unexpected <<k:end of input>> at column {n=plain:2:120}",
            "<<k:connection refused>>",
            "expected {n=plain:2:9} <<k:arguments>>, got {m=plain:10:14}",
            "maximum <<k:recursion depth>> exceeded",
            'cannot convert "N/A" to float',
            "<<k:timed out>> after {n=num:2:120}{_}s",
            "<<k:disk quota>> exceeded",
            "<<k:codec>> can't decode byte 0x{n=plain:80:99} in position {m=plain:1:4000}",
            '<<k:duplicate key>> value violates unique constraint "users_email_key"',
            "<<k:unknown column>> 'price_{n=plain:2:9}'",
            "<<k:permission denied>>",
            "<<k:broken pipe>>",
        ),
        "call": (
            "return handler(request)",
            "rows = list(reader)",
            "value = int(row[{n=plain:0:12}])",
            "total += item.price",
            "self._flush(batch)",
            "return json.loads(body)",
            "config = load(path)",
            "assert len(frames) == {n=plain:2:60}",
            "user = users[key]",
            "await session.commit()",
        ),
        "package": ("com.acme.billing", "org.heron.core", "io.quartz.net", "net.tern.jobs"),
        "tool": ("make", "cargo check", "npm run build", "gcc -O2", "python3", "tsc", "psql -f"),
        "item": (
            "empty_list",
            "unicode",
            "timeout",
            "retry",
            "leap_year",
            "rounding",
            "large_file",
        ),
        "level": ("ERROR", "FATAL", "CRITICAL", "SEVERE", "panic"),
    },
    templates=(
        T(
            'Traceback (most recent call last):\n  File "{file!where it began}", line'
            ' {a=plain:3:900}, in <module>\n    {call}\n  File "{file2!where it failed}", line'
            " {b=plain:3:900}, in {symbol!failing function}\n    {call2}\n<<gs:{exception!raised"
            " error}: {complaint}>>",
            "traceback=software/errors",
            CRASH,
            layout="prose",
        ),
        T(
            'Exception in thread "main" <<gs:java.lang.{exception!raised error}:'
            " {complaint}>>\n\tat {package}.{symbol!failing method}({file!where it"
            " failed}:{a=plain:3:900})\n\tat {package}.Main.main(Main.java:{b=plain:3:90})",
            "stack trace=software/errors",
            CRASH,
            layout="prose",
        ),
        T(
            "<<g:{file!file with the error}:{a=plain:2:900}:{b=plain:1:80}: error: {complaint}>>\n "
            " {a} |     {call}\n      |     ^~~~\n{n=plain:1:9} errors generated.",
            "compiler error=software/build",
            "failure frustrating routine",
            layout="prose",
            summary="{file}:{a}:{b}: error: {complaint}.",
        ),
        T(
            "{date} {time} {level} {service!failing service} <<gs:{exception!error}: {complaint}>>"
            " (request_id={commit!request}, attempt {n=plain:1:9})",
            "error log=software/errors",
            CRASH,
            layout="prose",
        ),
        T(
            "thread 'main' panicked at '<<gs:{complaint}>>', {file!where it"
            " panicked}:{a=plain:2:900}:{b=plain:1:80}\nnote: run with RUST_BACKTRACE=1 to see a"
            " backtrace",
            "panic=software/errors",
            CRASH,
            layout="prose",
        ),
        T(
            "<<gs:{exception!uncaught error}: {complaint}>>\n    at {symbol!failing call}"
            " ({file!where it failed}:{a=plain:2:900}:{b=plain:1:80})\n    at"
            " process.processTicksAndRejections"
            " (node:internal/process/task_queues:{c=plain:20:99}:{d=plain:1:20})",
            "uncaught error=software/errors",
            CRASH,
            layout="prose",
        ),
        T(
            "FAILED {file!test file}::test_{item} - <<gs:{exception!error}: {complaint}>>\n====="
            " {a=plain:1:9} failed, {b=plain:10:400} passed in {c=dec:1.01:90.99}s =====",
            "test failure=software/testing",
            "failure frustrating routine",
            layout="prose",
            summary="{a} failed, {b} passed in {c}s: {exception}: {complaint}.",
        ),
        T(
            "<<gs:{service!crashed service} <<v:crashed>> on {host!machine} with"
            ' {exception!error}>> at {time}: "{complaint}". // <<n:{person!on call}'
            " <<v:restarted>> <<o:it>>; it {x=flip:ran/crashed} again after {span}.>>",
            "crash=software/incident",
            "success neutral important/failure frustrating critical",
        ),
        T(
            "kernel: [{a=dec:100.111:9999.999}] <<gs:Out of memory: Killed process"
            " {b=plain:100:32000} ({service!killed process})>> total-vm:{c=plain:100000:9999999}kB"
            " on {host!machine}",
            "kernel log=software/operations",
            "failure concerning important",
            layout="prose",
        ),
        T(
            "$ {tool} {file!input}\n<<g:{tool}: {complaint}>>\n$ echo $?\n{a=plain:1:127}",
            "shell session=software/command line",
            "failure neutral routine",
            layout="prose",
            summary="{tool} {file} gave: {complaint}.",
        ),
    ),
)
