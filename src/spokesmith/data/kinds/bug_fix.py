"""Notes on defects: what was wrong, why, who mended it where."""

from spokesmith.data.kinds.family import Kind, T

FIXED = "success satisfying notable"
OPEN = "ongoing frustrating notable"

KIND = Kind(
    name="bug_fix",
    prefixes=("fix: ", "{date}: ", "Bug log, {date}: ", "[{project}] ", "FYI, ", "Postmortem: "),
    words={
        "defect": (
            "a race condition",
            "an off-by-one error",
            "a memory leak",
            "a null pointer check",
            "a deadlock",
            "a time zone mix-up",
            "a missing index",
            "an unclosed file handle",
            "a stale cache entry",
            "an integer overflow",
            "a wrong default",
            "a double free",
            "a broken redirect",
            "an infinite loop",
            "a rounding error",
            "a missing semicolon",
            "an encoding bug",
            "a typo in the query",
            "a leaked connection",
            "a bad regex",
            "a forgotten await",
            "a swapped argument",
            "an unescaped quote",
            "a circular import",
        ),
        "area": (
            "the login form",
            "the export job",
            "the retry loop",
            "the date picker",
            "the CSV import",
            "the search page",
            "the payment callback",
            "the upload handler",
            "the settings screen",
            "the nightly backup",
            "the password reset",
            "the cart total",
            "the image cache",
            "the sync worker",
            "the report footer",
            "the mobile menu",
            "the session cleanup",
        ),
        "symptom": (
            "users were <<k:logged out>> after {n=plain:2:59} minutes",
            "page {n=plain:2:90} came back empty",
            "<<k:memory>> grew by {n=num:12:900}{_}MB an hour",
            "every request took {n=dec:1.1:9.9}{_}s",
            "{n=pct:2:60} of the <<k:uploads>> failed",
            "orders were <<k:charged twice>>",
            "the total was off by {n=money:1:90}",
            "the process crashed with exit code {n=plain:1:139}",
            "<<k:emails>> went out {n=plain:2:9} times",
            "names with <<k:accents>> turned into question marks",
            "the <<k:queue>> stalled at {n=num:120:9000} jobs",
            "the <<k:last row>> was dropped",
            "dates moved by one day",
            "the <<k:cursor>> jumped to the top",
            "<<k:dark mode text>> was unreadable",
        ),
        "reason": (
            "the lock was released before the write",
            "the loop started at 1 instead of 0",
            "the token was compared with the wrong clock",
            "the cache key left out the locale",
            "the buffer held only {m=num:64:4096} bytes",
            "nobody closed the cursor",
            "the retry had no upper bound",
            "the header was parsed twice",
            "two threads shared one connection",
            "the timeout was read as {m=num:5:900} seconds",
            "the comparison used strings",
            "the migration skipped old rows",
            "the flag was never reset",
            "the limit of {m=num:50:5000} was hard coded",
        ),
        "remedy": (
            "taking the lock earlier",
            "adding a bounds check",
            "closing the handle in a finally block",
            "escaping the input",
            "raising the limit to {r=num:20:9000}",
            "using UTC everywhere",
            "adding the locale to the key",
            "checking for null first",
            "sorting before the merge",
            "capping retries at {r=plain:2:9}",
            "copying the list",
            "pinning the parser",
        ),
        "repair": (
            "takes the lock earlier",
            "adds a bounds check",
            "closes the handle",
            "escapes the input",
            "raises the limit to {r=num:20:9000}",
            "uses UTC everywhere",
            "checks for null first",
            "caps retries at {r=plain:2:9}",
            "copies the list before the loop",
            "resets the flag",
        ),
    },
    templates=(
        T(
            "<<gs:{person!made the fix} <<v:fixed>> <<o:{defect#}>> in {file!file that was"
            " changed}>>[[ <<d:on {date}>>]]. // <<n:{^symptom} because <<b:{reason}>>.>>[[ // A"
            " regression test covers it now.]]",
            "defect repair=software/bug fix",
            FIXED,
        ),
        T(
            "<<n:{^symptom}. // Root cause: <<b:{reason}>>.>> // <<gs:<<v:Fixed>> <<o:{defect#}>>"
            " in {file!where the defect was}>>[[ ({ticket!ticket of the defect})]].",
            "root cause=software/debugging",
            FIXED,
        ),
        T(
            "fix({service!component}): <<gn:<<v:remove>> <<o:{defect#}>> in {symbol!code at"
            " fault}>>\n\n{^symptom} since <<b:{reason}>>.\nCloses {ticket!closed ticket}.",
            "commit message=software/version control",
            FIXED,
            layout="prose",
        ),
        T(
            "((Turns out|So,|Finally found it:|It seems)) <<gs:<<b:{reason}>> in {symbol!code at"
            " fault}>>, so <<e:{symptom}>>. // <<n:{person!author of the patch} <<v:patched>>"
            " <<o:it>> by <<d:{remedy}>>.>>",
            "debugging=software/debugging",
            FIXED,
            narrative="{^reason}, so {symptom}. {person} patched it by {remedy}.",
        ),
        T(
            "{ticket!ticket} | {version!affected version} | <<gs:{defect#} in {area}>> | {symptom}"
            " | assigned to {person!assignee} | {state=flip:open/closed}",
            "issue tracking=software/bugs",
            "ongoing neutral routine/success neutral routine",
        ),
        T(
            "<<gs:We still see {defect#} in {area}>>: {symptom}. // <<n:{person!looked into it}"
            " <<v:tried>> <<o:{remedy}>>, but the problem came back after {dur}.>> // <<s:Nobody"
            " knows the cause yet.>>",
            "unsolved defect=software/debugging",
            OPEN,
        ),
        T(
            "<<gs:The patch in {commit!commit with the patch} {x=flip:fixed/did not fix} {defect#}"
            " in {file!patched file}>>. // {person!tester} <<v:ran>> <<o:the suite>>"
            " <<d:{n=plain:2:90} times>> on {host!test machine} and {y=flip:saw no failure/saw the"
            " same failure}.",
            "regression test=software/testing",
            "success satisfying notable/failure frustrating notable",
            narrative="{person} ran the suite {n} times on {host} and {y}.",
        ),
        T(
            "- Symptom: <<s:<<n:{symptom}>>>>\n- Cause: <<b:{reason}>>\n- Fix: {remedy}\n- File:"
            " {file!changed file}\n- Reviewer: {person!reviewer}",
            "defect summary=software/bugs",
            FIXED,
            gist="{symptom}",
            narrative="{^symptom}: {reason}.",
            layout="prose",
        ),
        T(
            "<<gs:{area} no longer breaks>>: the ((change|commit|patch)) in {file!changed file}"
            " {repair#}. // Before, {symptom}.[[ // Shipped in {version!release with the fix}.]]",
            "bug fix=software/release",
            FIXED,
            narrative="Before, {symptom}. {area} no longer breaks.",
        ),
        T(
            "{person!reported the bug} <<v:reported>> <<o:{defect#}>> to {person2!received the"
            " report}. // <<n:{^symptom}>>[[ on {host!affected machine}]].",
            "bug report=software/support",
            "ongoing concerning notable",
            swap="person person2",
            gist="{person} reported {defect} to {person2}",
        ),
        T(
            "<<gs:{version!first fixed version} fixes {defect#}, {version2!version with the fault}"
            " still has it>>. // <<t:To stay safe>>, {team!told to upgrade} should <<v:upgrade>>"
            " <<o:{service!service to upgrade}>> <<d:before {date}>>.",
            "upgrade=software/maintenance",
            "ongoing neutral notable",
            swap="version version2",
        ),
        T(
            "Bisected {defect#}: <<gs:{commit!last good commit} is good, {commit2!first bad commit}"
            " is bad>>. // <<n:{commit2} <<v:touched>> <<o:{file!suspect file}>>[[ and {file2!also"
            " touched}]].>>",
            "bisection=software/debugging",
            "ongoing neutral notable",
            swap="commit commit2",
        ),
    ),
)
