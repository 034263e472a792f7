"""Configuration files and parts of them: ini, yaml, env, toml, properties, unit and proxy files."""

from spokesmith.data.kinds.family import Kind, T

KIND = Kind(
    name="config_dump",
    alone=True,
    prefixes=(
        "current config:\n",
        "$ cat {syspath}\n",
        "# {date}\n",
        "Settings:\n",
        "# managed by hand\n",
    ),
    words={
        "flag": (
            "dark_mode",
            "beta_search",
            "fast_path",
            "audit",
            "compression",
            "new_cart",
            "tracing",
            "strict_types",
            "gzip",
            "autosave",
            "verbose",
            "offline_sync",
            "two_factor",
            "prefetch",
        ),
        "level": ("debug", "info", "warning", "error", "trace", "critical"),
        "section": (
            "server",
            "database",
            "cache",
            "mail",
            "queue",
            "storage",
            "limits",
            "auth",
            "worker",
            "display",
            "network",
            "backup",
            "search",
            "billing",
        ),
        "store": (
            "orders",
            "users",
            "ledger",
            "archive",
            "metrics",
            "inventory",
            "sessions",
            "invoices",
            "photos",
            "leads",
            "tickets",
            "readings",
        ),
        "mode": ("readonly", "primary", "replica", "standalone", "cluster", "mirror", "shadow"),
        "zone": (
            "Europe/Lisbon",
            "Asia/Tokyo",
            "Africa/Nairobi",
            "America/Lima",
            "UTC",
            "Europe/Oslo",
        ),
        "locale": ("en_GB", "de_DE", "pt_BR", "fr_FR", "ja_JP", "es_MX", "it_IT", "nb_NO"),
        "why": (
            "the nightly export timed out",
            "{n=num:20:900} clients share one address",
            "the disk filled up twice",
            "the vendor limits us to {n=plain:5:90} calls",
            "old phones cannot handle more",
            "the proxy drops idle connections",
            "the audit asked for it",
            "memory ran out under load",
            "users complained about lag",
            "the certificate has a short life",
            "replicas lag by {n=plain:2:90} seconds",
        ),
        "job": (
            "rotate-logs",
            "send-digest",
            "vacuum-db",
            "sync-stock",
            "warm-cache",
            "purge-temp",
            "check-certs",
            "export-csv",
            "build-index",
            "mail-reminders",
        ),
        "image": (
            "alpine",
            "debian",
            "python",
            "node",
            "golang",
            "busybox",
            "ubuntu",
            "eclipse-temurin",
        ),
        "user": (
            "www-data",
            "deploy",
            "backup",
            "nobody",
            "svc_mail",
            "runner",
            "postgres",
            "admin",
        ),
        "editor": ("tabs", "spaces"),
        "key": (
            "timeout",
            "retries",
            "max_size",
            "pool_size",
            "batch",
            "ttl",
            "interval",
            "workers",
            "threads",
            "backlog",
            "window",
            "burst",
        ),
        "device": (
            "thermostat",
            "radiator",
            "heat pump",
            "floor heating",
            "wine fridge",
            "incubator",
            "fan heater",
            "towel rail",
            "terrarium",
            "freezer",
        ),
        "room": ("kitchen", "cellar", "nursery", "hallway", "workshop", "attic", "office", "barn"),
    },
    types={"store": "identifier", "job": "identifier", "user": "identifier", "image": "software"},
    templates=(
        T(
            "[{section#}]\nhost = {host!server host}\nport = {n=plain:1024:9999}\n{key} ="
            " {m=plain:2:900}\n\n[{section2#}]\nfile = {syspath!log file}\nlevel = {level}",
            "ini file=software/configuration",
            gist="{section}: {host} port {n}, {key} {m}",
            summary="[{section}] sets host {host}, port {n} and {key} {m}; [{section2}] sets"
            " level {level}",
            layout="prose",
        ),
        T(
            "# {service!configured service},"
            " {date}\n{variable!setting}={n=plain:1:900}\n{variable2!setting}={x=flip:on/off}"
            "\nDATABASE_URL=postgres:"
            "//{user!database user}@{host!database"
            " host}:{m=plain:5000:6500}/{store!database}\nTZ={zone}",
            "environment file=software/configuration",
            gist="{store} on {host}, {variable}={n}",
            summary="{variable}={n}, {variable2}={x}, database {store} on {host} and TZ={zone}",
            layout="prose",
        ),
        T(
            "service: {service!configured service}\nreplicas: {n=plain:2:40}\nimage:"
            " {image!base image}:{version!image version}\nresources:\n  cpu: {c=plain:1:16}\n "
            " memory:"
            " {m=plain:1:64}Gi\nfeatures:\n  - {flag#}\n  - {flag2#}",
            "yaml file=software/configuration",
            gist="{service}: {n} replicas of {image}:{version}",
            summary="{service} has {n} replicas of {image}:{version} with cpu {c} and memory {m}Gi",
            layout="prose",
        ),
        T(
            'title = "{project!project}"\n\n[owner]\nname = "{fullname!owner}"\nmail ='
            ' "{email!contact}"\n\n[{section#}]\nenabled = {x=flip:true/false}\nports ='
            " [{n=plain:1024:4999}, {m=plain:5000:9999}]",
            "toml file=software/configuration",
            gist="{project}, owner {fullname}: {section} ports {n}, {m}",
            summary="{project} is owned by {fullname}; {section} has enabled = {x} and ports {n}"
            " and {m}",
            layout="prose",
        ),
        T(
            "# {key} was {n=plain:2:400}, raised because <<b:{why}>>\n{key}: {m=plain:401:900}\n{flag#}:"
            " {x=flip:true/false}\nlog:"
            " {level}",
            "settings=software/configuration",
            "unknown neutral notable",
            gist="{key} was {n}, now {m}; {flag} {x}",
            summary="{^key} was {n}, raised to {m} because {why}",
            narrative="Because {why}, {key} went from {n} to {m}",
            layout="prose",
        ),
        T(
            "{flag#}={x=flip:true/false}\n# <<gs:<<v:turned>> {y=flip:on/off} <<o:{flag}>> by"
            " {person!changed the flag}>> because"
            " <<b:{why}>>\n{flag2#}={z=flip:false/true}\ntimezone={zone}",
            "feature flags=software/configuration",
            "unknown neutral notable",
            gist="{flag}={x}, {y} by {person}",
            summary="{flag}={x}: {person} turned {y} {flag} because {why}",
            narrative="{person} turned {y} {flag} because {why}",
            layout="prose",
        ),
        T(
            "server {{\n    listen {n=plain:80:9999};\n    server_name {host!server"
            " name}.example.com;\n"
            "    location /{store} {{\n        proxy_pass"
            " http://{host2!upstream}:{m=plain:3000:9999};\n"
            "        proxy_read_timeout {k=plain:5:300}s;\n    }}\n}}",
            "proxy=software/configuration",
            gist="{host} port {n}: /{store} to http://{host2}:{m}",
            summary="{host} listens on {n} and passes /{store} to http://{host2}:{m}, timeout {k}s",
            concepts="proxy_pass, server",
            layout="prose",
            swap="host host2",
        ),
        T(
            "{n=plain:0:59} {k=plain:0:23} * * {m=plain:1:6} /usr/local/bin/{job!scheduled job}"
            " --quiet\n"
            "{i=plain:0:59} * * * * /usr/local/bin/{job2!hourly job}\nMAILTO={email!gets the mail}",
            "crontab=software/scheduling",
            gist="{job} {n} {k} * * {m}, {job2} {i} * * * *",
            summary="{job} runs on {n} {k} * * {m}, {job2} on {i} * * * *; mail goes to {email}",
            layout="prose",
        ),
        T(
            "Host {host!machine}\n  HostName 10.{a=plain:0:250}.{b=plain:0:250}.{c=plain:1:250}\n"
            "  User"
            " {user!login}\n  Port {n=plain:22:9999}\n  ForwardAgent {x=flip:yes/no}",
            "ssh access=software/configuration",
            gist="Host {host}: user {user}, port {n}",
            summary="Host {host} at 10.{a}.{b}.{c} takes user {user} on port {n}, ForwardAgent {x}",
            layout="prose",
        ),
        T(
            "[Unit]\nDescription={service!started service}\nAfter={software!starts"
            " before}.service\n\n[Service]\nUser={user!runs the"
            " service}\nExecStart=/opt/{store}/bin/run"
            " --port {n=plain:1024:9999}\nRestart={x=flip:always/never}\nRestartSec={m=plain:1:90}",
            "unit file=software/operations",
            gist="{service}: port {n}, restart {x}",
            summary="{service} starts after {software} as {user} on port {n}, Restart={x}",
            layout="prose",
        ),
        T(
            '{{\n  "editor": {{"indent": "{editor}", "width": {n=plain:2:8}}},\n '
            ' "locale":'
            ' "{locale}",\n  "{flag#}": {x=flip:true/false},\n  "recent": ["{file!recent'
            ' file}",'
            ' "{file2!recent file}"]\n}}',
            "editor settings=software/configuration",
            gist="editor indent {editor}, width {n}, {flag} {x}",
            summary="editor indent {editor} with width {n}, locale {locale}, {flag} {x}",
            layout="prose",
        ),
        T(
            "We <<v:changed>> <<o:{variable!changed setting}>> <<d:from {n=plain:2:900} to"
            " {m=plain:2:900}>> in {file!config file} on {host!machine}:\n{variable}={m}\n# reason:"
            " <<b:{why}>>[[\n# approved by {person!approved the change}]]",
            "configuration change=software/operations",
            "success neutral notable",
            gist="{variable} from {n} to {m} on {host}",
            summary="{variable} changed from {n} to {m} in {file} on {host} because {why}",
            narrative="{^why}, so {variable} went from {n} to {m}",
            layout="prose",
            swap="n m",
        ),
        T(
            '{room}:\n  {device#}:\n    target: {n=dec:5.5:27.5}\n    schedule: "{time}"\n   '
            " away:"
            " {x=flip:on/off}\n{room2}:\n  {device2#}:\n    target: {m=dec:5.5:27.5}\n    owner:"
            " {first!owner}",
            "smart home=home/automation",
            gist="{room} {device} {n}, {room2} {device2} {m}",
            summary="{room} {device} has target {n} at {time}, away {x}; {room2} {device2} has {m}",
            layout="prose",
            swap="n m",
        ),
        T(
            "; {service!configured service} {version!version}, last edit by {person!last editor} on"
            " {date}\n[{section#}]\n{key} = {a=plain:2:900}\n{key2} = {b=plain:2:900}\nmode ="
            " {mode}\n\n[{section2#}]\npath = {syspath!data path}\nuser = {user!owner}\n{key3} ="
            " {c=plain:2:900}\n; do not raise {key}: {why}\n\n[{section3#}]\nlocale ="
            " {locale}\ntimezone ="
            " {zone}\n{flag} = {x=flip:yes/no}\n{flag2} = {y=flip:no/yes}\nlevel = {level}\nurl ="
            " {url!home page}",
            "ini file=software/configuration",
            "unknown neutral notable",
            gist="{service} {version}: {key} {a}, {key2} {b}, {mode}",
            summary="{service} {version}, edited by {person} on {date}: {key} {a}, {key2} {b},"
            " mode {mode}",
            narrative="{person} made the last edit on {date}; do not raise {key}: {why}",
            layout="prose",
        ),
    ),
)
