/** Layers and their versions, as documents. A version is never changed: going back makes a new one. */
import type { LocatedProblem } from '../../shared/config/yaml.ts';
import { parseYaml } from '../../shared/config/yaml.ts';
import { limits } from '../../shared/limits.ts';
import type { JsonObject } from '../../shared/trust/strict.ts';
import { listAll } from '../manifests.ts';
import type { Documents } from '../store/store.ts';
import type { ConfigurationRollout, ConfigurationVersion, Scope } from './api.ts';
import { layerSchema, schemaVersion } from './schemas.ts';
import { ended } from './stages.ts';

const LAYERS = 'configuration';
const VERSIONS = 'configuration-version';
const CACHED = 256;
/** Versions of a layer that are kept. */
const KEPT = 200;
/** A layer's text: with others it makes a configuration, which has the size of a file. */
export const LAYER_BYTES = limits.configBytes / 4;

export interface Layer {
  readonly newest: number;
  readonly stable: number;
  readonly rollout: ConfigurationRollout | null;
}

const noLayer: Layer = { newest: 0, stable: 0, rollout: null };

export class Layers {
  readonly #documents: Documents;
  readonly #layers = new Map<Scope, Layer>();
  /** Of versions that are in use: each report asks for those of its machine. */
  readonly #values = new Map<string, JsonObject>();

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  async load(): Promise<void> {
    for await (const { key, value } of listAll<Layer>(this.#documents, LAYERS)) this.#layers.set(key, value);
  }

  scopes(): readonly Scope[] {
    return [...this.#layers.keys()];
  }

  get(scope: Scope): Layer {
    return this.#layers.get(scope) ?? noLayer;
  }

  /** The version that is to be in force everywhere, at last. */
  wanted(scope: Scope): number {
    const { stable, rollout } = this.get(scope);
    return rollout !== null && !ended(rollout) ? rollout.version : stable;
  }

  async set(scope: Scope, layer: Layer, made?: ConfigurationVersion): Promise<void> {
    const old = layer.newest - KEPT;
    const gone = [layer.stable, layer.rollout?.version, layer.rollout?.from].includes(old) ? 0 : old;
    await this.#documents.putAll([
      { namespace: LAYERS, key: scope, value: layer },
      ...(made === undefined ? [] : [{ namespace: VERSIONS, key: keyOf(scope, made.version), value: made }]),
      ...(made === undefined || gone < 1 ? [] : [{ namespace: VERSIONS, key: keyOf(scope, gone), value: null }]),
    ]);
    this.#layers.set(scope, layer);
  }

  version(scope: Scope, version: number): Promise<ConfigurationVersion | null> {
    return version < 1 ? Promise.resolve(null) : this.#documents.get(VERSIONS, keyOf(scope, version));
  }

  /** Newest first. */
  async versions(scope: Scope): Promise<readonly ConfigurationVersion[]> {
    const { newest } = this.get(scope);
    const numbers = Array.from({ length: Math.min(newest, KEPT) }, (_, i) => newest - i);
    const found = await Promise.all(numbers.map((version) => this.version(scope, version)));
    return found.filter((version) => version !== null);
  }

  /** What a version says; it was judged when it came. */
  async values(scope: Scope, version: number): Promise<JsonObject> {
    const known = this.#values.get(keyOf(scope, version));
    if (known !== undefined) return known;
    const found = await this.version(scope, version);
    const parsed = found === null ? null : parseYaml(found.text, asWritten);
    const values = parsed?.ok === true ? parsed.value : {};
    if (this.#values.size >= CACHED) this.#values.delete(this.#values.keys().next().value!);
    this.#values.set(keyOf(scope, version), values);
    return values;
  }
}

const asWritten = {
  doc: 'A layer.',
  fallback: undefined,
  toJsonSchema: () => ({}),
  parse: (input: unknown) => (input ?? {}) as JsonObject,
};

function keyOf(scope: Scope, version: number): string {
  return `${scope} ${String(version).padStart(8, '0')}`;
}

/** All that is wrong with a text, for agents of these versions. */
export function layerProblems(
  text: string,
  agents: readonly { readonly agent: string; readonly version: string | undefined }[],
): readonly LocatedProblem[] {
  if (Buffer.byteLength(text) > LAYER_BYTES) {
    const message = `the text is larger than ${LAYER_BYTES} bytes.`;
    return [{ path: [], code: 'config.invalid', message, line: 1, column: 1 }];
  }
  const newest = schemaVersion(undefined);
  const own = parseYaml(text, layerSchema(newest));
  if (!own.ok) return own.problems;
  const tried = new Set([newest]);
  return agents.flatMap(({ agent, version }) => {
    const its = schemaVersion(version);
    if (tried.has(its)) return [];
    tried.add(its);
    const result = parseYaml(text, layerSchema(its));
    if (result.ok) return [];
    return result.problems.map((one) => ({ ...one, message: `${agent} runs Picket ${version}: ${one.message}` }));
  });
}
