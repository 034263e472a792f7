// The same request for a terminal and for a Python program. Both read the key from the environment.

const KEY = "SPOKESMITH_API_KEY";

export function curlOf(url, body, withKey) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const key = withKey ? ` \\\n  -H "Authorization: Bearer $${KEY}"` : "";
  return `curl -sS ${quoted(url)} \\
  -H 'Content-Type: application/json'${key} \\
  -d ${quoted(JSON.stringify(body))}
`;
}

export function pythonOf(url, body, withKey) {
  // A JSON string is a Python string too.
  const fields = Object.entries(body).map(([name, value]) => `    "${name}": ${JSON.stringify(value)},`);
  const key = withKey ? `, "Authorization": "Bearer " + os.environ["${KEY}"]` : "";
  return `import json
${withKey ? "import os\n" : ""}import urllib.request

body = {
${fields.join("\n")}
}
request = urllib.request.Request(
    ${JSON.stringify(url)},
    json.dumps(body).encode(),
    {"Content-Type": "application/json"${key}},
)
with urllib.request.urlopen(request) as response:
    encoding = json.load(response)
print(encoding)
`;
}
