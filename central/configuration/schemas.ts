/**
 * What the agents of each minor version can be told: the JSON Schema of their configuration, generated from it with each
 * release. An agent of a version that is newer than all of them is told what this version knows.
 */
import { schemaFromJson } from '../../shared/config/from-json.ts';
import { placeholderProblems } from '../../shared/config/placeholders.ts';
import type { Schema } from '../../shared/config/schema.ts';
import type { JsonObject } from '../../shared/trust/strict.ts';
import version01 from './schemas/0.1.json' with { type: 'json' };

/** Oldest first. */
const documents: readonly { readonly version: string; readonly json: JsonObject }[] = [
  { version: '0.1', json: version01 },
];
const made = new Map<string, Schema<JsonObject>>();

/** The newest minor version that is not above the agent's; the oldest, where the agent is older than all. */
export function schemaVersion(agentVersion: string | undefined): string {
  if (agentVersion === undefined) return documents.at(-1)!.version;
  const fits = documents.filter(({ version }) => minorOf(version) <= minorOf(agentVersion));
  return (fits.at(-1) ?? documents[0]!).version;
}

function minorOf(version: string): number {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  return major * 10_000 + minor;
}

/** Judges a layer; what it parses is the values as they are written. */
export function layerSchema(version: string): Schema<JsonObject> {
  const known = made.get(version);
  if (known !== undefined) return known;
  const { json } = documents.find((each) => each.version === version)!;
  const judge = schemaFromJson(json, true);
  const schema: Schema<JsonObject> = {
    doc: judge.doc,
    fallback: undefined,
    toJsonSchema: () => ({ ...json }),
    parse(input, path, problems) {
      const before = problems.length;
      judge.parse(input, path, problems);
      problems.push(...placeholderProblems(input, json));
      return problems.length > before ? undefined : ((input ?? {}) as JsonObject);
    },
  };
  made.set(version, schema);
  return schema;
}
