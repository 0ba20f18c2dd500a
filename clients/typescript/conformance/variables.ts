import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

export type Variables = Record<string, string>;

/**
 * Puts variables into a request. Their values are ids and tokens, which mean the same in JSON's
 * strings.
 */
export function fill(request: JsonObject, variables: Variables): JsonValue {
  let text = JSON.stringify(request);
  for (const [name, value] of Object.entries(variables)) text = text.replaceAll(`\${${name}}`, value);
  return JSON.parse(text);
}

/** The value at a path such as "results.0.task.id"; empty if there is none. */
export function find(response: JsonValue | undefined, path: string): string {
  let value: unknown = response;
  for (const name of path.split(".")) value = (value as Record<string, unknown> | undefined)?.[name];
  return String(value ?? "");
}
