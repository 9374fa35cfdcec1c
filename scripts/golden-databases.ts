/**
 * Before a release: an agent's outbox and a central's store as this version writes them, for
 * `test/golden/databases`, where every later version has to open them. Files that are there are never changed.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256Hex } from '../shared/trust/hash.ts';
import { version } from '../shared/version.ts';
import { ManualTime } from '../test/contract/outbox.harness.ts';
import { fillOutbox, fillStore, storeBlob } from '../test/golden/databases/content.ts';
import { packDirectory } from '../test/golden/databases/packed.ts';

const directory = join(import.meta.dirname, '..', 'test', 'golden', 'databases');
const root = mkdtempSync(join(tmpdir(), 'picket-golden-'));
try {
  const agent = join(root, 'agent');
  mkdirSync(agent);
  const time = new ManualTime();
  const outbox = await time.until(fillOutbox(agent, time));
  // Packed while they are open: this is what a power cut leaves.
  packDirectory(agent, join(directory, `agent-${version}.gz`));
  await time.until(outbox.close());
  const central = join(root, 'central');
  const store = await fillStore(central, sha256Hex(storeBlob));
  packDirectory(central, join(directory, `central-${version}.gz`));
  await store.close();
} finally {
  rmSync(root, { recursive: true, force: true });
}
