/** A central's keys and signed documents for tests: everything right, so that a test can make one thing wrong. */
import { generateKeyPairSync } from 'node:crypto';
import { encodeEnvelope, keyIdOf, publicKeyText, type SigningKey, sign } from '../../shared/trust/dsse.ts';
import { sha256Hex } from '../../shared/trust/hash.ts';
import {
  type Command,
  type KeyList,
  type KeyRole,
  type Manifest,
  payloadTypes,
  type Release,
  type SignedEnvelope,
} from '../../shared/trust/messages.ts';
import { encodeJson } from '../../shared/trust/strict.ts';

export interface TestKey extends SigningKey {
  readonly publicKey: string;
}

export function testKey(): TestKey {
  const { privateKey } = generateKeyPairSync('ed25519');
  const publicKey = publicKeyText(privateKey);
  return { keyid: keyIdOf(publicKey), privateKey, publicKey };
}

/** Times of the test documents, Unix ms. */
export const madeMs = Date.UTC(2026, 0, 1);
export const notAfterMs = Date.UTC(2026, 1, 1);

/** A root, the keys that it lists, and documents signed by them. */
export class TestAuthority {
  readonly root = testKey();
  readonly keys: Record<Exclude<KeyRole, 'root'>, TestKey> = {
    model: testKey(),
    configuration: testKey(),
    rollout: testKey(),
    command: testKey(),
  };

  keyList(version = 1): KeyList {
    const keys = Object.entries(this.keys).map(([role, key]) => ({
      keyid: key.keyid,
      role: role as KeyRole,
      publicKey: key.publicKey,
    }));
    return { version, keys };
  }

  signedKeys(version = 1, by: SigningKey = this.root, change: Partial<KeyList> = {}): SignedEnvelope {
    return sign(payloadTypes.keys, encodeJson({ ...this.keyList(version), ...change }), by);
  }

  /** A signed release of the content, for agent `a1` unless changed. */
  release(content: Uint8Array, change: Partial<Release> = {}, by: SigningKey = this.keys.model): SignedEnvelope {
    const release: Release = {
      release: 1,
      kind: 'model/seasonal',
      major: 1,
      featureVersion: 1,
      windowMs: 60_000,
      target: 'agent:a1',
      contentSha256: sha256Hex(content),
      contentBytes: content.length,
      madeMs,
      note: 'test',
      ...change,
    };
    return sign(payloadTypes.release, encodeJson(release), by);
  }

  /** A signed manifest for agent `a1` that names the release. */
  manifest(
    version: number,
    release: SignedEnvelope,
    change: Partial<Manifest> = {},
    by: SigningKey = this.keys.rollout,
  ): SignedEnvelope {
    const bytes = encodeEnvelope(release);
    const manifest: Manifest = {
      manifest: 1,
      agent: 'a1',
      version,
      madeMs,
      notAfterMs,
      cohorts: [],
      releases: [{ slot: 'model/seasonal', releaseSha256: sha256Hex(bytes), releaseBytes: bytes.length }],
      keys: this.signedKeys(),
      ...change,
    };
    return sign(payloadTypes.manifest, encodeJson(manifest), by);
  }

  command(id: string, change: Partial<Command> = {}, by: SigningKey = this.keys.command): SignedEnvelope {
    const command: Command = {
      command: 1,
      id,
      agent: 'a1',
      madeMs,
      expiresMs: madeMs + 60_000,
      what: { watch: ['0123456789abcdef'] },
      ...change,
    };
    return sign(payloadTypes.command, encodeJson(command), by);
  }
}
