// Whether a value fits a JSON Schema, for the keywords that tasks use. The server's verdict, which
// comes with the end of an answer, knows all of them and counts.

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

const TYPES = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null,
  array: Array.isArray,
  object: isObject,
};

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

export function fits(value, schema, root = schema) {
  if (typeof schema === "boolean") return schema;
  if (schema.$ref) return fits(value, resolved(schema.$ref, root), root);
  if (schema.type && ![schema.type].flat().some((type) => TYPES[type]?.(value))) return false;
  if (schema.enum && !schema.enum.some((one) => same(one, value))) return false;
  if ("const" in schema && !same(schema.const, value)) return false;
  if (schema.anyOf && !schema.anyOf.some((one) => fits(value, one, root))) return false;
  if (schema.oneOf && schema.oneOf.filter((one) => fits(value, one, root)).length !== 1) return false;
  if (schema.allOf && !schema.allOf.every((one) => fits(value, one, root))) return false;
  if (typeof value === "string") return within([...value].length, schema.minLength, schema.maxLength);
  if (typeof value === "number") return within(value, schema.minimum, schema.maximum);
  if (Array.isArray(value)) {
    const { prefixItems = [], items = true } = schema;
    return within(value.length, schema.minItems, schema.maxItems)
      && value.every((one, at) => fits(one, prefixItems[at] ?? items, root));
  }
  return !isObject(value) || objectFits(value, schema, root);
}

function objectFits(value, schema, root) {
  const { properties = {}, patternProperties = {}, additionalProperties = true } = schema;
  const schemasOf = (name) => {
    const found = Object.keys(patternProperties)
      .filter((pattern) => new RegExp(pattern, "u").test(name))
      .map((pattern) => patternProperties[pattern]);
    if (Object.hasOwn(properties, name)) found.push(properties[name]);
    return found.length ? found : [additionalProperties];
  };
  return (schema.required ?? []).every((name) => Object.hasOwn(value, name))
    && Object.entries(value).every(([name, one]) =>
      schemasOf(name).every((inner) => fits(one, inner, root)));
}

function within(size, least = -Infinity, most = Infinity) {
  return least <= size && size <= most;
}

function resolved(reference, root) {
  let found = root;
  for (const part of reference.split("/").slice(1)) {
    found = found?.[part.replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  return found ?? true;
}
