// The same request for a terminal and for a Python program. Both read the key from the environment.

const KEY = "SPOKESMITH_API_KEY";

/** For sh, bash and zsh. The body comes from the input: an argument may not be as long as a text. */
export function curlOf(url, body, withKey) {
  const quoted = `'${url.replaceAll("'", "'\\''")}'`;
  const key = withKey ? ` \\\n  -H "Authorization: Bearer $${KEY}"` : "";
  // JSON on one line holds no line that is the closing word.
  return `curl -sS ${quoted} \\
  -H 'Content-Type: application/json'${key} \\
  --data-binary @- <<'JSON'
${JSON.stringify(body)}
JSON
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
