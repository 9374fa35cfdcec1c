/**
 * A configuration that travels from the central: what a machine's own file does not say, or says otherwise, in layers.
 *
 *     machine's own file  <  all  <  cohort  <  machine        mappings merge key by key, all else is replaced
 *
 * The machine's file keeps the last word where it matters: keys that are local only are refused in a layer, those that it
 * locks (`locked`) are left as it says, and `managed: false` takes nothing at all. A layer may make `raw` stricter than
 * the machine's file and never looser.
 */
import { ID_PATTERN, limits } from '../limits.ts';
import { constantOf, encodeJson, integerOf, type JsonObject, objectOf, parseJson, textOf } from '../trust/strict.ts';
import { formatPath, type Path } from './schema.ts';

/** The slot of a manifest that the configuration of an agent fills, and the form of its content. */
export const configurationForm = { kind: 'config/agent', major: 1, featureVersion: 1 } as const;

/** Layers of one machine: all, some cohorts, itself. */
const MOST_LAYERS = 16;
const LAYER_NAME = /^(all|(cohort|agent):[A-Za-z0-9_-]{1,64})$/;
/** What may leave the machine, the strictest first. */
const rawOrder = ['never', 'incident', 'demand'];

/** Content of a release of a configuration. */
export interface ManagedConfiguration {
  readonly configuration: 1;
  /** Whom it is for: no two machines share a blob, which would go from both when one is done with it. */
  readonly agent: string;
  /** Rises with each that is made for this agent. */
  readonly version: number;
  /** Which version of each layer it was made of, in their order. */
  readonly layers: Readonly<Record<string, number>>;
  /** As in a file. */
  readonly values: JsonObject;
}

export function encodeManaged(content: ManagedConfiguration): Uint8Array {
  return encodeJson(content);
}

/** Throws `payload.invalid`, `payload.too_large`. */
export function parseManaged(bytes: Uint8Array): ManagedConfiguration {
  const json = objectOf(parseJson(bytes, limits.configBytes, 'configuration'), 'configuration');
  const layers = Object.entries(objectOf(json.layers, 'configuration.layers')).slice(0, MOST_LAYERS);
  return {
    configuration: constantOf(json.configuration, 'configuration.configuration', 1),
    agent: textOf(json.agent, 'configuration.agent', 64, ID_PATTERN),
    version: integerOf(json.version, 'configuration.version', 1),
    layers: Object.fromEntries(
      layers.map(([name, version]) => [
        textOf(name, 'configuration.layers', 71, LAYER_NAME),
        integerOf(version, `configuration.layers.${name.slice(0, 71)}`, 1),
      ]),
    ),
    values: objectOf(json.values, 'configuration.values'),
  };
}

export interface Layer {
  readonly name: string;
  readonly values: JsonObject;
}

/** A value of a configuration that is made of layers, and the layer that it comes from. */
export interface Origin {
  /** `inputs.modbus.host` */
  readonly key: string;
  readonly layer: string;
}

function isMapping(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The layers, each over those before it. */
export function mergeLayers(layers: readonly Layer[]): JsonObject {
  return layers.reduce<JsonObject>((below, { values }) => merged(below, values), {});
}

function merged(below: JsonObject, above: JsonObject): JsonObject {
  const result = new Map(Object.entries(below));
  for (const [key, value] of Object.entries(above)) {
    const before = result.get(key);
    result.set(key, isMapping(before) && isMapping(value) ? merged(before, value) : value);
  }
  return Object.fromEntries(result);
}

/** Where each value of the merged layers comes from. */
export function originsOf(layers: readonly Layer[]): readonly Origin[] {
  const origins: Origin[] = [];
  const walk = (path: Path, said: readonly { readonly name: string; readonly value: unknown }[]): void => {
    // What is no mapping hides all below it.
    const mappings = said.slice(said.findLastIndex(({ value }) => !isMapping(value)) + 1);
    const keys = new Set(mappings.flatMap(({ value }) => Object.keys(value as JsonObject)));
    if (keys.size === 0 && path.length > 0) origins.push({ key: formatPath(path), layer: said.at(-1)!.name });
    for (const key of keys) {
      const inside = mappings
        .filter(({ value }) => Object.hasOwn(value as JsonObject, key))
        .map(({ name, value }) => ({ name, value: (value as JsonObject)[key] }));
      walk([...path, key], inside);
    }
  };
  walk(
    [],
    layers.map(({ name, values }) => ({ name, value: values })),
  );
  return origins;
}

/** What of a layer holds beside the machine's own file. */
export function allowedBy(
  own: JsonObject,
  layer: JsonObject,
  locked: readonly string[],
): { readonly values: JsonObject; readonly left: readonly string[] } {
  const left: string[] = [];
  const without = (values: JsonObject, path: Path): JsonObject => {
    const kept: [string, unknown][] = [];
    for (const [key, value] of Object.entries(values)) {
      const name = formatPath([...path, key]);
      // What is no mapping would take all below it away, with what is locked there.
      const above = !isMapping(value) && locked.some((lock) => lock.startsWith(`${name}.`));
      if (above || locked.includes(name)) left.push(name);
      else kept.push([key, isMapping(value) ? without(value, [...path, key]) : value]);
    }
    return Object.fromEntries(kept);
  };
  const values = without(layer, []);
  const rank = (value: unknown): number => (typeof value === 'string' ? rawOrder.indexOf(value) : -1);
  if (own.raw !== undefined && rank(own.raw) >= 0 && (values.raw === null || rank(values.raw) > rank(own.raw))) {
    const { raw: _, ...others } = values;
    return { values: others, left: [...left, 'raw'] };
  }
  return { values, left };
}
